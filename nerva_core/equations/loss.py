"""The base of loss functions and their table (Nerva specification, section 6).

Y holds the outputs of a batch, T the targets, both N x K; a single example is a batch of one row. ``rows`` gives the loss of
every row, ``value`` that of the batch, ``gradient`` the derivative of ``value`` with respect to Y.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

from nerva_core.algebra.matrix_ops import M, MatrixOps
from nerva_core.algebra.memory import Array
from nerva_core.algebra.registry import Entry, Table


@dataclass(frozen=True)
class Loss(Entry):
    """L(Y, T), the sum of the losses of the rows unless the loss says otherwise."""

    classification: ClassVar[bool] = True
    """Whether the targets are classes (one-hot or probabilities), so that an accuracy makes sense."""
    mean: ClassVar[bool] = False
    """Whether ``value`` is the mean over the batch; otherwise it is the sum, and training divides it by N."""

    skips_padding: ClassVar[bool] = False
    """Whether a row of T that is 0 has no loss and no gradient, whatever the outputs are: it is a position without a target."""

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

    def correct(self, ops: MatrixOps[M], Y: M, T: M, top: int = 1) -> M:
        """The indicator (N x 1) of the rows whose class is predicted: that of the first of the largest outputs, for one-hot targets.

        With a single output the class is 1 where y > threshold, and the target is the class. With ``top`` it is of the rows whose class
        is one of so many with the largest outputs, of equal ones the first. A row of T that is 0 is never correct.
        """
        N, K = ops.shape(Y)
        if K == 1:
            return ops.equal(T, ops.greater(Y, ops.full(self.threshold, N, K)))
        if top > 1:
            return self._among(ops, Y, T, top)
        order = ops.row_repeat(ops.constant([list(range(int(K), 0, -1))]), N)  # the largest where the first column is
        largest = ops.equal(Y, ops.column_repeat(ops.rows_max(Y), K))
        predicted, actual = (ops.rows_max(ops.hadamard(chosen, order)) for chosen in (largest, T))
        return ops.equal(predicted, actual)

    def _among(self, ops: MatrixOps[M], Y: M, T: M, top: int) -> M:
        """``correct``: at least K - top outputs are smaller than that of the target, or equal and after it."""
        N, K = ops.shape(Y)
        place = ops.row_repeat(ops.range_row(K), N)
        y, k = (ops.column_repeat(ops.rows_sum(ops.hadamard(X, T)), K) for X in (Y, place))
        behind = ops.less(Y, y) + ops.hadamard(ops.equal(Y, y), ops.greater(place, k))
        return ops.hadamard(ops.rows_sum(T), ops.greater_equal(ops.rows_sum(behind), ops.full(int(K) - top, N, 1)))

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
        "CategoricalCrossentropy": "CrossEntropy takes probabilities, of Softmax; SoftmaxCrossEntropyOneHot takes logits, of Linear",
        "SparseCategoricalCrossentropy": "labels are class numbers in every loss: SoftmaxCrossEntropyOneHot, or CrossEntropy after Softmax",
        "MeanAbsoluteError": "AbsoluteError, a sum over the outputs",
        "MAE": "AbsoluteError, a sum over the outputs",
        "TripletMarginLoss": "losses compare outputs with targets; the nearest is CosineDistance",
        "PoissonNLLLoss": "the nearest is SquaredError",
        "GaussianNLLLoss": "the nearest is SquaredError",
        "CosineEmbeddingLoss": "the nearest is CosineDistance",
    },
)
