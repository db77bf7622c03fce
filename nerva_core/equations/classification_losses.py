"""Losses whose targets are classes: T is one-hot or holds probabilities (Nerva specification, section 6, and others).

Y, T and the methods are as in ``nerva_core.equations.loss``.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import ClassVar

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import M, MatrixOps
from nerva_core.algebra.registry import Count, Fraction, NonNegative, Positive
from nerva_core.equations.loss import LOSSES, Loss
from nerva_core.equations.softmax import stable_log_softmax, stable_softmax


@LOSSES.add
@dataclass(frozen=True)
class CrossEntropy(Loss):
    """-t · log(y)ᵀ for probabilities y; the gradient is -T ⊙ 1/Y (equation 30). A target 0 contributes 0, also where y = 0."""

    skips_padding = True
    takes = "probabilities"

    def rows(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        return ops.rows_sum(-ops.xlogy(T, Y))

    def gradient(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        result: M = -ops.quotient(T, Y)
        return result

    def probabilities(self, ops: MatrixOps[M], Y: M) -> M | None:
        return Y


@LOSSES.add
@dataclass(frozen=True)
class SoftmaxCrossEntropy(Loss):
    """-t · log-softmax(y)ᵀ for any targets; the gradient is softmax(Y) ⊙ (T · 1_K · 1_Kᵀ) - T (equation 31).

    A row of T that is 0 is padding: it has no loss and no gradient.
    """

    aliases: ClassVar[tuple[str, ...]] = ("CrossEntropyLoss",)
    skips_padding = True
    takes = "logits"

    def rows(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        return ops.rows_sum(-ops.hadamard(T, stable_log_softmax(ops, Y)))

    def gradient(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        _, K = ops.shape(Y)
        result: M = ops.hadamard(stable_softmax(ops, Y), ops.column_repeat(ops.rows_sum(T), K)) - T
        return result

    def probabilities(self, ops: MatrixOps[M], Y: M) -> M | None:
        return stable_softmax(ops, Y)


@LOSSES.add
@dataclass(frozen=True)
class SoftmaxCrossEntropyOneHot(SoftmaxCrossEntropy):
    """The softmax cross-entropy for targets whose rows sum to 1, such as one-hot ones; the gradient is softmax(Y) - T (erratum 004-60)."""

    aliases: ClassVar[tuple[str, ...]] = ()
    skips_padding = False

    def gradient(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        result: M = stable_softmax(ops, Y) - T
        return result


@LOSSES.add
@dataclass(frozen=True)
class LabelSmoothing(SoftmaxCrossEntropy):
    """The softmax cross-entropy for the targets (1 - α) T + (α / K) T · 1_K · 1_Kᵀ (Szegedy et al. 2016, section 7), as PyTorch has it.

    A row of T that sums to 1 is mixed with the equal probabilities 1/K; a row that is 0 stays 0, and is padding.
    """

    aliases: ClassVar[tuple[str, ...]] = ()
    smoothing: Fraction = 0.1

    def rows(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        return super().rows(ops, Y, self._smoothed(ops, T))

    def gradient(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        return super().gradient(ops, Y, self._smoothed(ops, T))

    def _smoothed(self, ops: MatrixOps[M], T: M) -> M:
        _, K = ops.shape(T)
        result: M = (1 - self.smoothing) * T + self.smoothing * ops.divide(ops.column_repeat(ops.rows_sum(T), K), K)
        return result


@LOSSES.add
@dataclass(frozen=True)
class KLDivergence(SoftmaxCrossEntropy):
    """t · (log t - log-softmax(y))ᵀ for targets that are probabilities; the gradient is that of the softmax cross-entropy."""

    aliases: ClassVar[tuple[str, ...]] = ("KLDivLoss",)
    skips_padding = False

    def rows(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        result: M = ops.rows_sum(ops.xlogy(T, T)) + super().rows(ops, Y, T)
        return result


@LOSSES.add
@dataclass(frozen=True)
class Hinge(Loss):
    """max(0, m - y · tᵀ + y_k) for every class k that is not the target, summed and divided by K, with the margin m.

    Weston and Watkins (1999), PyTorch's MultiMarginLoss; a class counts where (1 - t_k)[m - y · tᵀ + y_k > 0] = a_k is 1, and the gradient
    is (A - T ⊙ (A · 1_K · 1_Kᵀ)) / K.
    """

    aliases = ("MultiMarginLoss", "HingeLoss")
    margin: Positive = 1.0

    def rows(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        excess = self._excess(ops, Y, T)
        zero, one = ops.zeros(*ops.shape(Y)), ops.ones(*ops.shape(Y))
        return ops.rows_mean(ops.hadamard(one - T, ops.maximum(excess, zero)))

    def gradient(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        (N, K), one = ops.shape(Y), ops.ones(*ops.shape(Y))
        A = ops.hadamard(one - T, ops.greater(self._excess(ops, Y, T), ops.zeros(N, K)))
        return ops.divide(A - ops.hadamard(T, ops.column_repeat(ops.rows_sum(A), K)), K)

    def _excess(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        """m - y · tᵀ + y_k."""
        N, K = ops.shape(Y)
        result: M = Y + (ops.full(self.margin, N, K) - ops.column_repeat(ops.rows_sum(ops.hadamard(Y, T)), K))
        return result


@LOSSES.add
@dataclass(frozen=True)
class LogisticCrossEntropy(Loss):
    """-t · log(σ(y))ᵀ; the gradient T ⊙ σ(Y) - T is computed as -T ⊙ σ(-Y), which does not cancel (equation 32).

    As printed: targets 0 get no loss and no gradient, so this is not the binary cross-entropy (erratum 004-62).
    """

    takes = "logits"
    threshold = 0.0

    def rows(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        return ops.rows_sum(-ops.hadamard(T, ops.log_sigmoid(Y)))

    def gradient(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        result: M = -ops.hadamard(T, ops.sigmoid(-Y))
        return result

    def probabilities(self, ops: MatrixOps[M], Y: M) -> M | None:
        return ops.sigmoid(Y)


@LOSSES.add
@dataclass(frozen=True)
class BinaryCrossEntropy(Loss):
    """-t · log σ(y)ᵀ - (1 - t) · log σ(-y)ᵀ for logits y and targets in [0, 1]; the gradient is σ(Y) - T (erratum 004-62)."""

    aliases = ("BCE", "BCEWithLogitsLoss")
    takes = "logits"
    threshold = 0.0

    def rows(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        one = ops.ones(*ops.shape(T))
        return ops.rows_sum(-ops.hadamard(T, ops.log_sigmoid(Y)) - ops.hadamard(one - T, ops.log_sigmoid(-Y)))

    def gradient(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        result: M = ops.sigmoid(Y) - T
        return result

    def probabilities(self, ops: MatrixOps[M], Y: M) -> M | None:
        return ops.sigmoid(Y)


@LOSSES.add
@dataclass(frozen=True)
class Focal(Loss):
    """-α t · (σ(-y)^γ ⊙ log σ(y))ᵀ - (1 - α) (1 - t) · (σ(y)^γ ⊙ log σ(-y))ᵀ for logits y (Lin et al. 2017, section 3.2).

    The gradient is α T ⊙ g(Y) - (1 - α)(1 - T) ⊙ g(-Y) with g(y) = σ(-y)^γ (γ σ(y) log σ(y) - σ(-y)).
    """

    aliases = ("FocalLoss", "BinaryFocalCrossentropy")
    takes = "logits"
    threshold = 0.0
    gamma: NonNegative = 2.0
    alpha: Fraction = 0.25

    def rows(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        one = ops.ones(*ops.shape(T))
        of_one, of_zero = (ops.hadamard(self._power(ops, Z), ops.log_sigmoid(Z)) for Z in (Y, -Y))
        return ops.rows_sum(-self.alpha * ops.hadamard(T, of_one) - (1 - self.alpha) * ops.hadamard(one - T, of_zero))

    def gradient(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        one = ops.ones(*ops.shape(T))
        of_one, of_zero = ops.hadamard(T, self._slope(ops, Y)), ops.hadamard(one - T, self._slope(ops, -Y))
        result: M = self.alpha * of_one - (1 - self.alpha) * of_zero
        return result

    def probabilities(self, ops: MatrixOps[M], Y: M) -> M | None:
        return ops.sigmoid(Y)

    def _power(self, ops: MatrixOps[M], Y: M) -> M:
        """σ(-y)^γ, which does not cancel."""
        return ops.exp(self.gamma * ops.log_sigmoid(-Y))

    def _slope(self, ops: MatrixOps[M], Y: M) -> M:
        """g(Y)."""
        entropy = ops.hadamard(ops.sigmoid(Y), ops.log_sigmoid(Y))
        return ops.hadamard(self._power(ops, Y), self.gamma * entropy - ops.sigmoid(-Y))


@LOSSES.add
@dataclass(frozen=True)
class SoftmaxFocal(SoftmaxCrossEntropy):
    """-t · ((1 - p)^γ ⊙ log p)ᵀ with p = softmax(y) and γ = 1, 2, ...: the focal loss of several classes (Lin et al. 2017, section 3).

    The gradient is G - P ⊙ (G · 1_K · 1_Kᵀ) with G = T ⊙ (1 - P)^(γ-1) ⊙ (γ P ⊙ log P - (1 - P)).
    """

    aliases: ClassVar[tuple[str, ...]] = ("CategoricalFocalCrossentropy",)
    gamma: Count = 2

    def rows(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        modulated = ops.hadamard(self._power(ops, Y, self.gamma), stable_log_softmax(ops, Y))
        return ops.rows_sum(-ops.hadamard(T, modulated))

    def gradient(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        (_, K), P = ops.shape(Y), stable_softmax(ops, Y)
        slope = self.gamma * ops.hadamard(P, stable_log_softmax(ops, Y)) - self._power(ops, Y, 1)
        G = ops.hadamard(T, ops.hadamard(self._power(ops, Y, self.gamma - 1), slope))
        result: M = G - ops.hadamard(P, ops.column_repeat(ops.rows_sum(G), K))
        return result

    def _power(self, ops: MatrixOps[M], Y: M, n: int) -> M:
        """(1 - P)^n."""
        one = ops.ones(*ops.shape(Y))
        return functools.reduce(ops.hadamard, [one - stable_softmax(ops, Y)] * n, one)


@LOSSES.add
@dataclass(frozen=True)
class NegativeLogLikelihood(Loss):
    """-log(y · tᵀ) for probabilities y; the gradient is -(1 / ((Y ⊙ T) · 1_K) · 1_Kᵀ) ⊙ T (equation 33, erratum 004-64).

    Also where the likelihood is 0: a target 0 has the gradient 0, any other one -∞.
    """

    aliases = ("NLL",)
    takes = "probabilities"

    def rows(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        result: M = -ops.log(ops.rows_sum(ops.hadamard(Y, T)))
        return result

    def gradient(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        _, K = ops.shape(Y)
        likelihood = ops.rows_sum(ops.hadamard(Y, T))
        result: M = -ops.quotient(T, ops.column_repeat(likelihood, K))
        return result

    def probabilities(self, ops: MatrixOps[M], Y: M) -> M | None:
        return Y


@LOSSES.add
@dataclass(frozen=True)
class SequenceCrossEntropy(Loss):
    """The softmax cross-entropy of each position of a sequence, summed: -Σ_p t_p · log-softmax(y_p)ᵀ (DAB, section 5.1).

    A row of Y is the logits y_1, y_2, ... of the positions, ``classes`` numbers each, and a row of T their targets; the gradient is
    softmax(y_p) (t_p · 1) - t_p in the place of y_p. The columns must be a multiple of ``classes``.
    """

    classification = False  # there are several classes at once
    classes: Count

    def example_width(self) -> int:
        return 2 * self.classes

    def rows(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        (N, K), k = ops.shape(Y), self.classes
        positions = SoftmaxCrossEntropy().rows(ops, self._positions(ops, Y), self._positions(ops, T))
        return ops.rows_sum(ops.reshape(positions, N, K // k))

    def gradient(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        return ops.reshape(SoftmaxCrossEntropy().gradient(ops, self._positions(ops, Y), self._positions(ops, T)), *ops.shape(Y))

    def _positions(self, ops: MatrixOps[M], Y: M) -> M:
        """A row for each position of each sample."""
        (N, K), k = ops.shape(Y), self.classes
        if isinstance(K, int) and K % k:
            raise NervaError(f"SequenceCrossEntropy: the columns must be a multiple of the {k} classes, got {K}")
        return ops.reshape(Y, N * (K // k), k)
