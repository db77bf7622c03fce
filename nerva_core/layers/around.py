"""Layers around another: what they do not state themselves, they hand on."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.algebra.trees import Tree
from nerva_core.layers.base import Layer, Positions, Symbols
from nerva_core.layers.continuation import Place


class Around(Layer):
    """A layer around another, whose parameters, noise, cache and state are its own unless it says otherwise."""

    @abstractmethod
    def inner(self) -> Layer:
        """The layer inside."""

    def outputs_for(self, D: Size) -> Size:
        return self.inner().outputs_for(D)

    def rows_for(self, N: Size) -> Size:
        return self.inner().rows_for(N)

    def fans(self, D: int) -> tuple[int, int]:
        return self.inner().fans(D)

    def shapes(self, D: Size) -> Tree:
        return self.inner().shapes(D)

    def init(self, rng: np.random.Generator, D: int) -> Tree:
        return self.inner().init(rng, D)

    def noise_shapes(self, N: Size, D: Size) -> tuple[Any, ...]:
        return self.inner().noise_shapes(N, D)

    def draw(self, rng: np.random.Generator, N: int, D: int) -> Any:
        return self.inner().draw(rng, N, D)

    def draw_for_evaluation(self, rng: np.random.Generator, N: int, D: int) -> Any:
        return self.inner().draw_for_evaluation(rng, N, D)

    def inside(self) -> tuple[Layer, ...]:
        return super().inside() if self._is_given() else (self.inner(),)

    def with_inside(self, change: Callable[[Layer], Layer]) -> Layer:
        """Of a layer whose inner one is made, not given, the changed inner one alone."""
        if self._is_given():
            return super().with_inside(change)
        inner = self.inner()
        changed = change(inner)
        return self if changed is inner else changed

    def given_padding(self, D: Size, given: Any, m: Any) -> Any:
        return self.inner().given_padding(D, given, m)

    def numbers_below(self) -> Size | None:
        return self.inner().numbers_below()

    def shape_of_input(self, symbols: Symbols) -> tuple[Size, Size]:
        return self.inner().shape_of_input(symbols)

    def bind(self, positions: Positions | None) -> tuple[Layer, Positions | None]:
        return self.with_inside(lambda layer: layer.bind(positions)[0]), self.inner().bind(positions)[1]

    def _is_given(self) -> bool:
        """Whether the inner layer is a field."""
        inner = self.inner()
        return any(layer is inner for layer in super().inside())

    def noise_scale(self) -> float | None:
        return self.inner().noise_scale()

    def initial_state(self, D: int) -> Tree:
        return self.inner().initial_state(D)

    def first_state(self, rng: np.random.Generator, D: int) -> Any:
        return self.inner().first_state(rng, D) if self.has_pattern() else self.initial_state(D)

    def given(self, state: Tree, noise: Tree = ()) -> Any:
        return self.inner().given(state, noise) if self.has_pattern() else noise

    def given_shapes(self, N: Size, D: Size) -> tuple[Any, ...]:
        return self.inner().given_shapes(N, D) if self.has_pattern() else self.noise_shapes(N, D)

    def map_patterns(self, D: int, change: Callable[..., Any], *trees: Any) -> Any:
        return self.inner().map_patterns(D, change, *trees)

    def dense(self, D: int, params: Tree, state: Tree) -> tuple[Layer, Any, Any]:
        if not self.has_pattern():
            return self, params, state
        inner = self.inner()
        layer, params, state = inner.dense(D, params, state)
        return self.with_inside(lambda each: layer if each is inner or not self._is_given() else each), params, state

    def feedforward(self, ops: MatrixOps[M], params: Tree, X: M, *noise: Tree) -> tuple[M, Tree]:
        return self.inner().feedforward(ops, params, X, *noise)

    def backpropagate(self, ops: MatrixOps[M], params: Tree, cache: Tree, DY: M) -> tuple[M, Tree]:
        return self.inner().backpropagate(ops, params, cache, DY)

    def surrogate(self, ops: MatrixOps[M], params: Tree, X: M, *noise: Tree) -> tuple[M, M | None]:
        return self.inner().surrogate(ops, params, X, *noise)

    def penalty(self, ops: MatrixOps[M], cache: Tree) -> M | None:
        return self.inner().penalty(ops, cache)

    def hard_layers(self) -> tuple[Layer, ...]:
        return self.inner().hard_layers()

    def evaluate(self, ops: MatrixOps[M], params: Tree, state: Tree, X: M, *noise: Tree) -> M:
        return self.inner().evaluate(ops, params, state, X, *noise)

    def evaluations(self, ops: MatrixOps[M], params: Tree, state: Tree, X: M) -> Iterator[tuple[Layer, M, M]]:
        return self.inner().evaluations(ops, params, state, X)

    def past(self, ops: MatrixOps[M], D: Size) -> Any:
        return self.inner().past(ops, D)

    def go_on(self, ops: MatrixOps[M], params: Tree, state: Tree, past: Any, x: M, place: Place[M]) -> tuple[M, Tree]:
        return self.inner().go_on(ops, params, state, past, x, place)

    def update_state(self, ops: MatrixOps[M], state: Tree, cache: Tree) -> Tree:
        return self.inner().update_state(ops, state, cache)
