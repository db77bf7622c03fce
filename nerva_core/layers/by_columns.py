"""Compositions whose layers depend on the number of columns of X."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np

from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.algebra.trees import Tree
from nerva_core.layers.base import Layer
from nerva_core.layers.continuation import Place
from nerva_core.layers.sequential import Sequential


class CompositionByColumns(Layer):
    """A layer that keeps the shape of X, N x D, and is a composition of layers for that D."""

    @abstractmethod
    def composition(self, D: Size) -> Sequential:
        """The layers it is made of."""

    def outputs_for(self, D: Size) -> Size:
        return self.composition(D).outputs_for(D)

    def shapes(self, D: Size) -> Tree:
        return self.composition(D).shapes(D)

    def init(self, rng: np.random.Generator, D: int) -> Tree:
        return self.composition(D).init(rng, D)

    def noise_shapes(self, N: Size, D: Size) -> tuple[Any, ...]:
        return self.composition(D).noise_shapes(N, D)

    def draw(self, rng: np.random.Generator, N: int, D: int) -> Any:
        return self.composition(D).draw(rng, N, D)

    def given_padding(self, D: Size, given: Any, m: Any) -> Any:
        return self.composition(D).given_padding(D, given, m)

    def initial_state(self, D: int) -> Tree:
        return self.composition(D).initial_state(D)

    def feedforward(self, ops: MatrixOps[M], params: Tree, X: M, *noise: Tree) -> tuple[M, Tree]:
        return self._for(ops, X).feedforward(ops, params, X, *noise)

    def backpropagate(self, ops: MatrixOps[M], params: Tree, cache: Tree, DY: M) -> tuple[M, Tree]:
        return self._for(ops, DY).backpropagate(ops, params, cache, DY)

    def evaluate(self, ops: MatrixOps[M], params: Tree, state: Tree, X: M, *noise: Tree) -> M:
        return self._for(ops, X).evaluate(ops, params, state, X, *noise)

    def evaluations(self, ops: MatrixOps[M], params: Tree, state: Tree, X: M) -> Iterator[tuple[Layer, M, M]]:
        return self._for(ops, X).evaluations(ops, params, state, X)

    def past(self, ops: MatrixOps[M], D: Size) -> Any:
        return self.composition(D).past(ops, D)

    def go_on(self, ops: MatrixOps[M], params: Tree, state: Tree, past: Any, x: M, place: Place[M]) -> tuple[M, Tree]:
        return self._for(ops, x).go_on(ops, params, state, past, x, place)

    def update_state(self, ops: MatrixOps[M], state: Tree, cache: Tree) -> Tree:
        return state  # none of the layers that are composed here has one

    def _for(self, ops: MatrixOps[M], X: M) -> Sequential:
        return self.composition(ops.shape(X)[1])
