"""The interpreter: matrix operations that record what the code does, one line an operation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import Scalar
from sympy_validation.all_sizes.symbols import (
    UNIT,
    Dimension,
    Index,
    column_index,
    flat,
    fresh,
    renaming,
    row_index,
)
from sympy_validation.coq.matrices import CoqMatrix, CoqScalar, NotExported, count_of, exact, power, summed
from sympy_validation.coq.rearranging import Rearranging
from sympy_validation.coq.terms import (
    MINUS_ONE,
    ONE,
    Add,
    Apply,
    Element,
    GivenMatrix,
    Kronecker,
    Largest,
    LayerOutput,
    Mul,
    Term,
    marked,
    product,
    renamed,
)
from sympy_validation.spaces.spaces import Kind


@dataclass(frozen=True)
class Declared:
    """A variable: the sizes of its indices, the shape of the matrix, and what is assumed of it."""

    rows: Dimension
    columns: Dimension
    kind: Kind = Kind.REAL

    @property
    def indices(self) -> tuple[Index, ...]:
        """The indices of an element, of rows and then of columns."""
        return tuple(flat(row_index(self.rows), column_index(self.columns)))


@dataclass(frozen=True, eq=False)
class Intervals:
    """Any number of intervals (l_j, r_j], as two columns of arbitrary numbers."""

    left: CoqMatrix
    right: CoqMatrix

    def contains(self, j: Any, x: Term) -> Term:
        """[l_j < x] - [r_j < x], the indicator of x in the interval j."""
        left, right = (below(ends.at(j, UNIT), x) for ends in (self.left, self.right))
        return Add(left, Mul(MINUS_ONE, right))


def below(x: Term, y: Term) -> Term:
    """[x < y]."""
    return Apply("ind", Add(x, Mul(MINUS_ONE, y)))


def deltas(i: Sequence[Index], j: Sequence[Index]) -> Term:
    """1 where all indices are equal."""
    return product(*(Kronecker(a, b) for a, b in zip(i, j, strict=True))) if i else ONE


class CoqOps(Rearranging):
    """Matrix operations whose results are terms."""

    def __init__(self) -> None:
        self.variables: dict[str, Declared] = {}
        self.scalars: dict[str, bool] = {}
        """The scalars, and whether they are positive."""
        self.given: dict[Any, str] = {}
        """The names of the constants of the code, in the place of which any numbers are put."""

    def variable(self, name: str, m: Dimension, n: Dimension, kind: Kind = Kind.REAL) -> CoqMatrix:
        """A matrix of arbitrary real numbers."""
        declared = self.variables.setdefault(name, Declared(m, n, kind))
        return CoqMatrix(m, n, Element(name, declared.indices))

    def any_matrix(self, key: Any, m: Dimension, n: Dimension) -> CoqMatrix:
        """Arbitrary numbers in the place of those with this key: what holds for all of them holds for these."""
        return self.variable(self.given.setdefault(key, f"C{len(self.given) + 1}"), m, n)

    # The primitives.

    def size_power(self, n: Dimension, e: float) -> Scalar:
        exponent = exact(e)
        assert exponent is not None
        return CoqScalar(power(count_of(n), exponent))

    def shape(self, X: CoqMatrix) -> tuple[Dimension, Dimension]:
        return X.rows, X.columns

    def full(self, c: Scalar, m: Dimension, n: Dimension) -> CoqMatrix:
        value = exact(c)
        if value is None:
            raise NotExported(f"a number of type {type(c).__name__}")
        return CoqMatrix(m, n, value)

    def identity(self, n: Dimension) -> CoqMatrix:
        return CoqMatrix(n, n, deltas(flat(row_index(n)), flat(column_index(n))))

    def constant(self, rows: Sequence[Sequence[Scalar]]) -> CoqMatrix:
        return self.any_matrix(tuple(map(tuple, rows)), len(rows), len(rows[0]))

    def shift(self, n: Dimension, o: int) -> CoqMatrix:
        if o <= 0:
            return self.transpose(self.shift(n, -o)) if o else self.identity(n)
        return self.any_matrix(("shift", n, o), n, n)

    def transpose(self, X: CoqMatrix) -> CoqMatrix:
        return CoqMatrix(X.columns, X.rows, X.at(column_index(X.rows), row_index(X.columns)), X.members)

    def hadamard(self, X: CoqMatrix, Y: CoqMatrix) -> CoqMatrix:
        X.check_shape(Y)
        return X.beside(Y).with_entry(Mul(X.entry, Y.entry))

    def diag(self, X: CoqMatrix) -> CoqMatrix:
        return CoqMatrix(X.rows, 1, X.at(X.i, X.i), X.members)

    def Diag(self, x: CoqMatrix) -> CoqMatrix:
        n = x.rows if x.columns == 1 else x.columns
        i = row_index(n)
        entry = x.at(i, UNIT) if x.columns == 1 else x.at(UNIT, i)
        return CoqMatrix(n, n, Mul(deltas(flat(i), flat(column_index(n))), entry))

    def rows_max(self, X: CoqMatrix) -> CoqMatrix:
        k = fresh(X.columns)
        if k == UNIT:
            return X
        if not isinstance(k, Index):
            raise NotExported("the largest element of a row whose length is a product")
        return CoqMatrix(X.rows, 1, Largest(k, X.at(X.i, k)), X.members)

    def stop_gradient(self, X: CoqMatrix) -> CoqMatrix:
        return X.with_entry(marked(X.entry, True))

    def exp(self, X: CoqMatrix) -> CoqMatrix:
        return X.with_entry(Apply("exp", X.entry))

    def log(self, X: CoqMatrix) -> CoqMatrix:
        return X.with_entry(Apply("log", X.entry))

    def reciprocal(self, X: CoqMatrix) -> CoqMatrix:
        return X.with_entry(Apply("reciprocal", X.entry))

    def sqrt(self, X: CoqMatrix) -> CoqMatrix:
        return X.with_entry(Apply("sqrt", X.entry))

    def arctan(self, X: CoqMatrix) -> CoqMatrix:
        return X.with_entry(Apply("arctan", X.entry))

    def normal_cdf(self, X: CoqMatrix) -> CoqMatrix:
        return X.with_entry(Apply("Phi", X.entry))

    def normal_pdf(self, X: CoqMatrix) -> CoqMatrix:
        return X.with_entry(Apply("phi", X.entry))

    def less(self, X: CoqMatrix, Y: CoqMatrix) -> CoqMatrix:
        X.check_shape(Y)
        return X.beside(Y).with_entry(below(X.entry, Y.entry))

    def unknown(self, function: Any, X: CoqMatrix, order: int = 0) -> CoqMatrix:
        """f(X), or its derivative of this order, for any function."""
        return X.with_entry(Apply(function, X.entry, order))

    def step_function(self, X: CoqMatrix, s: Any, T: CoqMatrix) -> CoqMatrix:
        """Σ_j T_jk [x in I_j] of an element x of column k."""
        intervals = self.intervals(s)
        j = fresh(intervals.left.rows)
        return X.with_entry(summed(Mul(T.at(j, X.j), intervals.contains(j, X.entry)), j))

    def interval_sums(self, Y: CoqMatrix, X: CoqMatrix, s: Any) -> CoqMatrix:
        """Σ_i y_ik [x_ik in I_j] in row j and column k."""
        intervals = self.intervals(s)
        i, J = fresh(X.rows), intervals.left.rows
        return CoqMatrix(J, X.columns, summed(Mul(Y.at(i, Y.j), intervals.contains(row_index(J), X.at(i, X.j))), i))

    def intervals(self, s: Any) -> Intervals:
        """In the place of a grid of numbers, so many arbitrary intervals."""
        if isinstance(s, Intervals):
            return s
        left, right = (self.any_matrix((side, tuple(s)), len(s) + 1, 1) for side in ("left", "right"))
        return Intervals(left, right)

    # Constants in the place of which any numbers are put.

    def lower_ones(self, n: Dimension) -> CoqMatrix:
        return self.any_matrix(("lower_ones", n), n, n)

    def first_ones(self, k: Dimension, n: Dimension) -> CoqMatrix:
        return self.any_matrix(("first_ones", k, n), n, 1)

    def sines(self, m: Dimension, n: Dimension, base: Any) -> CoqMatrix:
        return self.any_matrix(("sines", m, n, repr(base)), m, n)

    def cosines(self, m: Dimension, n: Dimension, base: Any) -> CoqMatrix:
        return self.any_matrix(("cosines", m, n, repr(base)), m, n)

    def range_row(self, n: Dimension) -> CoqMatrix:
        return self.any_matrix(("range_row", n), 1, n)

    def one_hot(self, x: CoqMatrix, n: Dimension) -> CoqMatrix:
        return self.any_matrix(("one_hot", marked(x.entry, False), n), x.rows, n)

    # What cannot be said.

    def first_maxima(self, X: CoqMatrix) -> CoqMatrix:
        raise NotExported("the derivative of a maximum")

    def take_columns(self, X: CoqMatrix, columns: Sequence[int]) -> CoqMatrix:
        raise NotExported("take_columns: columns by their numbers")

    def join_columns(self, X: CoqMatrix, Y: CoqMatrix) -> CoqMatrix:
        raise NotExported("join_columns: matrices of different widths side by side")

    def sort_rows(self, X: CoqMatrix) -> CoqMatrix:
        raise NotExported("sort_rows")

    # Abstract layers.

    def output(self, name: str, rows: Dimension, columns: Dimension, *arguments: CoqMatrix) -> CoqMatrix:
        """The output of a layer of which nothing is known but that it is differentiable."""
        i, j = row_index(rows), column_index(columns)
        return CoqMatrix(rows, columns, Element(_output(name, rows, columns, arguments), tuple(flat(i, j))))

    def pullback(self, name: str, k: int, DY: CoqMatrix, *arguments: CoqMatrix) -> CoqMatrix:
        """Σ_{i,j} DY[i,j] ∂Y[i,j]/∂A[p,q], where Y is the output of the layer and A its k-th argument."""
        A = arguments[k]
        derivative = replace(_output(name, DY.rows, DY.columns, arguments), derivative=k)
        row, column = fresh(DY.rows), fresh(DY.columns)
        sensitivity = Element(derivative, tuple(flat(row, column, A.i, A.j)))
        return A.with_entry(summed(Mul(DY.at(row, column), sensitivity), row, column))

    # Rows and columns one by one.

    def by_columns(self, f: Callable[..., CoqMatrix], *matrices: CoqMatrix) -> CoqMatrix:
        """The matrix whose column j is f of the columns j, for every j."""
        n = matrices[0].columns
        k = fresh(n)
        z = f(*(CoqMatrix(X.rows, 1, X.at(X.i, k)) for X in matrices))
        return CoqMatrix(z.rows, n, renamed(z.entry, renaming(flat(k), flat(column_index(n)))))


def _output(name: str, rows: Dimension, columns: Dimension, arguments: Sequence[CoqMatrix]) -> LayerOutput:
    given = tuple(GivenMatrix(tuple(flat(A.i, A.j)), A.entry) for A in arguments)
    for A in arguments:
        if A.members != 1:
            raise NervaError("an abstract layer is applied to a matrix, not to a family")
    return LayerOutput(name, (rows, columns), given)
