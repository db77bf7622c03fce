"""The same layers several times, with the same parameters: pondering (DAB, section 5.1.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.algebra.registry import Count
from nerva_core.algebra.trees import Tree, leaves, with_leaves
from nerva_core.layers.around import Around
from nerva_core.layers.base import LAYERS, Layer, total
from nerva_core.layers.sequential import Sequential


@LAYERS.add
@dataclass(frozen=True)
class Repeat(Around):
    """Y = f(f(... f(X))), f ``times`` times with the same parameters; Dφ is the sum of the gradients of its uses.

    Noise and caches are tuples with one item a use; the state is updated after each. f must keep the number of columns.
    """

    layers: Sequential
    times: Count = 2

    def inner(self) -> Sequential:
        return self.layers

    def outputs_for(self, D: Size) -> Size:
        outputs = self.layers.outputs_for(D)
        if self.times > 1 and outputs != D:
            raise NervaError(f"Repeat: what is applied to its own output must keep the number of columns, but it makes {outputs} of {D}")
        return outputs

    def feedforward(self, ops: MatrixOps[M], params: Tree, X: M, *noise: Tree) -> tuple[M, Tree]:
        caches = []
        for r in noise or ((),) * self.times:
            X, cache = self.layers.feedforward(ops, params, X, *r)
            caches.append(cache)
        return X, tuple(caches)

    def backpropagate(self, ops: MatrixOps[M], params: Tree, cache: Tree, DY: M) -> tuple[M, Tree]:
        *before, last = cache
        DY, Dphi = self.layers.backpropagate(ops, params, last, DY)
        for c in reversed(before):
            DY, gradients = self.layers.backpropagate(ops, params, c, DY)
            Dphi = with_leaves(Dphi, [a + b for a, b in zip(leaves(Dphi), leaves(gradients), strict=True)])
        return DY, Dphi

    def surrogate(self, ops: MatrixOps[M], params: Tree, X: M, *noise: Tree) -> tuple[M, M | None]:
        penalties = []
        for r in noise or ((),) * self.times:
            X, R = self.layers.surrogate(ops, params, X, *r)
            penalties.append(R)
        return X, total(penalties)

    def penalty(self, ops: MatrixOps[M], cache: Tree) -> M | None:
        return total(self.layers.penalty(ops, c) for c in cache)

    def evaluate(self, ops: MatrixOps[M], params: Tree, state: Tree, X: M, *noise: Tree) -> M:
        for r in noise or ((),) * self.times:
            X = self.layers.evaluate(ops, params, state, X, *r)
        return X

    def evaluations(self, ops: MatrixOps[M], params: Tree, state: Tree, X: M) -> Iterator[tuple[Layer, M, M]]:
        for _ in range(self.times):
            yield from self.layers.evaluations(ops, params, state, X)
            X = self.layers.evaluate(ops, params, state, X)

    def noise_shapes(self, N: Size, D: Size) -> tuple[Any, ...]:
        return (self.layers.noise_shapes(N, D),) * self.times

    def given(self, state: Tree, noise: Tree = ()) -> Any:
        return tuple(self.layers.given(state, r) for r in noise or ((),) * self.times) if self.has_pattern() else noise

    def given_shapes(self, N: Size, D: Size) -> tuple[Any, ...]:
        return (self.layers.given_shapes(N, D),) * self.times

    def draw(self, rng: np.random.Generator, N: int, D: int) -> Any:
        return tuple(self.layers.draw(rng, N, D) for _ in range(self.times))

    def draw_for_evaluation(self, rng: np.random.Generator, N: int, D: int) -> Any:
        return tuple(self.layers.draw_for_evaluation(rng, N, D) for _ in range(self.times))

    def update_state(self, ops: MatrixOps[M], state: Tree, cache: Tree) -> Tree:
        for c in cache:
            state = self.layers.update_state(ops, state, c)
        return state
