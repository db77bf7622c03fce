"""Residual connections (He et al. 2016)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.algebra.trees import Tree
from nerva_core.layers.around import Around
from nerva_core.layers.base import LAYERS
from nerva_core.layers.continuation import Place
from nerva_core.layers.sequential import Sequential


@LAYERS.add
@dataclass(frozen=True)
class Residual(Around):
    """Y = X + f(X), for layers f that keep the shape of X."""

    layers: Sequential

    def inner(self) -> Sequential:
        return self.layers

    def outputs_for(self, D: Size) -> Size:
        outputs = super().outputs_for(D)
        if isinstance(D, int) and outputs != D:
            raise NervaError(f"Residual: what is added to X must have as many columns as X, but the layers make {outputs} of {D}")
        return outputs

    def feedforward(self, ops: MatrixOps[M], params: Tree, X: M, *noise: Tree) -> tuple[M, Tree]:
        Y, cache = super().feedforward(ops, params, X, *noise)
        return X + Y, cache

    def backpropagate(self, ops: MatrixOps[M], params: Tree, cache: Tree, DY: M) -> tuple[M, Tree]:
        DX, gradients = super().backpropagate(ops, params, cache, DY)
        return DY + DX, gradients

    def surrogate(self, ops: MatrixOps[M], params: Tree, X: M, *noise: Tree) -> tuple[M, M | None]:
        Y, R = super().surrogate(ops, params, X, *noise)
        return X + Y, R

    def can_go_on(self) -> bool:
        return self.layers.can_go_on()

    def go_on(self, ops: MatrixOps[M], params: Tree, state: Tree, past: Any, x: M, place: Place[M]) -> tuple[M, Tree]:
        y, past = super().go_on(ops, params, state, past, x, place)
        return x + y, past

    def evaluate(self, ops: MatrixOps[M], params: Tree, state: Tree, X: M, *noise: Tree) -> M:
        return X + super().evaluate(ops, params, state, X, *noise)
