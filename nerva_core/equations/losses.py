"""Loss functions and their gradients (Nerva specification, section 6).

Y holds the outputs of a batch, T the targets, both N x K; a single example is a batch of one row. ``rows`` gives the loss of
every row, ``value`` that of the batch, ``gradient`` the derivative of ``value`` with respect to Y.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import M, MatrixOps
from nerva_core.algebra.memory import Array
from nerva_core.algebra.registry import Count, Entry, Positive, Table
from nerva_core.equations.softmax import stable_log_softmax, stable_softmax


@dataclass(frozen=True)
class Loss(Entry):
    """L(Y, T), the sum of the losses of the rows unless the loss says otherwise."""

    classification: ClassVar[bool] = True
    """Whether the targets are classes (one-hot or probabilities), so that an accuracy makes sense."""
    mean: ClassVar[bool] = False
    """Whether ``value`` is the mean over the batch; otherwise it is the sum, and training divides it by N."""

    takes: ClassVar[Literal["numbers", "probabilities", "logits"]] = "numbers"
    """What the outputs of a network are to the loss, which the last layer must give."""
    threshold: ClassVar[float] = 0.5
    """With a single output: the value of y above which the class is 1."""

    def example_width(self) -> int | None:
        """A number of columns that the loss takes, if it does not take every one."""
        return None

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

    def correct(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        """The indicator (N x 1) of the rows whose class is predicted: that of the first of the largest outputs, for one-hot targets.

        With a single output the class is 1 where y > threshold, and the target is the class.
        """
        N, K = ops.shape(Y)
        if K == 1:
            return ops.equal(T, ops.greater(Y, ops.full(self.threshold, N, K)))
        order = ops.row_repeat(ops.constant([list(range(int(K), 0, -1))]), N)  # the largest where the first column is
        largest = ops.equal(Y, ops.column_repeat(ops.rows_max(Y), K))
        predicted, actual = (ops.rows_max(ops.hadamard(chosen, order)) for chosen in (largest, T))
        return ops.equal(predicted, actual)

    def classes_of(self, Y: Array) -> Array:
        """The predicted classes of the rows, as ``correct`` has them."""
        classes: Array = Y.argmax(axis=1) if Y.shape[1] > 1 else (Y[:, 0] > self.threshold).astype(int)
        return classes


LOSSES: Table[Loss] = Table(
    "loss",
    Loss,
    elsewhere={
        "NLLLoss": "NegativeLogLikelihood takes probabilities, of Softmax; for logarithms of them use LogSoftmax with SoftmaxCrossEntropy",
        "BCELoss": "BinaryCrossEntropy takes logits, of Linear without Sigmoid",
        "SmoothL1Loss": "it is Huber(delta=...) divided by delta",
        "KLDivLoss": "its gradient is that of the cross-entropy: SoftmaxCrossEntropy",
        "HingeLoss": "the nearest is SoftmaxCrossEntropy",
        "CosineEmbeddingLoss": "the nearest is CosineDistance",
    },
)


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
class CrossEntropy(Loss):
    """-t · log(y)ᵀ for probabilities y; the gradient is -T ⊙ 1/Y (equation 30). A target 0 contributes 0, also where y = 0."""

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

    def gradient(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        result: M = stable_softmax(ops, Y) - T
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
        return ops.hadamard(ops.hadamard(U, ops.column_repeat(cosine, K)) - V, ops.column_repeat(self._inv_length(ops, Y), K))

    def _unit(self, ops: MatrixOps[M], X: M) -> M:
        return ops.hadamard(X, ops.column_repeat(self._inv_length(ops, X), ops.shape(X)[1]))

    def _inv_length(self, ops: MatrixOps[M], X: M) -> M:
        N, _ = ops.shape(X)
        return ops.inv_sqrt(ops.rows_sum(ops.hadamard(X, X)) + self.epsilon * ops.ones(N, 1))


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
