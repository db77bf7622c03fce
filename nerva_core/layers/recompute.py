"""Gradient checkpointing (Griewank and Walther 2000; Chen et al. 2016): less memory for a second forward pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, NamedTuple

from nerva_core.algebra.matrix_ops import M, MatrixOps
from nerva_core.algebra.trees import Tree, leaves
from nerva_core.layers.around import Around
from nerva_core.layers.base import LAYERS
from nerva_core.layers.sequential import Sequential


class RecomputeCache(NamedTuple, Generic[M]):
    """The arguments of f: X is N x D; and the penalty R, 1 x 1, if f has one."""

    params: Tree
    X: M
    given: tuple[Any, ...]
    R: tuple[M, ...]


@LAYERS.add
@dataclass(frozen=True)
class Recompute(Around):
    """Y = f(X), of which X alone is kept: the backward pass computes f(X), and with it the cache of f, again.

    The results are those of f. A network of n layers, in groups of √n that are recomputed, keeps about 2 √n caches in place of n.
    """

    layers: Sequential

    def inner(self) -> Sequential:
        return self.layers

    def feedforward(self, ops: MatrixOps[M], params: Tree, X: M, *noise: Tree) -> tuple[M, RecomputeCache[M]]:
        Y, cache = super().feedforward(ops, params, X, *noise)
        R = super().penalty(ops, cache)
        return Y, RecomputeCache(params, X, noise, () if R is None else (R,))

    def backpropagate(self, ops: MatrixOps[M], params: Tree, cache: RecomputeCache[M], DY: M) -> tuple[M, Tree]:
        return super().backpropagate(ops, params, self._cache(ops, cache), DY)

    def penalty(self, ops: MatrixOps[M], cache: RecomputeCache[M]) -> M | None:
        return cache.R[0] if cache.R else None

    def update_state(self, ops: MatrixOps[M], state: Tree, cache: RecomputeCache[M]) -> Tree:
        return super().update_state(ops, state, self._cache(ops, cache)) if any(True for _ in leaves(state)) else state

    def can_go_on(self) -> bool:
        return self.layers.can_go_on()

    def _cache(self, ops: MatrixOps[M], kept: RecomputeCache[M]) -> Any:
        """The cache of f, by f(X) again."""
        params, X, given, _ = kept
        return super().feedforward(ops, params, ops.again(X), *given)[1]
