"""Matrices and scalars of the exporter: terms with operators."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from numbers import Rational
from typing import Any

import numpy as np

from nerva_core.algebra.errors import NervaError
from sympy_validation.all_sizes.symbols import (
    Dimension,
    Place,
    Product,
    Size,
    column_index,
    factors_of,
    flat,
    fresh,
    member_index,
    renaming,
    row_index,
)
from sympy_validation.coq.terms import MINUS_ONE, Add, Apply, Mul, RationalNumber, SizeNumber, SumOver, Term, product, renamed
from sympy_validation.operands import Operand


class NotExported(Exception):  # noqa: N818 - it is not a mistake of anyone
    """What cannot be said in Coq yet, and why."""


def count_of(size: Dimension) -> Term:
    """A size as a number."""
    factors = [SizeNumber(f) if isinstance(f, Size) else RationalNumber(Fraction(f)) for f in factors_of(size)]
    return product(*factors) if factors else RationalNumber(Fraction(1))


def exact(c: Any) -> Term | None:
    """A number, scalar or size as a term, or None if it is something else. A float is taken as the decimal that it prints as."""
    match c:
        case CoqScalar():
            return c.term
        case Size() | Product():
            return count_of(c)
        case Rational():
            return RationalNumber(Fraction(c))
        case float() if isfinite(c):
            return RationalNumber(Fraction(str(c)))
        case np.floating() if isfinite(c):
            return exact(c.item())
    return None


def summed(term: Term, *places: Place) -> Term:
    """The sum over all factors of these places."""
    for index in reversed(flat(*places)):
        term = SumOver(index, term)
    return term


def power(x: Term, e: Term) -> Term:
    """x^e: products and reciprocals of them for small integers, roots for halves, else e^(e log x)."""
    if isinstance(e, RationalNumber):
        if e.value == 0:
            return RationalNumber(Fraction(1))
        if e.value.denominator == 1 and abs(e.value) <= 8:
            value = product(*(x,) * abs(e.value.numerator))
            return value if e.value > 0 else Apply("reciprocal", value)
        if abs(e.value) == Fraction(1, 2):
            return Apply("sqrt", x) if e.value > 0 else Apply("reciprocal", Apply("sqrt", x))
    return Apply("exp", Mul(e, Apply("log", x)))


@dataclass(frozen=True, eq=False)
class CoqScalar(Operand):
    """A real number, with + - * / ** between it and numbers."""

    what = "a hyper-parameter"
    term: Term

    def __add__(self, other: Any) -> CoqScalar:
        c = exact(other)
        return NotImplemented if c is None else CoqScalar(Add(self.term, c))

    def __radd__(self, other: Any) -> CoqScalar:
        c = exact(other)
        return NotImplemented if c is None else CoqScalar(Add(c, self.term))

    def __neg__(self) -> CoqScalar:
        return CoqScalar(Mul(MINUS_ONE, self.term))

    def __sub__(self, other: Any) -> CoqScalar:
        c = exact(other)
        return NotImplemented if c is None else CoqScalar(Add(self.term, Mul(MINUS_ONE, c)))

    def __rsub__(self, other: Any) -> CoqScalar:
        return (-self).__radd__(other)

    def __mul__(self, other: Any) -> CoqScalar:
        c = exact(other)
        return NotImplemented if c is None else CoqScalar(Mul(self.term, c))

    def __rmul__(self, other: Any) -> CoqScalar:
        c = exact(other)
        return NotImplemented if c is None else CoqScalar(Mul(c, self.term))

    def __truediv__(self, other: Any) -> CoqScalar:
        c = exact(other)
        return NotImplemented if c is None else CoqScalar(Mul(self.term, inverse(c)))

    def __rtruediv__(self, other: Any) -> CoqScalar:
        c = exact(other)
        return NotImplemented if c is None else CoqScalar(Mul(c, inverse(self.term)))

    def __pow__(self, other: Any) -> CoqScalar:
        e = exact(other)
        return NotImplemented if e is None else CoqScalar(power(self.term, e))

    def __rpow__(self, other: Any) -> CoqScalar:
        c = exact(other)
        return NotImplemented if c is None else CoqScalar(power(c, self.term))


def inverse(c: Term) -> Term:
    """1/c."""
    return RationalNumber(1 / c.value) if isinstance(c, RationalNumber) and c.value else Apply("reciprocal", c)


@dataclass(frozen=True, eq=False)
class CoqMatrix(Operand):
    """A matrix given by its entry at row i and column j; of a family by that of member h."""

    rows: Dimension
    columns: Dimension
    entry: Term
    members: Dimension = 1

    @property
    def i(self) -> Any:
        """The index of the rows in ``entry``."""
        return row_index(self.rows)

    @property
    def j(self) -> Any:
        """The index of the columns in ``entry``."""
        return column_index(self.columns)

    @property
    def h(self) -> Any:
        """The index of the members in ``entry``."""
        return member_index(self.members)

    def at(self, row: Place, column: Place) -> Term:
        """The entry at other indices."""
        return renamed(self.entry, renaming(flat(self.i, self.j), flat(row, column)))

    def with_entry(self, entry: Term) -> CoqMatrix:
        """A matrix of the same shape."""
        return CoqMatrix(self.rows, self.columns, entry, self.members)

    def beside(self, other: CoqMatrix) -> CoqMatrix:
        """Of the two the one that is a family: a matrix beside it stands for every member."""
        if self.members != 1 and other.members not in (1, self.members):
            raise NervaError(f"expected families of one size, got {self.members} and {other.members} members")
        return other if self.members == 1 else self

    def check_shape(self, other: CoqMatrix) -> None:
        """NervaError unless both matrices have the same shape."""
        if (self.rows, self.columns) != (other.rows, other.columns):
            raise NervaError(f"expected two matrices of one shape, got {self.rows} x {self.columns} and {other.rows} x {other.columns}")

    def __add__(self, other: Any) -> CoqMatrix:
        """X + Y; X + c adds the number to every entry."""
        if not isinstance(other, CoqMatrix):
            c = exact(other)
            return NotImplemented if c is None else self.with_entry(Add(self.entry, c))
        self.check_shape(other)
        return self.beside(other).with_entry(Add(self.entry, other.entry))

    __radd__ = __add__

    def __neg__(self) -> CoqMatrix:
        return self.with_entry(Mul(MINUS_ONE, self.entry))

    def __sub__(self, other: Any) -> CoqMatrix:
        if isinstance(other, CoqMatrix):
            return self + -other
        c = exact(other)
        return NotImplemented if c is None else self.with_entry(Add(self.entry, Mul(MINUS_ONE, c)))

    def __rsub__(self, other: Any) -> CoqMatrix:
        return (-self).__add__(other)

    def __matmul__(self, other: Any) -> CoqMatrix:
        if not isinstance(other, CoqMatrix):
            return NotImplemented
        if self.columns != other.rows:
            raise NervaError(f"a product needs equal inner sizes, got {self.rows} x {self.columns} and {other.rows} x {other.columns}")
        k = fresh(self.columns)
        entry = summed(Mul(self.at(self.i, k), other.at(k, other.j)), k)
        return CoqMatrix(self.rows, other.columns, entry, self.beside(other).members)

    def __mul__(self, other: Any) -> CoqMatrix:
        if isinstance(other, CoqMatrix):
            raise NervaError("X * Y between matrices has no meaning here: use ops.hadamard(X, Y) or X @ Y")
        c = exact(other)
        return NotImplemented if c is None else self.with_entry(Mul(c, self.entry))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> CoqMatrix:
        c = exact(other)
        return NotImplemented if c is None else self.with_entry(Mul(inverse(c), self.entry))
