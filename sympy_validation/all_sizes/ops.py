"""The interpreter: matrix operations on matrices of symbolic size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import Scalar
from sympy_validation.all_sizes import calculus, powers, signs, stopped, sums, winners
from sympy_validation.all_sizes.declared import DeclaredOps
from sympy_validation.all_sizes.generic import is_generic, orient
from sympy_validation.all_sizes.matrices import SymbolicIntervals, SymbolicMatrix
from sympy_validation.all_sizes.products import clear_denominators, multiply
from sympy_validation.all_sizes.scalars import SymbolicScalar, exact
from sympy_validation.all_sizes.symbols import (
    ARCTAN,
    NORMAL_CDF,
    NORMAL_PDF,
    UNIT,
    Argument,
    Dimension,
    Function,
    Output,
    Variable,
    column_index,
    flat,
    fresh,
    renaming,
    row_index,
)
from sympy_validation.all_sizes.terms import Entry, Polynomial, Sensitivity, count_of, only

Grid = Sequence[Scalar] | SymbolicIntervals
"""What a step function jumps at."""


class AllSizesOps(DeclaredOps):
    """Matrix operations for all sizes, with real entries. What ``MatrixOps`` defines by other operations is done by that definition.

    Where an operation is only defined for some arguments, that condition is added to ``conditions``, unless the argument is known to
    satisfy it.
    """

    # Proofs.

    def gradient(self, L: SymbolicMatrix, X: SymbolicMatrix | SymbolicScalar) -> SymbolicMatrix:
        """The derivative of the 1 x 1 matrix L with respect to each entry of the variable X, a matrix of the shape of X."""
        if (L.rows, L.columns) != (1, 1):
            raise NervaError(f"only a 1 x 1 matrix has a gradient, got {L.rows} x {L.columns}")
        variable = _variable(X)
        self._conditions.off_kinks(L.entry)
        i, j = row_index(variable.rows), column_index(variable.columns)
        return self._matrix(variable.rows, variable.columns, calculus.derivative(L.entry, variable, i, j))

    def jacobian(self, y: SymbolicMatrix, x: SymbolicMatrix) -> SymbolicMatrix:
        """The matrix of ∂y_k/∂x_d, K x D, for vectors y and x of K and D elements, either rows or columns."""
        variable = _variable(x)
        if 1 not in (y.rows, y.columns) or 1 not in (variable.rows, variable.columns):
            raise NervaError(f"a Jacobian is that of a vector, got {y.rows} x {y.columns} and {variable.rows} x {variable.columns}")
        self._conditions.off_kinks(y.entry)
        p, q = fresh(variable.rows), fresh(variable.columns)
        K, D = (y.rows if y.columns == 1 else y.columns), (variable.rows if variable.columns == 1 else variable.columns)
        k, d = (y.i if y.columns == 1 else y.j), (p if variable.columns == 1 else q)
        entry = calculus.derivative(y.entry, variable, p, q)
        at = renaming(flat(k, d), flat(row_index(K), column_index(D)))
        return self._matrix(K, D, sums.substitute(entry, at))

    def is_zero(self, A: SymbolicMatrix, *, off_kinks: bool = True) -> bool:
        """Whether all entries of A are proved to be 0. False means that they are not proved to be: the rules are sound, not complete.

        If need be, and unless ``off_kinks`` is False, points where the argument of an indicator is 0 are excluded. There
        [x < 0] = 1 - [-x < 0], which the derivatives of piecewise functions need; ``conditions`` then lists these points.
        """
        if _vanishes(A.entry):
            return True
        if not off_kinks:
            return False
        kinks: list[Polynomial] = []
        rare: list[Polynomial] = []
        oriented = orient(A.entry, kinks, is_generic)
        if not _vanishes(oriented) and not _vanishes(winners.take_once(oriented, rare)):
            return False
        self._exclude(kinks, rare)
        return True

    def is_rounded(self, A: SymbolicMatrix, B: SymbolicMatrix) -> bool:
        """Whether A = B is proved but for a rounding of the floats in the code, as of 1/3: each coefficient of one normal form is that of
        the other within two units in the last place.
        """
        A.check_shape(B)
        kinks: list[Polynomial] = []
        rounded = signs.almost_equal(*(orient(X.entry, kinks, is_generic) for X in (A, B)))
        if rounded:
            self._exclude(kinks, [])
        return rounded

    def _exclude(self, kinks: list[Polynomial], rare: list[Polynomial]) -> None:
        """Record the kinks and the ties at which what has been proved need not hold."""
        for kink in kinks:
            self._conditions.kink(kink)
        for F in rare:
            self._conditions.once(F)

    def by_columns(self, f: Callable[..., SymbolicMatrix], *matrices: SymbolicMatrix) -> SymbolicMatrix:
        """The matrix whose column j is f applied to the columns j of the matrices, for every j."""
        (n,) = {X.columns for X in matrices}
        k = fresh(n)
        z = f(*(self._matrix(X.rows, 1, X.at(X.i, k)) for X in matrices))
        return self._matrix(z.rows, n, sums.substitute(z.entry, renaming(flat(k), flat(column_index(n)))))

    def by_rows(self, f: Callable[..., SymbolicMatrix], *matrices: SymbolicMatrix) -> SymbolicMatrix:
        """The matrix whose row i is f applied to the rows i of the matrices, for every i."""
        transposed = self.by_columns(lambda *columns: self.transpose(f(*map(self.transpose, columns))), *map(self.transpose, matrices))
        return self.transpose(transposed)

    # Abstract layers.

    def output(self, name: str, rows: Dimension, columns: Dimension, *arguments: SymbolicMatrix) -> SymbolicMatrix:
        """The output of an abstract layer: an unknown differentiable function of all elements of its arguments."""
        i, j = row_index(rows), column_index(columns)
        return self._matrix(rows, columns, only(Entry(_output(name, rows, columns, arguments), i, j)))

    def pullback(self, name: str, k: int, DY: SymbolicMatrix, *arguments: SymbolicMatrix) -> SymbolicMatrix:
        """The gradient of ⟨DY, Y⟩ with respect to the k-th argument, where Y is the output of an abstract layer."""
        output, A = _output(name, DY.rows, DY.columns, arguments), arguments[k]
        row, column = fresh(DY.rows), fresh(DY.columns)
        sensitivity = only(Sensitivity(output, k, row, column, A.i, A.j))
        return A.with_entry(sums.sum_over(multiply(DY.at(row, column), sensitivity), [row, column]))

    # The primitives.

    def size_power(self, n: Dimension, e: float) -> Scalar:
        return SymbolicScalar(count_of(n), self._conditions) ** e

    def shape(self, X: SymbolicMatrix) -> tuple[Dimension, Dimension]:
        return X.rows, X.columns

    def full(self, c: Scalar, m: Dimension, n: Dimension) -> SymbolicMatrix:
        value = exact(c)
        if value is None:
            raise NervaError(f"expected a number, a scalar or a size, got {c!r}")
        return self._matrix(m, n, value)

    def identity(self, n: Dimension) -> SymbolicMatrix:
        return self._matrix(n, n, sums.delta(row_index(n), column_index(n)))

    def constant(self, rows: Sequence[Sequence[Scalar]]) -> SymbolicMatrix:
        """Arbitrary numbers in the place of the given ones: what is proved for all of them is proved for these."""
        name = self._constants.setdefault(tuple(map(tuple, rows)), f"C{len(self._constants) + 1}")
        return self.variable(name, len(rows), len(rows[0]), fixed=True)

    def shift(self, n: Dimension, o: int) -> SymbolicMatrix:
        """An arbitrary n x n matrix in the place of S_o for o > 0. S_0 = I, and S_-o = S_oᵀ."""
        if o <= 0:
            return self.transpose(self.shift(n, -o)) if o else self.identity(n)
        return self.variable(f"S{o}_{n}", n, n, fixed=True)

    def transpose(self, X: SymbolicMatrix) -> SymbolicMatrix:
        return self._matrix(X.columns, X.rows, X.at(column_index(X.rows), row_index(X.columns)), X.members)

    def hadamard(self, X: SymbolicMatrix, Y: SymbolicMatrix) -> SymbolicMatrix:
        X.check_shape(Y)
        return X.beside(Y).with_entry(multiply(X.entry, Y.entry))

    def diag(self, X: SymbolicMatrix) -> SymbolicMatrix:
        if X.rows != X.columns:
            raise NervaError(f"only a square matrix has a diagonal, got {X.rows} x {X.columns}")
        return self._matrix(X.rows, 1, X.at(X.i, X.i), X.members)

    def Diag(self, x: SymbolicMatrix) -> SymbolicMatrix:
        if 1 not in (x.rows, x.columns):
            raise NervaError(f"Diag takes a row or a column vector, got {x.rows} x {x.columns}")
        n = x.rows if x.columns == 1 else x.columns
        i = row_index(n)
        value = x.at(i, UNIT) if x.columns == 1 else x.at(UNIT, i)
        return self._matrix(n, n, multiply(sums.delta(i, column_index(n)), value))

    def rows_max(self, X: SymbolicMatrix) -> SymbolicMatrix:
        k = fresh(X.columns)
        return self._matrix(X.rows, 1, sums.maximum(X.at(X.i, k), k), X.members)

    def stop_gradient(self, X: SymbolicMatrix) -> SymbolicMatrix:
        return X.with_entry(stopped.stop(X.entry))

    def released(self, X: SymbolicMatrix) -> SymbolicMatrix:
        """X with the values of what was stopped in it; it is not differentiated any more."""
        return X.with_entry(stopped.release(X.entry))

    def exp(self, X: SymbolicMatrix) -> SymbolicMatrix:
        return X.with_entry(powers.exponential(X.entry))

    def log(self, X: SymbolicMatrix) -> SymbolicMatrix:
        self._conditions.positive(X.entry)
        return X.with_entry(powers.logarithm(X.entry))

    def reciprocal(self, X: SymbolicMatrix) -> SymbolicMatrix:
        self._conditions.nonzero(X.entry)
        return X.with_entry(powers.power(X.entry, -1))

    def quotient(self, X: SymbolicMatrix, Y: SymbolicMatrix) -> SymbolicMatrix:
        """X ⊙ (1 / Y); where X and Y are both 0 on a piece it is 0 there."""
        X.check_shape(Y)
        cases = powers.quotient(X.entry, Y.entry, self._is_nonzero)
        return super().quotient(X, Y) if cases is None else X.beside(Y).with_entry(cases)

    def _is_nonzero(self, Q: Polynomial) -> bool:
        """Whether Q != 0 is shown almost everywhere; it is then a condition."""
        if signs.is_positive(Q):
            return True
        generic = is_generic(Q)
        if generic:
            self._conditions.nonzero(Q)
        return generic

    def sqrt(self, X: SymbolicMatrix) -> SymbolicMatrix:
        """√X, for X > 0, because √ has no derivative at 0."""
        self._conditions.positive(X.entry)
        return X.with_entry(powers.power(X.entry, Fraction(1, 2)))

    def arctan(self, X: SymbolicMatrix) -> SymbolicMatrix:
        return self.unknown(ARCTAN, X)

    def normal_cdf(self, X: SymbolicMatrix) -> SymbolicMatrix:
        return self.unknown(NORMAL_CDF, X)

    def normal_pdf(self, X: SymbolicMatrix) -> SymbolicMatrix:
        return self.unknown(NORMAL_PDF, X)

    def less(self, X: SymbolicMatrix, Y: SymbolicMatrix) -> SymbolicMatrix:
        difference = X - Y
        return difference.with_entry(powers.indicator(difference.entry))

    def maximum(self, X: SymbolicMatrix, Y: SymbolicMatrix) -> SymbolicMatrix:
        """Both choices have the same value. Where x = y in a whole region, as after a ReLU that gives 0, the derivative has [y < x]."""
        return super().maximum(X, Y) if is_generic((X - Y).entry) else self.where(self.less(Y, X), X, Y)

    def minimum(self, X: SymbolicMatrix, Y: SymbolicMatrix) -> SymbolicMatrix:
        """Both choices have the same value."""
        return super().minimum(X, Y) if is_generic((X - Y).entry) else self.where(self.less(Y, X), Y, X)

    # Step functions on any number of intervals.

    def intervals(self, name: str, count: int | None = None) -> SymbolicIntervals:
        """Any number of intervals, or so many."""
        J = count or self.size(f"J_{name}")
        return SymbolicIntervals(self.variable(f"l_{name}", J, 1, fixed=True), self.variable(f"r_{name}", J, 1, fixed=True))

    def step_function(self, X: SymbolicMatrix, s: Grid, T: SymbolicMatrix) -> SymbolicMatrix:
        """Σ_j T_jk [x in I_j] of an element x of column k."""
        intervals = self._intervals(s)
        j = fresh(intervals.left.rows)
        return X.with_entry(sums.sum_over(multiply(T.at(j, X.j), intervals.contains(j, X.entry)), [j]))

    def interval_sums(self, Y: SymbolicMatrix, X: SymbolicMatrix, s: Grid) -> SymbolicMatrix:
        """Σ_i y_ik [x_ik in I_j] in row j and column k."""
        Y.check_shape(X)
        intervals = self._intervals(s)
        i, J = fresh(X.rows), intervals.left.rows
        entry = multiply(Y.at(i, Y.j), intervals.contains(row_index(J), X.at(i, X.j)))
        return self._matrix(J, X.columns, sums.sum_over(entry, [i]))

    def _intervals(self, s: Grid) -> SymbolicIntervals:
        """In the place of a grid of numbers, so many arbitrary intervals: what is proved for all of them is proved for these."""
        if isinstance(s, SymbolicIntervals):
            return s
        name = self._constants.setdefault((tuple(s),), f"C{len(self._constants) + 1}")
        return self.intervals(name, len(s) + 1)

    def unknown(self, function: Function, X: SymbolicMatrix, order: int = 0) -> SymbolicMatrix:
        """f(X) or its derivative of this order, for a function of which the value is not known."""
        return X.with_entry(powers.apply(function, X.entry, order))


def _vanishes(P: Polynomial) -> bool:
    return not P.terms or not clear_denominators(P).terms


def _output(name: str, rows: Dimension, columns: Dimension, arguments: Sequence[SymbolicMatrix]) -> Output:
    for A in arguments:
        if not A.entry.free <= {*flat(A.i, A.j)}:
            raise NervaError(f"an abstract layer is applied to a whole matrix, not to a row or a column of it: {A!r}")
    return Output(name, rows, columns, arguments=tuple(Argument(A.rows, A.columns, A.entry) for A in arguments))


def _variable(X: SymbolicMatrix | SymbolicScalar) -> Variable:
    """The variable of which X holds the entries. It must be free to vary: where rows sum to 1, they do not do so at nearby points."""
    P = X.value if isinstance(X, SymbolicScalar) else X.entry
    (atom,) = P.atoms if len(P.atoms) == 1 else (None,)
    rows, columns = (1, 1) if isinstance(X, SymbolicScalar) else (X.rows, X.columns)
    at = (row_index(rows), column_index(columns))
    if not isinstance(atom, Entry) or isinstance(atom.variable, Output) or only(atom) != P or (atom.row, atom.column) != at:
        raise NervaError(f"a gradient is with respect to a variable made by ops.variable(...), got {X!r}")
    if atom.variable.row_stochastic:
        raise NervaError(f"the rows of {atom.variable.name} sum to 1, so there is no derivative with respect to its entries one by one")
    return atom.variable
