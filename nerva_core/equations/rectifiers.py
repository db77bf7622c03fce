"""Rectifiers and their derivatives: activations that are linear on each of two or three pieces (Nerva specification, section 5).

At a kink the derivative is the one the specification prints, for instance relu'(0) = 1 (frameworks use 0: erratum 004-46).
"""

from __future__ import annotations

from dataclasses import dataclass

from nerva_core.algebra.matrix_ops import M, MatrixOps
from nerva_core.equations.activation import ACTIVATIONS, Activation


@ACTIVATIONS.add
@dataclass(frozen=True)
class ReLU(Activation):
    """max(0, x); the derivative is 0 for x < 0 and 1 otherwise."""

    def value(self, ops: MatrixOps[M], X: M) -> M:
        return ops.maximum(X, ops.zeros(*ops.shape(X)))

    def gradient(self, ops: MatrixOps[M], X: M) -> M:
        return ops.greater_equal(X, ops.zeros(*ops.shape(X)))

    def second_derivative(self, ops: MatrixOps[M], X: M) -> M:
        return ops.zeros(*ops.shape(X))


@ACTIVATIONS.add
@dataclass(frozen=True)
class LeakyReLU(Activation):
    """max(αx, x); the derivative is α for x < αx and 1 otherwise. For α > 1 the slope α is on the side x > 0 (erratum 004-48)."""

    alpha: float = 0.01

    def value(self, ops: MatrixOps[M], X: M) -> M:
        return ops.maximum(self.alpha * X, X)

    def gradient(self, ops: MatrixOps[M], X: M) -> M:
        m, n = ops.shape(X)
        return ops.where(ops.less(X, self.alpha * X), ops.full(self.alpha, m, n), ops.ones(m, n))

    def second_derivative(self, ops: MatrixOps[M], X: M) -> M:
        return ops.zeros(*ops.shape(X))


@ACTIVATIONS.add
@dataclass(frozen=True)
class AllReLU(Activation):
    """αx for x < 0, x otherwise. In a network the sign of α alternates over the layers (section 5): see ``multilayer_perceptron``."""

    alpha: float = 0.01

    def value(self, ops: MatrixOps[M], X: M) -> M:
        return ops.where(ops.less(X, ops.zeros(*ops.shape(X))), self.alpha * X, X)

    def gradient(self, ops: MatrixOps[M], X: M) -> M:
        m, n = ops.shape(X)
        return ops.where(ops.less(X, ops.zeros(m, n)), ops.full(self.alpha, m, n), ops.ones(m, n))

    def second_derivative(self, ops: MatrixOps[M], X: M) -> M:
        return ops.zeros(*ops.shape(X))


def srelu(ops: MatrixOps[M], X: M, al: M, tl: M, ar: M, tr: M) -> M:
    """t_l + a_l (x - t_l) for x <= t_l; x for t_l < x < t_r; t_r + a_r (x - t_r) for x >= t_r. The first case that holds."""
    left = tl + ops.hadamard(al, X - tl)
    right = tr + ops.hadamard(ar, X - tr)
    return ops.where(ops.less_equal(X, tl), left, ops.where(ops.less(X, tr), X, right))


def srelu_gradient(ops: MatrixOps[M], X: M, al: M, tl: M, ar: M, tr: M) -> M:
    """a_l, 1 or a_r, in the same three cases."""
    return ops.where(ops.less_equal(X, tl), al, ops.where(ops.less(X, tr), ops.ones(*ops.shape(X)), ar))


@ACTIVATIONS.add
@dataclass(frozen=True)
class SReLU(Activation):
    """The S-shaped ReLU with fixed parameters; the layer of the same name trains them. These defaults are min(max(x, 0), 1), not ReLU
    (erratum 004-18)."""

    al: float = 0.0
    tl: float = 0.0
    ar: float = 0.0
    tr: float = 1.0

    def value(self, ops: MatrixOps[M], X: M) -> M:
        return srelu(ops, X, *self._constants(ops, X))

    def gradient(self, ops: MatrixOps[M], X: M) -> M:
        return srelu_gradient(ops, X, *self._constants(ops, X))

    def second_derivative(self, ops: MatrixOps[M], X: M) -> M:
        return ops.zeros(*ops.shape(X))

    def _constants(self, ops: MatrixOps[M], X: M) -> tuple[M, M, M, M]:
        m, n = ops.shape(X)
        return ops.full(self.al, m, n), ops.full(self.tl, m, n), ops.full(self.ar, m, n), ops.full(self.tr, m, n)
