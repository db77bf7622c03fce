"""An embedding and an output layer with one matrix (Press and Wolf 2017; Vaswani et al. 2017, section 3.4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.algebra.registry import Count
from nerva_core.algebra.trees import Tree
from nerva_core.equations.initializers import Initializer, Normal
from nerva_core.layers.around import Around
from nerva_core.layers.base import LAYERS, Layer, Symbols
from nerva_core.layers.continuation import Place
from nerva_core.layers.sequential import Sequential


class TiedParameters(NamedTuple):
    """E is V x K; f are the parameters of the layers between."""

    E: Any
    f: Any


class TiedCache(NamedTuple):
    """x is N x 1, H is N x K, the output of f, whose cache is f."""

    x: Any
    H: Any
    f: Any


@LAYERS.add
@dataclass(frozen=True)
class Tied(Around):
    """Y = H · Eᵀ, H = f(O · E), O = one_hot(x): for each number its row of E, layers f that keep its K = ``width`` columns, and a score for
    each of the V numbers by the same E, whose gradient is the sum of both uses: DE = DYᵀ · H + Oᵀ · DH₀.
    """

    aliases = ("TiedEmbedding",)

    width: Count
    vocabulary: Count
    layers: Sequential
    weights: Initializer = Normal(0.0, 0.02)

    def __post_init__(self) -> None:
        if self.layers.has_pattern():
            raise NervaError("Tied: sparse layers between a tied embedding and output are not supported; use Linear")

    def inner(self) -> Sequential:
        return self.layers

    # What is inside has K columns, whatever D is.

    def outputs_for(self, D: Size) -> Size:
        if isinstance(D, int) and D != 1:
            raise NervaError(f"Tied takes one number in a row, got {D} columns; begin the network with Sequences({D})")
        found = self.layers.outputs_for(self.width)
        if isinstance(found, int) and found != self.width:
            raise NervaError(f"Tied: its layers must keep the {self.width} columns of the embedding, but make {found}")
        return self.vocabulary

    def fans(self, D: int) -> tuple[int, int]:
        return D, self.vocabulary

    def shapes(self, D: Size) -> TiedParameters:
        return TiedParameters((self.vocabulary, self.width), self.layers.shapes(self.width))

    def init(self, rng: np.random.Generator, D: int) -> TiedParameters:
        shape = (self.vocabulary, self.width)
        return TiedParameters(self.weights.draw(rng, *self.fans(D), shape), self.layers.init(rng, self.width))

    def noise_shapes(self, N: Size, D: Size) -> tuple[Any, ...]:
        return self.layers.noise_shapes(N, self.width)

    def draw(self, rng: np.random.Generator, N: int, D: int) -> Any:
        return self.layers.draw(rng, N, self.width)

    def draw_for_evaluation(self, rng: np.random.Generator, N: int, D: int) -> Any:
        return self.layers.draw_for_evaluation(rng, N, self.width)

    def initial_state(self, D: int) -> Tree:
        return self.layers.initial_state(self.width)

    def given_padding(self, D: Size, given: Any, m: Any) -> Any:
        return self.layers.given_padding(self.width, given, m)

    def numbers_below(self) -> Size | None:
        return self.vocabulary

    def for_any_data(self, symbols: Symbols) -> Layer:
        found = super().for_any_data(symbols)
        if not isinstance(found, Tied):
            return found
        return replace(found, vocabulary=symbols.size("V"), width=found.layers.outputs_for(symbols.size("D")))

    def shape_of_input(self, symbols: Symbols) -> tuple[Size, Size]:
        return self.layers.shape_of_input(symbols)[0], 1

    # The equations.

    def feedforward(self, ops: MatrixOps[M], params: Tree, X: M, *noise: Tree) -> tuple[M, TiedCache]:
        E, f = params
        H, of_f = self.layers.feedforward(ops, f, ops.rows_at(E, X), *noise)
        return H @ ops.transpose(E), TiedCache(X, H, of_f)

    def backpropagate(self, ops: MatrixOps[M], params: Tree, cache: TiedCache, DY: M) -> tuple[M, TiedParameters]:
        E, f = params
        x, H, of_f = cache
        DH0, Df = self.layers.backpropagate(ops, f, of_f, DY @ E)
        DE = ops.transpose(DY) @ H + ops.sums_at_rows(DH0, x, self.vocabulary)
        Dx = ops.zeros(*ops.shape(x))
        return Dx, TiedParameters(DE, Df)

    def surrogate(self, ops: MatrixOps[M], params: Tree, X: M, *noise: Tree) -> tuple[M, M | None]:
        H, R = self.layers.surrogate(ops, params.f, ops.rows_at(params.E, X), *noise)
        return H @ ops.transpose(params.E), R

    def penalty(self, ops: MatrixOps[M], cache: TiedCache) -> M | None:
        return self.layers.penalty(ops, cache.f)

    def update_state(self, ops: MatrixOps[M], state: Tree, cache: TiedCache) -> Tree:
        return self.layers.update_state(ops, state, cache.f)

    def evaluate(self, ops: MatrixOps[M], params: Tree, state: Tree, X: M, *noise: Tree) -> M:
        return self.layers.evaluate(ops, params.f, state, ops.rows_at(params.E, X), *noise) @ ops.transpose(params.E)

    def evaluations(self, ops: MatrixOps[M], params: Tree, state: Tree, X: M) -> Iterator[tuple[Layer, M, M]]:
        yield from self.layers.evaluations(ops, params.f, state, ops.rows_at(params.E, X))
        yield self, X, self.evaluate(ops, params, state, X)

    # Position by position.

    def can_go_on(self) -> bool:
        return self.layers.can_go_on()

    def past(self, ops: MatrixOps[M], D: Size) -> Any:
        return self.layers.past(ops, self.width)

    def go_on(self, ops: MatrixOps[M], params: Tree, state: Tree, past: Any, x: M, place: Place[M]) -> tuple[M, Tree]:
        h, past = self.layers.go_on(ops, params.f, state, past, ops.rows_at(params.E, x), place)
        return h @ ops.transpose(params.E), past
