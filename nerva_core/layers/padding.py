"""Sequences of several lengths in one matrix: what a short one is filled up with counts for nothing in attention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.algebra.registry import Natural
from nerva_core.algebra.trees import Tree
from nerva_core.layers.around import Around
from nerva_core.layers.base import LAYERS, Symbols
from nerva_core.layers.sequential import Sequential


@LAYERS.add
@dataclass(frozen=True)
class Padded(Around):
    """Y = f(x; m), m_i = [x_i ≠ ``padding``], for the numbers x of N·L positions: all attention in f is told which of them are there.

    A position that is padding receives nothing from the others and gives nothing to them. Its row of Y is that of no position; a loss
    leaves it out where its label is padding.
    """

    layers: Sequential
    padding: Natural = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", self.layers.with_padding())

    def inner(self) -> Sequential:
        return self.layers

    def can_go_on(self) -> bool:
        return False

    def shape_of_input(self, symbols: Symbols) -> tuple[Size, Size]:
        return super().shape_of_input(symbols)[0], 1

    def feedforward(self, ops: MatrixOps[M], params: Tree, X: M, *noise: Tree) -> tuple[M, Tree]:
        return super().feedforward(ops, params, X, *self._given(ops, X, noise))

    def surrogate(self, ops: MatrixOps[M], params: Tree, X: M, *noise: Tree) -> tuple[M, M | None]:
        return super().surrogate(ops, params, X, *self._given(ops, X, noise))

    def evaluate(self, ops: MatrixOps[M], params: Tree, state: Tree, X: M, *noise: Tree) -> M:
        return super().evaluate(ops, params, state, X, *self._given(ops, X, noise))

    def _given(self, ops: MatrixOps[M], X: M, noise: Tree) -> Any:
        """The noise, and the column m for those that ask for it."""
        N, D = ops.shape(X)
        m = ops.ones(N, 1) - ops.equal(X, ops.full(self.padding, N, 1))
        return self.layers.given_padding(D, noise, m)
