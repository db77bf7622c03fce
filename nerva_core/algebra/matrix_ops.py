"""The matrix operations in which every equation of this library is written (Nerva specification, section 3, Table 1).

``MatrixOps`` is the one interface between the equations and what they are run on: NumPy, JAX, PyTorch and TensorFlow
arrays (``backends/``), SymPy matrices and matrices of symbolic size (``sympy_validation/``). Abstract methods are the
primitives; every other method has a body that *is* its definition. An implementation may override a definition with a
fused or numerically stable form; the conformance tests hold every override against the definition.

Conventions:

* Every value is a matrix, of shape (rows, columns). A column vector is m x 1, a row vector 1 x n, a scalar 1 x 1.
* Nothing broadcasts: both operands of an elementwise operation have the same shape.
* Between matrices, layer code uses the operators ``@``, ``+`` and ``-``, and ``c * X``, ``X / c`` and ``-X`` with a
  number c: they mean the same in every interpretation. The elementwise product is ``hadamard``, never ``*``.
* A size (the N of N rows) may be unknown when a step is compiled, so it multiplies a matrix only through ``scale`` and ``divide``.
* Comparisons give a matrix of zeros and ones in the dtype of their operands: the indicator of the condition.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeAlias, TypeVar

from nerva_core.algebra.errors import did_you_mean

Size: TypeAlias = Any
"""A number of rows or columns: an int, or a symbol where an equation is treated for all sizes."""

Scalar: TypeAlias = Any
"""A real number: a float, or a symbol."""


class Matrix(Protocol):
    """What a value of an interpretation must support natively."""

    def __add__(self, other: Any, /) -> Any: ...
    def __sub__(self, other: Any, /) -> Any: ...
    def __neg__(self) -> Any: ...
    def __matmul__(self, other: Any, /) -> Any: ...
    def __rmul__(self, other: Any, /) -> Any: ...
    def __truediv__(self, other: Any, /) -> Any: ...


M = TypeVar("M", bound=Matrix)


class MatrixOps(ABC, Generic[M]):
    """Table 1 of the Nerva specification, and what the other papers need beyond it. X, Y are m x n, Z is n x k."""

    if not TYPE_CHECKING:  # a checker finds the name itself

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_"):
                raise AttributeError(name)
            known = [each for each in dir(MatrixOps) if not each.startswith("_")]
            raise AttributeError(f"there is no operation {name!r}; {did_you_mean(name, known)}")

    # Sizes and constants ----------------------------------------------------------------------------------------------

    @abstractmethod
    def shape(self, X: M) -> tuple[Size, Size]:
        """(m, n)."""

    @abstractmethod
    def full(self, c: Scalar, m: Size, n: Size) -> M:
        """The m x n matrix whose elements are all c."""

    @abstractmethod
    def identity(self, n: Size) -> M:
        """The n x n identity matrix."""

    @abstractmethod
    def constant(self, rows: Sequence[Sequence[Scalar]]) -> M:
        """The matrix whose rows are the given numbers."""

    def unit(self, j: int, n: int) -> M:
        """e_j for j = 0, 1, ..., n - 1: column j of the n x n identity matrix."""
        return self.constant([[int(i == j)] for i in range(n)])

    def shift(self, n: Size, o: int) -> M:
        """S_o, the n x n matrix with ones on the diagonal o = column - row, so that (S_o)_{i,i+o} = 1; S_0 is the identity matrix."""
        return self.constant([[int(j == i + o) for j in range(n)] for i in range(n)])

    def zeros(self, m: Size, n: Size = 1) -> M:
        """The m x n matrix of zeros; a column vector without n."""
        return self.full(0, m, n)

    def ones(self, m: Size, n: Size = 1) -> M:
        """The m x n matrix of ones; a column vector without n."""
        return self.full(1, m, n)

    # Products, sums and the transpose ---------------------------------------------------------------------------------

    @abstractmethod
    def transpose(self, X: M) -> M:
        """Xᵀ."""

    @abstractmethod
    def hadamard(self, X: M, Y: M) -> M:
        """X ⊙ Y, the elementwise product."""

    def add(self, X: M, Y: M) -> M:
        """X + Y."""
        result: M = X + Y
        return result

    def subtract(self, X: M, Y: M) -> M:
        """X - Y."""
        result: M = X - Y
        return result

    def negate(self, X: M) -> M:
        """-X."""
        result: M = -X
        return result

    def matmul(self, X: M, Z: M) -> M:
        """X · Z."""
        result: M = X @ Z
        return result

    def scale(self, c: Scalar | Size, X: M) -> M:
        """c X, where c is a number or a size."""
        result: M = c * X
        return result

    def divide(self, X: M, c: Scalar | Size) -> M:
        """X / c, where c is a number or a size."""
        result: M = X / c
        return result

    def dot(self, x: M, y: M) -> M:
        """The dot product of two columns (xᵀ y) or two rows (x yᵀ), a 1 x 1 matrix."""
        return self.elements_sum(self.hadamard(x, y))

    def shift_columns(self, X: M, o: int) -> M:
        """X · S_o: column j is column j - o of X, and 0 if there is none."""
        _, n = self.shape(X)
        result: M = X @ self.shift(n, o)
        return result

    # Diagonals --------------------------------------------------------------------------------------------------------

    @abstractmethod
    def diag(self, X: M) -> M:
        """The diagonal of the square matrix X, a column vector."""

    @abstractmethod
    def Diag(self, x: M) -> M:
        """The diagonal matrix with the row or column vector x as its diagonal."""

    # Repetition and reduction -----------------------------------------------------------------------------------------

    def column_repeat(self, x: M, n: Size) -> M:
        """x · 1ₙᵀ: n copies of the column vector x."""
        result: M = x @ self.ones(1, n)
        return result

    def row_repeat(self, x: M, m: Size) -> M:
        """1ₘ · x: m copies of the row vector x."""
        result: M = self.ones(m, 1) @ x
        return result

    def fill(self, x: M, m: Size, n: Size) -> M:
        """1ₘ · x · 1ₙᵀ: the m x n matrix that repeats the 1 x 1 matrix x."""
        return self.row_repeat(self.column_repeat(x, n), m)

    def columns_sum(self, X: M) -> M:
        """1ₘᵀ · X: the row vector of the sums of the columns."""
        m, _ = self.shape(X)
        result: M = self.ones(1, m) @ X
        return result

    def rows_sum(self, X: M) -> M:
        """X · 1ₙ: the column vector of the sums of the rows."""
        _, n = self.shape(X)
        result: M = X @ self.ones(n, 1)
        return result

    def elements_sum(self, X: M) -> M:
        """1ₘᵀ · X · 1ₙ: the sum of all elements, a 1 x 1 matrix."""
        return self.columns_sum(self.rows_sum(X))

    def columns_mean(self, X: M) -> M:
        """(1ₘᵀ · X) / m (printed with /n: erratum 004-01)."""
        m, _ = self.shape(X)
        return self.divide(self.columns_sum(X), m)

    def rows_mean(self, X: M) -> M:
        """(X · 1ₙ) / n (printed with /m: erratum 004-02)."""
        _, n = self.shape(X)
        return self.divide(self.rows_sum(X), n)

    @abstractmethod
    def rows_max(self, X: M) -> M:
        """The column vector of the largest element of each row."""

    def columns_max(self, X: M) -> M:
        """The row vector of the largest element of each column."""
        return self.transpose(self.rows_max(self.transpose(X)))

    # Rearrangement ----------------------------------------------------------------------------------------------------

    @abstractmethod
    def reshape(self, X: M, m: Size, n: Size) -> M:
        """The m x n matrix with the elements of X, both read row by row."""

    @abstractmethod
    def take_columns(self, X: M, columns: Sequence[int]) -> M:
        """The columns of X with the given numbers, in that order; one may be taken several times."""

    @abstractmethod
    def join_columns(self, X: M, Y: M) -> M:
        """[X Y], the columns of X and then those of Y."""

    def sort_rows(self, X: M) -> M:
        """The elements of each row in ascending order.

        Defined by the sorting network that compares neighbours, n times: the pairs (1, 2), (3, 4), ... and (2, 3), (4, 5), ... in turn.
        """
        _, n = self.shape(X)
        for step in range(n):
            first = range(step % 2, n - 1, 2)
            partner = [j + 1 if j in first else j - 1 if j - 1 in first else j for j in range(n)]
            Y = self.take_columns(X, partner)
            both = self.join_columns(self.minimum(X, Y), self.maximum(X, Y))
            X = self.take_columns(both, [n + j if j - 1 in first else j for j in range(n)])
        return X

    # Differentiation --------------------------------------------------------------------------------------------------

    def stop_gradient(self, X: M) -> M:
        """X, as a constant wherever something is differentiated: what a surrogate holds fixed. The training equations do not use it."""
        return X

    # Elementwise functions --------------------------------------------------------------------------------------------

    def apply(self, f: Callable[[MatrixOps[M], M], M], X: M) -> M:
        """f(X), where f is an elementwise function written in matrix operations, such as an activation."""
        return f(self, X)

    @abstractmethod
    def exp(self, X: M) -> M:
        """e^X."""

    @abstractmethod
    def log(self, X: M) -> M:
        """The natural logarithm."""

    @abstractmethod
    def reciprocal(self, X: M) -> M:
        """1 / X."""

    @abstractmethod
    def sqrt(self, X: M) -> M:
        """√X."""

    def inv_sqrt(self, X: M) -> M:
        """X^(-1/2). A stabilising epsilon is part of the equation that needs one, not of this operation (erratum 004-04)."""
        return self.reciprocal(self.sqrt(X))

    @abstractmethod
    def arctan(self, X: M) -> M:
        """The angle in (-π/2, π/2) whose tangent is x."""

    @abstractmethod
    def normal_cdf(self, X: M) -> M:
        """Φ(x), the distribution function of the standard normal distribution."""

    @abstractmethod
    def normal_pdf(self, X: M) -> M:
        """φ(x) = e^(-x²/2) / √(2π), its density."""

    def expm1(self, X: M) -> M:
        """e^X - 1."""
        result: M = self.exp(X) - self.ones(*self.shape(X))
        return result

    def log1p(self, X: M) -> M:
        """log(1 + X)."""
        return self.log(self.ones(*self.shape(X)) + X)

    def sigmoid(self, X: M) -> M:
        """σ(x) = 1 / (1 + e⁻ˣ)."""
        return self.reciprocal(self.ones(*self.shape(X)) + self.exp(-X))

    def log_sigmoid(self, X: M) -> M:
        """log σ(x)."""
        return self.log(self.sigmoid(X))

    def softplus(self, X: M) -> M:
        """log(1 + eˣ)."""
        return self.log(self.ones(*self.shape(X)) + self.exp(X))

    def tanh(self, X: M) -> M:
        """(eˣ - e⁻ˣ) / (eˣ + e⁻ˣ)."""
        return self.hadamard(self.exp(X) - self.exp(-X), self.reciprocal(self.exp(X) + self.exp(-X)))

    def xlogy(self, X: M, Y: M) -> M:
        """X ⊙ log Y; where x = 0 the value is 0, also for y = 0."""
        return self.hadamard(X, self.log(Y))

    def quotient(self, X: M, Y: M) -> M:
        """X ⊙ (1 / Y); where x = 0 the value is 0, also for y = 0."""
        return self.hadamard(X, self.reciprocal(Y))

    # Comparisons and choice -------------------------------------------------------------------------------------------

    @abstractmethod
    def less(self, X: M, Y: M) -> M:
        """The indicator of x < y."""

    def less_equal(self, X: M, Y: M) -> M:
        """The indicator of x <= y."""
        result: M = self.ones(*self.shape(X)) - self.less(Y, X)
        return result

    def greater(self, X: M, Y: M) -> M:
        """The indicator of x > y."""
        return self.less(Y, X)

    def greater_equal(self, X: M, Y: M) -> M:
        """The indicator of x >= y."""
        return self.less_equal(Y, X)

    def equal(self, X: M, Y: M) -> M:
        """The indicator of x = y."""
        return self.hadamard(self.less_equal(X, Y), self.less_equal(Y, X))

    def where(self, C: M, X: M, Y: M) -> M:
        """C ⊙ X + (1 - C) ⊙ Y: x where the indicator C is 1, y where it is 0."""
        result: M = self.hadamard(C, X) + self.hadamard(self.ones(*self.shape(C)) - C, Y)
        return result

    def maximum(self, X: M, Y: M) -> M:
        """The larger of x and y."""
        return self.where(self.less(X, Y), Y, X)

    def minimum(self, X: M, Y: M) -> M:
        """The smaller of x and y."""
        return self.where(self.less(X, Y), X, Y)

    def abs(self, X: M) -> M:
        """|x|."""
        return self.where(self.less(X, self.zeros(*self.shape(X))), -X, X)

    def sign(self, X: M) -> M:
        """-1, 0 or 1."""
        zero = self.zeros(*self.shape(X))
        result: M = self.less(zero, X) - self.less(X, zero)
        return result

    def clip(self, X: M, low: Scalar, high: Scalar) -> M:
        """min(max(x, low), high); a bound that is infinite is none."""
        m, n = self.shape(X)
        above = X if isinstance(low, float) and low == -math.inf else self.maximum(X, self.full(low, m, n))
        return above if isinstance(high, float) and high == math.inf else self.minimum(above, self.full(high, m, n))

    # Step functions ---------------------------------------------------------------------------------------------------

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
        result: M = self.transpose(self.unit(j, m)) @ X
        return result
