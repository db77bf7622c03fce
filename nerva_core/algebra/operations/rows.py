"""Operations on rows: look them up by number, choose the largest element, of windows too, weigh them by attention."""

from __future__ import annotations

import math

from nerva_core.algebra.matrix import M, Scalar, Size
from nerva_core.algebra.operation import BY_MEMBERS, BY_ROWS, operation
from nerva_core.algebra.operations.windows import WindowOps, Windows


def angles(m: int, n: int, base: int) -> list[list[float]]:
    """l · base^(-i/n) for l = 0, ..., m - 1 and i = 0, ..., n - 1."""
    return [[l * base ** (-i / n) for i in range(n)] for l in range(m)]  # noqa: E741, the symbol of the papers


class RowOps(WindowOps[M]):
    """Selections and weights, row by row."""

    @operation(shape=lambda n: (1, n), by=BY_MEMBERS)
    def range_row(self, n: Size) -> M:
        """The row 0, 1, ..., n - 1."""
        return self.constant([range(n)])

    @operation(shape=lambda n: (n, n), by=BY_MEMBERS)
    def lower_ones(self, n: Size) -> M:
        """The n x n matrix with ones on and below the diagonal: the mask under which a position sees itself and what is before it."""
        return self.constant([[int(j <= i) for j in range(n)] for i in range(n)])

    @operation(shape=lambda k, n: (n, 1), by=BY_MEMBERS)
    def first_ones(self, k: Size, n: Size) -> M:
        """The column of n elements of which the first k are 1 and the others 0."""
        return self.constant([[int(i < k)] for i in range(n)])

    @operation(shape=lambda m, n, base: (m, n), by=BY_MEMBERS)
    def sines(self, m: Size, n: Size, base: int) -> M:
        """The m x n matrix of sin(l · base^(-i/n)) for the positions l = 0, 1, ... and the frequencies i = 0, 1, ..."""
        return self.constant([[math.sin(angle) for angle in row] for row in angles(m, n, base)])

    @operation(shape=lambda m, n, base: (m, n), by=BY_MEMBERS)
    def cosines(self, m: Size, n: Size, base: int) -> M:
        """The m x n matrix of cos(l · base^(-i/n)) for the positions l = 0, 1, ... and the frequencies i = 0, 1, ..."""
        return self.constant([[math.cos(angle) for angle in row] for row in angles(m, n, base)])

    @operation(shape="operand", by=BY_ROWS)
    def first_maxima(self, X: M) -> M:
        """The indicator of the first largest element of each row."""
        m, n = self.shape(X)
        largest = self.greater_equal(X, self.column_repeat(self.rows_max(X), n))
        so_far = largest @ self.transpose(self.lower_ones(n))
        return self.hadamard(largest, self.less(so_far, self.full(1.5, m, n)))

    @operation(shape=lambda x, n: (x.rows, n), by=BY_ROWS)
    def one_hot(self, x: M, n: Size) -> M:
        """The m x n indicator of x_i = j, for the column x and j = 0, ..., n - 1."""
        m, _ = self.shape(x)
        return self.equal(self.column_repeat(x, n), self.row_repeat(self.range_row(n), m))

    @operation(shape=lambda E, x: (x.rows, E.columns), work="free", by=BY_ROWS, whole={0})
    def rows_at(self, E: M, x: M) -> M:
        """one_hot(x) · E: the rows of E with the numbers x."""
        n, _ = self.shape(E)
        return self.one_hot(x, n) @ E

    @operation(shape=lambda DY, x, n: (n, DY.columns), by=BY_MEMBERS, adds={"rows"})
    def sums_at_rows(self, DY: M, x: M, n: Size) -> M:
        """one_hot(x)ᵀ · DY: of the rows of DY with the same number, the sum; the adjoint of ``rows_at``."""
        return self.transpose(self.one_hot(x, n)) @ DY

    @operation(shape=lambda X, epsilon: (X.rows, 1), work="definition", by=BY_ROWS)
    def inv_lengths(self, X: M, epsilon: Scalar) -> M:
        """1 / √(x · xᵀ + ε) for each row x: one over its length, which ε keeps from 0."""
        m, _ = self.shape(X)
        return self.inv_sqrt(self.rows_sum(self.hadamard(X, X)) + self.full(epsilon, m, 1))

    @operation(shape=lambda X: (1, 1), work="definition", by=BY_MEMBERS)
    def norm(self, X: M) -> M:
        """‖X‖ = √(sum of the squares of all elements), a 1 x 1 matrix."""
        return self.sqrt(self.elements_sum(self.hadamard(X, X)))

    @operation(work="element", by=BY_ROWS)
    def masked_softmax(self, S: M, mask: M) -> M:
        """E ⊙ (1 / (E · 1) · 1ᵀ) with E = e^S ⊙ mask: the softmax of each row over the places where the mask is not 0."""
        _, n = self.shape(S)
        E = self.hadamard(self.exp(S), mask)
        return self.hadamard(E, self.column_repeat(self.reciprocal(self.rows_sum(E)), n))

    @operation(by=BY_ROWS)
    def softmax_inputs(self, P: M, DP: M) -> M:
        """P ⊙ (DP - ((DP ⊙ P) · 1) · 1ᵀ): the gradient of ⟨DP, P⟩ with respect to S, for P = masked_softmax(S)."""
        _, n = self.shape(P)
        return self.hadamard(P, DP - self.column_repeat(self.rows_sum(self.hadamard(DP, P)), n))

    @operation(shape="definition", work="definition", by={"rows"})
    def pool_max(self, X: M, G: Windows) -> M:
        """The largest element of each window, channel by channel: y_qc = max_u (S_u · X)_qc, N·Q x C."""
        _, C = self.shape(X)
        Y = self.rows_max(self.channel_windows(X, G))
        NQC, _ = self.shape(Y)
        return self.reshape(Y, NQC // C, C)

    @operation(shape="definition", work="definition", by={"rows"})
    def pool_max_inputs(self, X: M, DY: M, G: Windows) -> M:
        """The gradient of ⟨DY, pool_max(X)⟩ with respect to X: an element of DY goes where the first largest element of its window is."""
        _, C = self.shape(X)
        Selected = self.first_maxima(self.channel_windows(X, G))
        NQC, U = self.shape(Selected)
        DZ = self.hadamard(Selected, self.column_repeat(self.reshape(DY, NQC, 1), U))
        return self.channel_fold(DZ, C, G)
