"""The base of layers over the positions of sequences, which are told the length L by the network."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import M, MatrixOps, Scalar, Size
from nerva_core.algebra.memory import Array
from nerva_core.algebra.registry import Count
from nerva_core.layers.base import Layer, Positions, Shape, Symbols


@dataclass(frozen=True, kw_only=True)
class SequenceLayer(Layer):
    """A layer whose rows are N·L positions: those of one sequence follow one another."""

    length: Size | None = field(default=None, repr=False)
    """L, which the layers before this one determine."""

    @property
    def L(self) -> Size:
        """The number of positions of a sequence; NervaError if the network has not said it."""
        if self.length is None:
            raise NervaError(f"{self!r} does not know the length of a sequence; begin the network with Sequences(length)")
        return self.length

    def rows_for(self, N: Size) -> Size:
        if isinstance(N, int) and isinstance(self.length, int) and N % self.length:
            raise NervaError(f"{self!r} takes sequences of {self.length} positions, a row each, got {N} rows")
        return N

    def bind(self, positions: Positions | None) -> tuple[Layer, Positions | None]:
        if not positions:
            return self, positions
        count = math.prod(positions)
        return (self if count == self.length else replace(self, length=count)), positions

    def needs_positions(self) -> bool:
        return self.length is None

    def can_go_on(self) -> bool:
        """By default not: what a position sees of the others is said by each layer."""
        return False

    def for_any_data(self, symbols: Symbols) -> Layer:
        return replace(self, length=symbols.size("L"))

    def shape_of_input(self, symbols: Symbols) -> tuple[Size, Size]:
        return symbols.size("N") * self.L, symbols.size("D")


@dataclass(frozen=True, kw_only=True)
class AttendingLayer(SequenceLayer):
    """A layer whose positions look at others, with several heads, and which can be told which positions are there.

    If ``padded``, m, N·L x 1, follows X: 1 where there is a position and 0 where there is padding.
    """

    heads: Count
    padded: bool = field(default=False, repr=False)
    """Whether m is given, which a network with padding determines (``Padded``)."""

    def for_any_data(self, symbols: Symbols) -> Layer:
        return replace(self, length=symbols.size("L"), heads=symbols.size("G"))

    def noise_shapes(self, N: Size, D: Size) -> tuple[Shape, ...]:
        return ((N, 1),) if self.padded else ()

    def draw(self, rng: np.random.Generator, N: int, D: int) -> tuple[Array, ...]:
        """Of m ones: where nothing else is said, nothing is padding."""
        return (np.ones((N, 1)),) if self.padded else ()

    def with_padding(self) -> Layer:
        return self if self.padded else replace(self, padded=True)

    def given_padding(self, D: Size, given: Any, m: Any) -> Any:
        return (m, *given[1:]) if self.padded else given

    def of_heads(self, ops: MatrixOps[M], X: M) -> M:
        """The family of the matrices of each example and head: L rows, and the columns of one of ``heads`` parts."""
        return ops.split(X, self.L, ops.shape(X)[1] // self.heads)

    def there(self, ops: MatrixOps[M], m: M) -> M:
        """m for each example and head: a family of L x 1."""
        return self.of_heads(ops, ops.column_repeat(m, self.heads))

    def mask(self, ops: MatrixOps[M], C: M, r: M | None, g: M | None) -> M:
        """C ⊙ r · gᵀ + Diag(1 - r): a position that receives sees those that give; one that does not, itself alone."""
        if r is None or g is None:
            return C
        none = ops.ones(self.L, 1) - r
        return ops.hadamard(C, r @ ops.transpose(g)) + ops.hadamard(ops.identity(self.L), ops.column_repeat(none, self.L))

    def received(self, ops: MatrixOps[M], r: M | None, Y: M) -> M:
        """Diag(r) · Y: zeros where a position receives nothing."""
        return Y if r is None else ops.hadamard(ops.column_repeat(r, ops.shape(Y)[1]), Y)

    def scale(self, ops: MatrixOps[M], K: M) -> Scalar:
        """1/√A, for keys of A columns."""
        return ops.size_power(ops.shape(K)[1], -0.5)
