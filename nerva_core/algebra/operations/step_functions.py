"""Piecewise constant functions on a grid of points (TMAF)."""

from __future__ import annotations

from collections.abc import Sequence

from nerva_core.algebra.matrix import M, Scalar, Shape, Size
from nerva_core.algebra.operation import BY_MEMBERS, BY_ROWS, fit, operation
from nerva_core.algebra.operations.elementwise import ElementwiseOps


def _values(X: Shape, s: Sequence[Scalar], T: Shape) -> tuple[Size, Size]:
    expected = Shape(len(s) + 1, X.columns)
    fit(expected == T, f"expected values of shape {expected}, a row an interval, got {T}")
    return X.rows, X.columns


class StepFunctionOps(ElementwiseOps[M]):
    """Functions that are constant on intervals, and sums over intervals."""

    @operation(shape=_values, by=BY_ROWS, whole={2})
    def step_function(self, X: M, s: Sequence[Scalar], T: M) -> M:
        """Σ_j (1ₘ · T_j) ⊙ [X in I_j]: of an element x of column k, T_jk with j the number of grid points s < x.

        The grid points s_1 < ... < s_p are the right ends of the intervals I_0 = (-∞, s_1], I_1 = (s_1, s_2], ..., I_p = (s_p, ∞), and
        the rows T_0, ..., T_p of the (p + 1) x n matrix T are the values on them (TMAF, equation 6, with a function for every column).
        """
        m, n = self.shape(X)
        value = self._row(T, 0, len(s) + 1)
        result = self.row_repeat(value, m)
        for j, point in enumerate(s, start=1):
            value, before = self._row(T, j, len(s) + 1), value
            result = result + self.hadamard(self.row_repeat(value - before, m), self.less(self.full(point, m, n), X))
        return result

    @operation(shape=lambda Y, X, s: (len(s) + 1, X.columns), by=BY_MEMBERS, adds={"rows"})
    def interval_sums(self, Y: M, X: M, s: Sequence[Scalar]) -> M:
        """Row j is 1ₘᵀ · (Y ⊙ [X in I_j]): the sums of the columns of Y over the elements whose x is in the interval I_j of the grid s."""
        m, n = self.shape(X)
        above = Y  # Y where x is above the grid points so far
        result = self.zeros(len(s) + 1, n)
        for j, point in enumerate(s):
            rest = self.hadamard(Y, self.less(self.full(point, m, n), X))
            result = result + self.unit(j, len(s) + 1) @ self.columns_sum(above - rest)
            above = rest
        last: M = self.unit(len(s), len(s) + 1) @ self.columns_sum(above)
        return self.add(result, last)

    def _row(self, X: M, j: int, m: int) -> M:
        """e_jᵀ · X, the row j of X, which has m rows."""
        return self.transpose(self.unit(j, m)) @ X
