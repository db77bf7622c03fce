"""Hard functions: what a network computes although it has no useful derivative (DAB, sections 5.1 - 5.3).

Adding one is one entry here: a dataclass with its parameters and ``value``, and ``outputs_for`` if it changes the number of columns. It
then runs forward on every backend, inside the layers that train through it (``nerva_core.layers.dab``), and is compared and shown.

A row of X is a sample. Comparisons are those of numbers, so equal elements are treated alike everywhere: a sort is one of values, and
where an order of equals matters (the nearest of two centroids) the first is taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.algebra.memory import Array
from nerva_core.algebra.registry import Count, NonNegative
from nerva_core.equations.hard_function import HARD_FUNCTIONS, HardFunction
from nerva_core.equations.k_means import KMeans

__all__ = ["HARD_FUNCTIONS", "Bernoulli", "Binary", "HardFunction", "ImageSort", "KMeans", "Signum", "Sort", "Threshold", "TopK"]


# Elementwise ----------------------------------------------------------------------------------------------------------


@HARD_FUNCTIONS.add
@dataclass(frozen=True)
class Signum(HardFunction):
    """-1 where x < -ε, 0 where -ε <= x <= ε, 1 where x > ε (equation 11)."""

    epsilon: NonNegative = 0.5

    def value(self, ops: MatrixOps[M], X: M, *noise: M) -> M:
        margin = ops.full(self.epsilon, *ops.shape(X))
        result: M = ops.greater(X, margin) - ops.less(X, -margin)
        return result

    def levels(self) -> int:
        return 3


@HARD_FUNCTIONS.add
@dataclass(frozen=True)
class Threshold(HardFunction):
    """1 where x > τ, 0 elsewhere (the baseline of section 5.2)."""

    tau: float = 0.5

    def value(self, ops: MatrixOps[M], X: M, *noise: M) -> M:
        return ops.greater(X, ops.full(self.tau, *ops.shape(X)))

    def levels(self) -> int:
        return 2


@HARD_FUNCTIONS.add
@dataclass(frozen=True)
class Binary(HardFunction):
    """1 where x >= mean, 0 elsewhere (section 5.2). The mean is that of the sample, of each feature over the batch, or of the batch.

    The paper does not say which (erratum 003-25): only the first does not depend on the other samples. A row of it is never all 0.
    """

    mean: Literal["sample", "feature", "batch"] = "sample"

    def value(self, ops: MatrixOps[M], X: M, *noise: M) -> M:
        N, D = ops.shape(X)
        if self.mean == "sample":
            mean = ops.column_repeat(ops.rows_mean(X), D)
        elif self.mean == "feature":
            mean = ops.row_repeat(ops.columns_mean(X), N)
        else:
            mean = ops.fill(ops.columns_mean(ops.rows_mean(X)), N, D)
        return ops.greater_equal(X, mean)

    def levels(self) -> int:
        return 2


@HARD_FUNCTIONS.add
@dataclass(frozen=True)
class Bernoulli(HardFunction):
    """1 where u < x, 0 elsewhere, with independent u uniform in [0, 1): 1 with probability x.

    x should be in [0, 1], as after a sigmoid: the paper's f(x) must be a probability (erratum 003-26). At inference
    the most probable value, 1 where x > 1/2, or a draw with evaluation="noise".
    """

    evaluation: Literal["mode", "noise"] = "mode"

    def value(self, ops: MatrixOps[M], X: M, *noise: M) -> M:
        U = noise[0] if noise else ops.full(0.5, *ops.shape(X))
        return ops.less(U, X)

    def levels(self) -> int:
        return 2

    def noise_shapes(self, N: Size, D: Size) -> tuple[tuple[Size, Size], ...]:
        return ((N, D),)

    def draw(self, rng: np.random.Generator, N: int, D: int) -> tuple[Array, ...]:
        return (rng.random((N, D)),)

    def draw_for_evaluation(self, rng: np.random.Generator, N: int, D: int) -> tuple[Array, ...]:
        return self.draw(rng, N, D) if self.evaluation == "noise" else ()


# Sorting --------------------------------------------------------------------------------------------------------------


def _in_order(ops: MatrixOps[M], X: M, descending: bool) -> M:
    result: M = -ops.sort_rows(-X) if descending else ops.sort_rows(X)
    return result


@HARD_FUNCTIONS.add
@dataclass(frozen=True)
class Sort(HardFunction):
    """The elements of each sample in ascending or descending order (Sort-1D, section 5.3.1)."""

    descending: bool = False

    def value(self, ops: MatrixOps[M], X: M, *noise: M) -> M:
        return _in_order(ops, X, self.descending)


@HARD_FUNCTIONS.add
@dataclass(frozen=True)
class TopK(HardFunction):
    """The k largest elements of each sample, in descending order (Table 2, with the order that it needs: erratum 003-23)."""

    k: Count

    def value(self, ops: MatrixOps[M], X: M, *noise: M) -> M:
        return ops.take_columns(_in_order(ops, X, descending=True), range(self.k))

    def example_width(self) -> int:
        return 2 * self.k

    def outputs_for(self, D: Size) -> Size:
        if isinstance(D, int) and self.k > D:
            raise NervaError(f"TopK: k must be at most the number of columns {D}, got {self.k}")
        return self.k


@HARD_FUNCTIONS.add
@dataclass(frozen=True)
class ImageSort(HardFunction):
    """sort-row(x) ⊕ sort-col(x): the rows of an image sorted, and beside them its columns sorted (Table 2, erratum 003-22).

    A sample holds C images of height x width, one after the other and row by row; the result has 2 C H W elements. With k only the
    first k of each sorted row and column are kept: the paper's top-k of an image, if descending (erratum 003-23). ``by`` may choose
    one of the two parts.
    """

    height: Count
    width: Count
    by: Literal["both", "rows", "columns"] = "both"
    descending: bool = False
    k: Count | None = None

    def value(self, ops: MatrixOps[M], X: M, *noise: M) -> M:
        N, D = ops.shape(X)
        H, W = self.height, self.width
        channels = D // (H * W)
        if self.by == "rows":
            return self._sorted(ops, X, N * (channels * H), W, N)
        columns = self._sorted(ops, ops.take_columns(X, self._turned(D)), N * (channels * W), H, N)
        return columns if self.by == "columns" else ops.join_columns(self._sorted(ops, X, N * (channels * H), W, N), columns)

    def laid_out(self, ops: MatrixOps[M], X: M) -> M:
        """The image and beside it the image by columns, unsorted. As mere numbers they are those of the output, at no distance."""
        if self.k is not None or self.by == "rows":
            return X
        turned = ops.take_columns(X, self._turned(ops.shape(X)[1]))
        return turned if self.by == "columns" else ops.join_columns(X, turned)

    def _turned(self, D: Size) -> list[int]:
        """The elements of each image by columns."""
        H, W = self.height, self.width
        return [c * H * W + i * W + j for c in range(D // (H * W)) for j in range(W) for i in range(H)]

    def _sorted(self, ops: MatrixOps[M], X: M, m: Size, n: int, N: Size) -> M:
        """The m lines of n elements in X, sorted and cut, again in N rows."""
        lines = _in_order(ops, ops.reshape(X, m, n), self.descending)
        kept = n if self.k is None else min(self.k, n)
        return ops.reshape(lines if kept == n else ops.take_columns(lines, range(kept)), N, self._lines(ops.shape(X)[1], n) * kept)

    def _lines(self, D: int, n: int) -> int:
        return D // n

    def example_width(self) -> int:
        return self.height * self.width

    def outputs_for(self, D: Size) -> Size:
        H, W = self.height, self.width
        if not isinstance(D, int) or D % (H * W):
            raise NervaError(f"ImageSort: the number of columns must be a multiple of height x width = {H} x {W}, got {D}")
        k = max(H, W) if self.k is None else self.k
        rows, columns = self._lines(D, W) * min(k, W), self._lines(D, H) * min(k, H)
        return {"both": rows + columns, "rows": rows, "columns": columns}[self.by]


# Clusters -------------------------------------------------------------------------------------------------------------

HARD_FUNCTIONS.add(KMeans)
