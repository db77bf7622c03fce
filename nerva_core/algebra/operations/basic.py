"""Sizes, constants, products, sums, diagonals, repetition and rearrangement."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic

from nerva_core.algebra.matrix import M, Scalar, Shape, Size
from nerva_core.algebra.operation import BY_COLUMNS, BY_MEMBERS, BY_ROWS, fit, operation


def _product(X: Shape, Z: Shape) -> tuple[Size, Size]:
    fit(X.columns == Z.rows, f"shapes {X} and {Z} do not fit: {X.columns} columns, {Z.rows} rows")
    return X.rows, Z.columns


def _side_by_side(X: Shape, Y: Shape) -> tuple[Size, Size]:
    fit(X.rows == Y.rows, f"shapes {X} and {Y} do not fit: {X.rows} and {Y.rows} rows")
    return X.rows, X.columns + Y.columns


def _diagonal(x: Shape) -> tuple[Size, Size]:
    n = x.rows if x.columns == 1 else x.columns
    return n, n


ROW = ("a row vector", lambda x: x.rows == 1)
COLUMN = ("a column vector", lambda x: x.columns == 1)


class BasicOps(ABC, Generic[M]):
    """Linear algebra on matrices. X, Y are m x n, Z is n x k."""

    # Sizes and constants ----------------------------------------------------------------------------------------------

    @abstractmethod
    def shape(self, X: M) -> tuple[Size, Size]:
        """(m, n); of a family, those of a member."""

    def size_power(self, n: Size, e: float) -> Scalar:
        """n^e, a number."""
        return n**e

    @abstractmethod
    @operation(shape=lambda c, m, n: (m, n), by=BY_MEMBERS)
    def full(self, c: Scalar, m: Size, n: Size) -> M:
        """The m x n matrix whose elements are all c."""

    @abstractmethod
    @operation(shape=lambda n: (n, n), by=BY_MEMBERS)
    def identity(self, n: Size) -> M:
        """The n x n identity matrix."""

    @abstractmethod
    @operation(shape=lambda rows: (len(rows), len(rows[0])), by=BY_MEMBERS)
    def constant(self, rows: Sequence[Sequence[Scalar]]) -> M:
        """The matrix whose rows are the given numbers."""

    @operation(shape=lambda j, n: (n, 1), by=BY_MEMBERS)
    def unit(self, j: int, n: int) -> M:
        """e_j for j = 0, 1, ..., n - 1: column j of the n x n identity matrix."""
        return self.constant([[int(i == j)] for i in range(n)])

    @operation(shape=lambda n, o: (n, n), by=BY_MEMBERS)
    def shift(self, n: Size, o: int) -> M:
        """S_o, the n x n matrix with ones on the diagonal o = column - row, so that (S_o)_{i,i+o} = 1; S_0 is the identity matrix."""
        return self.constant([[int(j == i + o) for j in range(n)] for i in range(n)])

    @operation(shape="definition", by=BY_MEMBERS)
    def zeros(self, m: Size, n: Size = 1) -> M:
        """The m x n matrix of zeros; a column vector without n."""
        return self.full(0, m, n)

    @operation(shape="definition", by=BY_MEMBERS)
    def ones(self, m: Size, n: Size = 1) -> M:
        """The m x n matrix of ones; a column vector without n."""
        return self.full(1, m, n)

    # Products, sums and the transpose ---------------------------------------------------------------------------------

    @abstractmethod
    @operation(shape=lambda X: (X.columns, X.rows), work="free", by=BY_MEMBERS)
    def transpose(self, X: M) -> M:
        """Xᵀ."""

    @abstractmethod
    def hadamard(self, X: M, Y: M) -> M:
        """X ⊙ Y, the elementwise product."""

    def add(self, X: M, Y: M) -> M:
        """X + Y."""
        return X + Y

    def subtract(self, X: M, Y: M) -> M:
        """X - Y."""
        return X - Y

    def negate(self, X: M) -> M:
        """-X."""
        return -X

    @operation(shape=_product, work=lambda X, Z: 2 * X.rows * X.columns * Z.columns, by=BY_MEMBERS)
    def matmul(self, X: M, Z: M) -> M:
        """X · Z."""
        return X @ Z

    def scale(self, c: Scalar | Size, X: M) -> M:
        """c X, where c is a number or a size."""
        result: M = c * X
        return result

    def divide(self, X: M, c: Scalar | Size) -> M:
        """X / c, where c is a number or a size."""
        result: M = X / c
        return result

    @operation(shape=lambda x, y: (1, 1), work="definition", by=BY_MEMBERS, adds={"rows", "columns"})
    def dot(self, x: M, y: M) -> M:
        """The dot product of two columns (xᵀ y) or two rows (x yᵀ), a 1 x 1 matrix."""
        return self.elements_sum(self.hadamard(x, y))

    @operation(work="element", by=BY_ROWS)
    def shift_columns(self, X: M, o: int) -> M:
        """X · S_o: column j is column j - o of X, and 0 if there is none."""
        _, n = self.shape(X)
        return X @ self.shift(n, o)

    # Diagonals --------------------------------------------------------------------------------------------------------

    @abstractmethod
    @operation(shape=lambda X: (X.rows, 1), expects=("a square matrix", lambda X: X.rows == X.columns), work="free", by=BY_MEMBERS)
    def diag(self, X: M) -> M:
        """The diagonal of the square matrix X, a column vector."""

    @abstractmethod
    @operation(shape=_diagonal, expects=("a row or column vector", lambda x: 1 in x[:2]), work="free", by=BY_MEMBERS)
    def Diag(self, x: M) -> M:
        """The diagonal matrix with the row or column vector x as its diagonal."""

    # Repetition and reduction -----------------------------------------------------------------------------------------

    @operation(shape="definition", expects=COLUMN, work="free", by=BY_ROWS)
    def column_repeat(self, x: M, n: Size) -> M:
        """x · 1ₙᵀ: n copies of the column vector x."""
        return x @ self.ones(1, n)

    @operation(shape="definition", expects=ROW, work="free", by=BY_COLUMNS)
    def row_repeat(self, x: M, m: Size) -> M:
        """1ₘ · x: m copies of the row vector x."""
        return self.ones(m, 1) @ x

    @operation(shape="definition", expects=("a 1 x 1 matrix", lambda x: x[:2] == (1, 1)), work="free", by=BY_MEMBERS)
    def fill(self, x: M, m: Size, n: Size) -> M:
        """1ₘ · x · 1ₙᵀ: the m x n matrix that repeats the 1 x 1 matrix x."""
        return self.row_repeat(self.column_repeat(x, n), m)

    @operation(shape="definition", by=BY_COLUMNS, adds={"rows"})
    def columns_sum(self, X: M) -> M:
        """1ₘᵀ · X: the row vector of the sums of the columns."""
        m, _ = self.shape(X)
        return self.ones(1, m) @ X

    @operation(shape="definition", by=BY_ROWS, adds={"columns"})
    def rows_sum(self, X: M) -> M:
        """X · 1ₙ: the column vector of the sums of the rows."""
        _, n = self.shape(X)
        return X @ self.ones(n, 1)

    @operation(shape="definition", by=BY_MEMBERS, adds={"rows", "columns"})
    def elements_sum(self, X: M) -> M:
        """1ₘᵀ · X · 1ₙ: the sum of all elements, a 1 x 1 matrix."""
        return self.columns_sum(self.rows_sum(X))

    @operation(shape="definition", work="definition", by=BY_COLUMNS)
    def columns_mean(self, X: M) -> M:
        """(1ₘᵀ · X) / m (printed with /n: erratum 004-01)."""
        m, _ = self.shape(X)
        return self.divide(self.columns_sum(X), m)

    @operation(shape="definition", work="definition", by=BY_ROWS)
    def rows_mean(self, X: M) -> M:
        """(X · 1ₙ) / n (printed with /m: erratum 004-02)."""
        _, n = self.shape(X)
        return self.divide(self.rows_sum(X), n)

    @abstractmethod
    @operation(shape=lambda X: (X.rows, 1), by=BY_ROWS)
    def rows_max(self, X: M) -> M:
        """The column vector of the largest element of each row."""

    @operation(shape="definition", by=BY_COLUMNS)
    def columns_max(self, X: M) -> M:
        """The row vector of the largest element of each column."""
        return self.transpose(self.rows_max(self.transpose(X)))

    # Rearrangement ----------------------------------------------------------------------------------------------------

    @abstractmethod
    @operation(shape=lambda X, m, n: (m, n), work="free", by=BY_MEMBERS)
    def reshape(self, X: M, m: Size, n: Size) -> M:
        """The m x n matrix with the elements of X, both read row by row."""

    @abstractmethod
    @operation(shape=lambda X, columns: (X.rows, len(columns)), work="free", by=BY_ROWS)
    def take_columns(self, X: M, columns: Sequence[int]) -> M:
        """The columns of X with the given numbers, in that order; one may be taken several times."""

    @abstractmethod
    @operation(shape=_side_by_side, work="free", by=BY_ROWS)
    def join_columns(self, X: M, Y: M) -> M:
        """[X Y], the columns of X and then those of Y."""

    # Evaluation --------------------------------------------------------------------------------------------------------

    @operation(work="free")
    def again(self, X: M) -> M:
        """X. Where a backend can tell its compiler so, what is computed from it is computed another time, though the same of X is known."""
        return X

    # Differentiation --------------------------------------------------------------------------------------------------

    @operation(work="free")
    def stop_gradient(self, X: M) -> M:
        """X, as a constant wherever something is differentiated: what a surrogate holds fixed. The training equations do not use it."""
        return X
