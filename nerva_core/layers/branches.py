"""Two branches that see the same input, and what is made of their outputs.

A sum of branches is a residual connection whose shortcut is any layers, as the projections of ResNets are (He et al. 2016); a product is a
gate (Dauphin et al. 2017) of any layers; side by side they are what dense blocks are made of (Huang et al. 2017).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.algebra.trees import Tree
from nerva_core.layers.base import LAYERS, Layer, Positions, Symbols, total
from nerva_core.layers.sequential import Sequential


class OfBranches(NamedTuple):
    """What belongs to f, and what belongs to g: parameters, noise, caches, gradients or states."""

    f: Any
    g: Any


class ProductCache(NamedTuple, Generic[M]):
    """Those of the branches, and their outputs A and B."""

    branches: OfBranches
    A: M
    B: M


class ConcatenateCache(NamedTuple):
    """Those of the branches, and the numbers of columns that f and g make."""

    branches: OfBranches
    K_f: Size
    K_g: Size


@dataclass(frozen=True)
class TwoBranches(Layer):
    """Y = A ∘ B, with A = f(X) and B = g(X) of the same shape, for an operation ∘ that a class states."""

    f: Sequential
    g: Sequential

    @abstractmethod
    def combine(self, ops: MatrixOps[M], A: M, B: M) -> M:
        """A ∘ B."""

    def outputs_for(self, D: Size) -> Size:
        return self._one("columns", self.f.outputs_for(D), self.g.outputs_for(D))

    def rows_for(self, N: Size) -> Size:
        return self._one("rows", self.f.rows_for(N), self.g.rows_for(N))

    def _one(self, what: str, of_f: Size, of_g: Size) -> Size:
        """The number that both branches give; NervaError if they differ."""
        if isinstance(of_f, int) and of_f != of_g:
            raise NervaError(f"{type(self).__name__}: the branches must make outputs of one shape, but f makes {of_f} {what} and g {of_g}")
        return of_f

    def bind(self, positions: Positions | None) -> tuple[Layer, Positions | None]:
        left, of_g = self.f.bind(positions)[1], self.g.bind(positions)[1]
        if left != of_g:
            raise NervaError(
                f"{type(self).__name__}: the rows of the branches must be the same positions, but those of f are {left}, of g {of_g}"
            )
        return super().bind(positions)[0], left

    def given_padding(self, D: Size, given: Any, m: Any) -> Any:
        of_f, of_g = given or ((), ())
        return self.f.given_padding(D, of_f, m), self.g.given_padding(D, of_g, m)

    def numbers_below(self) -> Size | None:
        return self.f.numbers_below()

    def shape_of_input(self, symbols: Symbols) -> tuple[Size, Size]:
        return self.f.shape_of_input(symbols)

    def shapes(self, D: Size) -> OfBranches:
        return OfBranches(self.f.shapes(D), self.g.shapes(D))

    def init(self, rng: np.random.Generator, D: int) -> OfBranches:
        return OfBranches(self.f.init(rng, D), self.g.init(rng, D))

    def noise_shapes(self, N: Size, D: Size) -> tuple[Any, ...]:
        return self.f.noise_shapes(N, D), self.g.noise_shapes(N, D)

    def draw(self, rng: np.random.Generator, N: int, D: int) -> Any:
        return self.f.draw(rng, N, D), self.g.draw(rng, N, D)

    def draw_for_evaluation(self, rng: np.random.Generator, N: int, D: int) -> Any:
        return self.f.draw_for_evaluation(rng, N, D), self.g.draw_for_evaluation(rng, N, D)

    def noise_scale(self) -> float | None:
        return max((scale for branch in (self.f, self.g) if (scale := branch.noise_scale()) is not None), default=None)

    def initial_state(self, D: int) -> OfBranches:
        return OfBranches(self.f.initial_state(D), self.g.initial_state(D))

    def update_state(self, ops: MatrixOps[M], state: Tree, cache: Tree) -> OfBranches:
        of = self.caches(cache)
        return OfBranches(self.f.update_state(ops, state.f, of.f), self.g.update_state(ops, state.g, of.g))

    def caches(self, cache: Tree) -> OfBranches:
        """Those of the branches."""
        of: OfBranches = cache
        return of

    def hard_layers(self) -> tuple[Layer, ...]:
        return self.f.hard_layers() + self.g.hard_layers()

    def penalty(self, ops: MatrixOps[M], cache: Tree) -> M | None:
        of = self.caches(cache)
        return total((self.f.penalty(ops, of.f), self.g.penalty(ops, of.g)))

    def surrogate(self, ops: MatrixOps[M], params: Tree, X: M, *noise: Tree) -> tuple[M, M | None]:
        of_f, of_g = noise or ((), ())
        (A, R), (B, S) = self.f.surrogate(ops, params.f, X, *of_f), self.g.surrogate(ops, params.g, X, *of_g)
        return self.combine(ops, A, B), total((R, S))

    def evaluate(self, ops: MatrixOps[M], params: Tree, state: Tree, X: M, *noise: Tree) -> M:
        of_f, of_g = noise or ((), ())
        return self.combine(ops, self.f.evaluate(ops, params.f, state.f, X, *of_f), self.g.evaluate(ops, params.g, state.g, X, *of_g))

    def evaluations(self, ops: MatrixOps[M], params: Tree, state: Tree, X: M) -> Iterator[tuple[Layer, M, M]]:
        yield from self.f.evaluations(ops, params.f, state.f, X)
        yield from self.g.evaluations(ops, params.g, state.g, X)
        yield self, X, self.evaluate(ops, params, state, X)


@LAYERS.add
@dataclass(frozen=True)
class Add(TwoBranches):
    """Y = f(X) + g(X): with a projection for g, the residual block that changes the shape (He et al. 2016, equation 2)."""

    aliases = ("Sum",)

    def combine(self, ops: MatrixOps[M], A: M, B: M) -> M:
        return A + B

    def feedforward(self, ops: MatrixOps[M], params: OfBranches, X: M, *noise: Tree) -> tuple[M, OfBranches]:
        of_f, of_g = noise or ((), ())
        A, of_A = self.f.feedforward(ops, params.f, X, *of_f)
        B, of_B = self.g.feedforward(ops, params.g, X, *of_g)
        return self.combine(ops, A, B), OfBranches(of_A, of_B)

    def backpropagate(self, ops: MatrixOps[M], params: OfBranches, cache: OfBranches, DY: M) -> tuple[M, OfBranches]:
        DX_f, Df = self.f.backpropagate(ops, params.f, cache.f, DY)
        DX_g, Dg = self.g.backpropagate(ops, params.g, cache.g, DY)
        return DX_f + DX_g, OfBranches(Df, Dg)


@LAYERS.add
@dataclass(frozen=True)
class Multiply(TwoBranches):
    """Y = f(X) ⊙ g(X): with a sigmoid at the end of g, what f makes passes through the gate g (Dauphin et al. 2017)."""

    aliases = ("Product",)

    def combine(self, ops: MatrixOps[M], A: M, B: M) -> M:
        return ops.hadamard(A, B)

    def caches(self, cache: ProductCache[M]) -> OfBranches:
        return cache.branches

    def feedforward(self, ops: MatrixOps[M], params: OfBranches, X: M, *noise: Tree) -> tuple[M, ProductCache[M]]:
        of_f, of_g = noise or ((), ())
        A, of_A = self.f.feedforward(ops, params.f, X, *of_f)
        B, of_B = self.g.feedforward(ops, params.g, X, *of_g)
        return self.combine(ops, A, B), ProductCache(OfBranches(of_A, of_B), A, B)

    def backpropagate(self, ops: MatrixOps[M], params: OfBranches, cache: ProductCache[M], DY: M) -> tuple[M, OfBranches]:
        (of_f, of_g), A, B = cache
        DX_f, Df = self.f.backpropagate(ops, params.f, of_f, ops.hadamard(DY, B))
        DX_g, Dg = self.g.backpropagate(ops, params.g, of_g, ops.hadamard(DY, A))
        return DX_f + DX_g, OfBranches(Df, Dg)


@LAYERS.add
@dataclass(frozen=True)
class Concatenate(TwoBranches):
    """Y = [f(X) g(X)], the columns of f and then those of g, for the same rows: N x (K_f + K_g).

    With Identity for f, it is a layer of a dense block (Huang et al. 2017): what g makes is put beside what it has seen.
    """

    aliases = ("Concat",)

    def outputs_for(self, D: Size) -> Size:
        return self.f.outputs_for(D) + self.g.outputs_for(D)

    def combine(self, ops: MatrixOps[M], A: M, B: M) -> M:
        return ops.join_columns(A, B)

    def caches(self, cache: ConcatenateCache) -> OfBranches:
        return cache.branches

    def feedforward(self, ops: MatrixOps[M], params: OfBranches, X: M, *noise: Tree) -> tuple[M, ConcatenateCache]:
        of_f, of_g = noise or ((), ())
        A, of_A = self.f.feedforward(ops, params.f, X, *of_f)
        B, of_B = self.g.feedforward(ops, params.g, X, *of_g)
        return self.combine(ops, A, B), ConcatenateCache(OfBranches(of_A, of_B), ops.shape(A)[1], ops.shape(B)[1])

    def backpropagate(self, ops: MatrixOps[M], params: OfBranches, cache: ConcatenateCache, DY: M) -> tuple[M, OfBranches]:
        (of_f, of_g), K_f, K_g = cache
        DX_f, Df = self.f.backpropagate(ops, params.f, of_f, ops.column_range(DY, 0, K_f))
        DX_g, Dg = self.g.backpropagate(ops, params.g, of_g, ops.column_range(DY, K_f, K_g))
        return DX_f + DX_g, OfBranches(Df, Dg)
