"""Examples that are made of positions: images and sequences as the rows of a matrix, and back.

Between layers every value is a matrix. N images of H x W positions with C channels are N·H·W rows of C columns, N sequences of L positions
are N·L rows; so Linear, BatchNormalization, Dropout and every activation act on each position, as their equations stand.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass, field, replace
from typing import Any

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.algebra.registry import Count
from nerva_core.algebra.trees import Tree
from nerva_core.layers.base import LAYERS, Layer, Positions, Symbols
from nerva_core.layers.continuation import Place
from nerva_core.layers.windowed import extents


class Rearrangement(Layer):
    """A layer without parameters whose output has the elements of X, read row by row, in other rows and columns."""

    def feedforward(self, ops: MatrixOps[M], params: Tree, X: M, *args: Any, **kwargs: Any) -> tuple[M, Tree]:
        N, D = ops.shape(X)
        return ops.reshape(X, self.rows_for(N), self.outputs_for(D)), (N, D)

    def backpropagate(self, ops: MatrixOps[M], params: Tree, cache: Tree, DY: M) -> tuple[M, Tree]:
        return ops.reshape(DY, *cache), ()


class PositionsOfExamples(Rearrangement):
    """Y = X, N x P·C, read as N·P x C: each example as the rows of its P positions."""

    @property
    @abstractmethod
    def positions(self) -> Positions:
        """The extents of the grid."""

    @property
    def count(self) -> Size:
        """P, the number of positions."""
        return math.prod(self.positions)

    def rows_for(self, N: Size) -> Size:
        return N * self.count

    def outputs_for(self, D: Size) -> Size:
        if isinstance(D, int) and D % self.count:
            raise NervaError(f"{self!r} has {self.count} positions, so the number of columns must be a multiple of it, got {D}")
        return D // self.count

    def for_any_data(self, symbols: Symbols) -> Layer:
        return AnyPositions(symbols.size("P"))

    def shape_of_input(self, symbols: Symbols) -> tuple[Size, Size]:
        return symbols.size("N"), self.count * symbols.size("C")

    def go_on(self, ops: MatrixOps[M], params: Tree, state: Tree, past: Any, x: M, place: Place[M]) -> tuple[M, Tree]:
        return x, past

    def bind(self, positions: Positions | None) -> tuple[Layer, Positions | None]:
        if positions:
            raise NervaError(f"{self!r} makes positions of examples, but the rows are positions already: {extents(positions)}")
        return self, self.positions


@dataclass(frozen=True)
class AnyPositions(PositionsOfExamples):
    """Any number P of positions: what stands for every grid where equations are shown and proved."""

    P: Size

    @property
    def positions(self) -> Positions:
        return (self.P,)

    @property
    def count(self) -> Size:
        return self.P

    def for_any_data(self, symbols: Symbols) -> Layer:
        return self


@LAYERS.add
@dataclass(frozen=True)
class Images(PositionsOfExamples):
    """N images of height x width positions and C channels, given as rows of height · width · C numbers, channels last: N·H·W x C."""

    height: Count
    width: Count

    @property
    def positions(self) -> Positions:
        return self.height, self.width


@LAYERS.add
@dataclass(frozen=True)
class Sequences(PositionsOfExamples):
    """N sequences of L positions and C features, given as rows of L · C numbers: N·L x C."""

    length: Count

    @property
    def positions(self) -> Positions:
        return (self.length,)


@LAYERS.add
@dataclass(frozen=True)
class Flatten(Rearrangement):
    """Y = X, N·P x C, read as N x P·C: all positions of an example in one row. Where examples are rows already it changes nothing."""

    positions: Size = field(default=1, repr=False)
    """P, which the layers before it determine."""

    def rows_for(self, N: Size) -> Size:
        return N // self.positions

    def outputs_for(self, D: Size) -> Size:
        return self.positions * D

    def can_go_on(self) -> bool:
        return bool(self.positions == 1)

    def for_any_data(self, symbols: Symbols) -> Layer:
        return replace(self, positions=symbols.size("P"))

    def shape_of_input(self, symbols: Symbols) -> tuple[Size, Size]:
        return symbols.size("N") * self.positions, symbols.size("C")

    def bind(self, positions: Positions | None) -> tuple[Layer, Positions | None]:
        if positions is None:
            return self, ()
        count = math.prod(positions)
        return (self if count == self.positions else replace(self, positions=count)), ()
