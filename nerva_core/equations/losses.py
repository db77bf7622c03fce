"""Loss functions and their gradients (Nerva specification, section 6): losses whose targets are numbers, and all others by their names.

Y, T and the methods are as in ``nerva_core.equations.loss``; the losses of classes stand in ``nerva_core.equations.classification_losses``.
"""

from __future__ import annotations

from dataclasses import dataclass

from nerva_core.algebra.matrix_ops import M, MatrixOps
from nerva_core.algebra.registry import Positive
from nerva_core.equations.classification_losses import (
    BinaryCrossEntropy,
    CrossEntropy,
    Focal,
    Hinge,
    KLDivergence,
    LabelSmoothing,
    LogisticCrossEntropy,
    NegativeLogLikelihood,
    SequenceCrossEntropy,
    SoftmaxCrossEntropy,
    SoftmaxCrossEntropyOneHot,
    SoftmaxFocal,
)
from nerva_core.equations.ctc import CTC
from nerva_core.equations.loss import LOSSES, Loss

__all__ = [
    "CTC",
    "LOSSES",
    "AbsoluteError",
    "BinaryCrossEntropy",
    "CosineDistance",
    "CrossEntropy",
    "Focal",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LabelSmoothing",
    "LogisticCrossEntropy",
    "Loss",
    "MeanSquaredError",
    "NegativeLogLikelihood",
    "SequenceCrossEntropy",
    "SmoothL1",
    "SoftmaxCrossEntropy",
    "SoftmaxCrossEntropyOneHot",
    "SoftmaxFocal",
    "SquaredError",
]


@LOSSES.add
@dataclass(frozen=True)
class SquaredError(Loss):
    """(y - t)(y - t)ᵀ; the gradient is 2(Y - T) (equation 29)."""

    classification = False

    def rows(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        return ops.rows_sum(ops.hadamard(Y - T, Y - T))

    def gradient(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        result: M = 2 * (Y - T)
        return result


@LOSSES.add
@dataclass(frozen=True)
class MeanSquaredError(Loss):
    """The squared error divided by K N; the gradient, not printed, is 2(Y - T) / (K N) (erratum 004-57)."""

    aliases = ("MSE", "MSELoss")
    classification = False
    mean = True

    def rows(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        return ops.rows_mean(ops.hadamard(Y - T, Y - T))

    def value(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        return ops.columns_mean(self.rows(ops, Y, T))

    def gradient(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        N, K = ops.shape(Y)
        return ops.divide(ops.divide(2 * (Y - T), K), N)


@LOSSES.add
@dataclass(frozen=True)
class AbsoluteError(Loss):
    """|y - t| summed over the outputs; the gradient is sign(Y - T), 0 where y = t."""

    aliases = ("L1", "L1Loss")
    classification = False

    def rows(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        return ops.rows_sum(ops.abs(Y - T))

    def gradient(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        return ops.sign(Y - T)


@LOSSES.add
@dataclass(frozen=True)
class Huber(Loss):
    """e²/2 where |e| <= δ, δ (|e| - δ/2) elsewhere, with e = y - t, summed (Huber 1964); the gradient is sign(e) min(|e|, δ)."""

    aliases = ("HuberLoss",)
    classification = False
    delta: Positive = 1.0

    def rows(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        E, delta = ops.abs(Y - T), ops.full(self.delta, *ops.shape(Y))
        near = ops.minimum(E, delta)
        return ops.rows_sum(ops.hadamard(near, E - near / 2))

    def gradient(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        return ops.hadamard(ops.sign(Y - T), ops.minimum(ops.abs(Y - T), ops.full(self.delta, *ops.shape(Y))))


@LOSSES.add
@dataclass(frozen=True)
class SmoothL1(Loss):
    """The Huber loss with δ = β, divided by β (Girshick 2015): e² / (2β) where |e| <= β, |e| - β/2 elsewhere."""

    aliases = ("SmoothL1Loss",)
    classification = False
    beta: Positive = 1.0

    def rows(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        return Huber(self.beta).rows(ops, Y, T) / self.beta

    def gradient(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        return Huber(self.beta).gradient(ops, Y, T) / self.beta


@LOSSES.add
@dataclass(frozen=True)
class CosineDistance(Loss):
    """1 - u · vᵀ with u = y / |y|, v = t / |t| and |y| = √(y · yᵀ + ε); the gradient is (U ⊙ (u · vᵀ) - V) / |y|, exactly so for ε > 0."""

    classification = False
    epsilon: Positive = 1e-8

    def rows(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        cosine = ops.rows_sum(ops.hadamard(self._unit(ops, Y), self._unit(ops, T)))
        result: M = ops.ones(*ops.shape(cosine)) - cosine
        return result

    def gradient(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        _, K = ops.shape(Y)
        U, V = self._unit(ops, Y), self._unit(ops, T)
        cosine = ops.rows_sum(ops.hadamard(U, V))
        return ops.hadamard(ops.hadamard(U, ops.column_repeat(cosine, K)) - V, ops.column_repeat(ops.inv_lengths(Y, self.epsilon), K))

    def _unit(self, ops: MatrixOps[M], X: M) -> M:
        return ops.hadamard(X, ops.column_repeat(ops.inv_lengths(X, self.epsilon), ops.shape(X)[1]))
