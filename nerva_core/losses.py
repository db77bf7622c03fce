"""Loss functions and their gradients (Nerva specification, section 6).

Y holds the outputs of a batch, T the targets, both N x K; a single example is a batch of one row. ``rows`` gives the loss of
every row, ``value`` that of the batch, ``gradient`` the derivative of ``value`` with respect to Y.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from nerva_core.matrix_ops import M, MatrixOps
from nerva_core.registry import Entry, Table
from nerva_core.softmax import stable_log_softmax, stable_softmax


@dataclass(frozen=True)
class Loss(Entry):
    """L(Y, T), the sum of the losses of the rows unless the loss says otherwise."""

    classification: ClassVar[bool] = True
    """Whether the targets are classes (one-hot or probabilities), so that an accuracy makes sense."""
    mean: ClassVar[bool] = False
    """Whether ``value`` is the mean over the batch; otherwise it is the sum, and training divides it by N."""

    threshold: ClassVar[float] = 0.5
    """With a single output: the value of y above which the class is 1."""

    @abstractmethod
    def rows(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        """The loss of each row, N x 1."""

    @abstractmethod
    def gradient(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        """∇_Y L(Y, T), N x K."""

    def value(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        """L(Y, T), 1 x 1."""
        return ops.columns_sum(self.rows(ops, Y, T))

    def probabilities(self, ops: MatrixOps[M], Y: M) -> M | None:
        """What the outputs say of each class, for a loss that takes them as probabilities or as logits; otherwise None."""
        return None


LOSSES: Table[Loss] = Table("loss", Loss)


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

    aliases = ("MSE",)
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
class CrossEntropy(Loss):
    """-t · log(y)ᵀ for probabilities y; the gradient is -T ⊙ 1/Y (equation 30). A target 0 contributes 0, also where y = 0."""

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
    """-t · log-softmax(y)ᵀ for any targets; the gradient is softmax(Y) ⊙ (T · 1_K · 1_Kᵀ) - T (equation 31)."""

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

    def gradient(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        result: M = stable_softmax(ops, Y) - T
        return result


@LOSSES.add
@dataclass(frozen=True)
class LogisticCrossEntropy(Loss):
    """-t · log(σ(y))ᵀ; the gradient T ⊙ σ(Y) - T is computed as -T ⊙ σ(-Y), which does not cancel (equation 32).

    As printed: targets 0 get no loss and no gradient, so this is not the binary cross-entropy (erratum 004-62).
    """

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

    aliases = ("BCE",)
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
class NegativeLogLikelihood(Loss):
    """-log(y · tᵀ) for probabilities y; the gradient is -(1 / ((Y ⊙ T) · 1_K) · 1_Kᵀ) ⊙ T (equation 33, erratum 004-64)."""

    aliases = ("NLL",)

    def rows(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        result: M = -ops.log(ops.rows_sum(ops.hadamard(Y, T)))
        return result

    def gradient(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        _, K = ops.shape(Y)
        likelihood = ops.rows_sum(ops.hadamard(Y, T))
        result: M = -ops.hadamard(ops.column_repeat(ops.reciprocal(likelihood), K), T)
        return result

    def probabilities(self, ops: MatrixOps[M], Y: M) -> M | None:
        return Y
