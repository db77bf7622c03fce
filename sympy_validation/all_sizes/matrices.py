"""Matrices of symbolic size and scalars: normal forms with operators, and the conditions under which these have a value."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import isfinite
from numbers import Rational
from typing import Any, NoReturn

import numpy as np

from nerva_core.algebra.errors import NervaError
from sympy_validation.all_sizes import powers, sums
from sympy_validation.all_sizes.generic import is_generic
from sympy_validation.all_sizes.products import multiply
from sympy_validation.all_sizes.signs import is_positive, sign
from sympy_validation.all_sizes.symbols import (
    STOPPED,
    UNIT,
    Dimension,
    Factor,
    Index,
    Place,
    Product,
    Size,
    column_index,
    flat,
    fresh,
    member_index,
    number,
    renaming,
    row_index,
)
from sympy_validation.all_sizes.terms import Application, Indicator, Polynomial, Selected, constant, count_of
from sympy_validation.all_sizes.text import inner_atoms, text
from sympy_validation.operands import Operand, by_own_code, undecided


class Conditions:
    """What the operations done so far assume of the variables, as texts in the order of their first use."""

    def __init__(self) -> None:
        self.texts: dict[str, None] = {}

    def add(self, condition: str) -> None:
        """Record a condition."""
        self.texts[condition] = None

    def nonzero(self, P: Polynomial) -> None:
        """Record P != 0, unless it is known. Positive factors are left out."""
        if not P.terms:
            raise NervaError("division by zero")
        Q = _without_positive_factors(P)
        if not (is_positive(Q) or is_positive(-Q) or f"{text(Q)} > 0" in self.texts):
            self.add(f"{text(Q)} != 0")

    def positive(self, P: Polynomial) -> None:
        """Record P > 0, unless it is known. Positive factors are left out."""
        Q = _without_positive_factors(P)
        if not is_positive(Q):
            self.add(f"{text(Q)} > 0")

    def off_kinks(self, P: Polynomial) -> None:
        """Record that the point is not on a jump of an indicator or a step function in P."""
        for atom in inner_atoms(P):
            if isinstance(atom, Indicator):
                self.kink(atom.argument)
            if isinstance(atom, Selected):
                self.add(f"almost everywhere: the number of the first largest {text(atom.maximum.body)} does not jump")
            if isinstance(atom, Application) and atom.function.step and atom.function != STOPPED:
                self.add(f"almost everywhere: {text(atom.argument)} is not a jump of {atom.function.name}")

    def kink(self, P: Polynomial) -> None:
        """Record that the point is not where a piecewise function has no derivative: P != 0 or, if P may be 0 in a whole region, that
        it is not on the border of this region.
        """
        Q = _without_positive_factors(P)
        if is_generic(Q):
            self.add(f"almost everywhere: {text(Q if sign(Q) > 0 else -Q)} != 0")
        else:
            self.add(f"almost everywhere: [{text(Q)} < 0] does not jump")

    def once(self, P: Polynomial) -> None:
        """Record that no two elements P are the largest."""
        self.add(f"almost everywhere: the largest {text(P)} is taken once")


def _without_positive_factors(P: Polynomial) -> Polynomial:
    _, U, Q = powers.split_positive(P)
    return _without_positive_factors(Q) if U else Q


def exact(c: Any) -> Polynomial | None:
    """A number, scalar or size as a normal form, or None if it is something else. A float is taken as the decimal that it prints as."""
    match c:
        case SymbolicScalar():
            return c.value
        case Size() | Product():
            return count_of(c)
        case Rational():
            return constant(number(Fraction(c)))
        case float() if isfinite(c):
            return constant(number(Fraction(str(c))))
        case np.floating() if isfinite(c):
            return exact(c.item())
    return None


@dataclass(frozen=True, eq=False)
class SymbolicScalar(Operand):
    """A real number that depends on scalars and sizes, with + - * / ** between these and numbers."""

    what = "a hyper-parameter"
    value: Polynomial
    conditions: Conditions

    def _with(self, value: Polynomial) -> SymbolicScalar:
        return SymbolicScalar(value, self.conditions)

    def _inverse(self) -> Polynomial:
        self.conditions.nonzero(self.value)
        return powers.power(self.value, -1)

    def __add__(self, other: Any) -> SymbolicScalar:
        c = exact(other)
        return NotImplemented if c is None else self._with(self.value + c)

    __radd__ = __add__

    def __neg__(self) -> SymbolicScalar:
        return self._with(-self.value)

    def __sub__(self, other: Any) -> SymbolicScalar:
        c = exact(other)
        return NotImplemented if c is None else self._with(self.value - c)

    def __rsub__(self, other: Any) -> SymbolicScalar:
        return (-self).__add__(other)

    def __mul__(self, other: Any) -> SymbolicScalar:
        c = exact(other)
        return NotImplemented if c is None else self._with(multiply(self.value, c))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> SymbolicScalar:
        c = exact(other)
        return NotImplemented if c is None else self * self._with(self._with(c)._inverse())

    def __rtruediv__(self, other: Any) -> SymbolicScalar:
        return self._with(self._inverse()).__mul__(other)

    def __pow__(self, other: Any) -> SymbolicScalar:
        """A rational power; for a symbolic exponent e, exp(e log x)."""
        e = exact(other)
        if e is None:
            return NotImplemented
        if e.terms.keys() <= {()}:
            return self._rational_power(Fraction(e.terms.get((), 0)))
        self.conditions.positive(self.value)
        return self._with(powers.exponential(multiply(e, powers.logarithm(self.value))))

    def _rational_power(self, e: Fraction) -> SymbolicScalar:
        if e.denominator > 1:
            self.conditions.positive(self.value)
        elif e < 0:
            self.conditions.nonzero(self.value)
        return self._with(powers.power(self.value, e))

    def __rpow__(self, other: Any) -> SymbolicScalar:
        c = exact(other)
        return NotImplemented if c is None else self._with(c) ** self

    def text(self) -> str:
        """The normal form as readable text."""
        return text(self.value)

    __str__ = text


class Counted(Factor):
    """A size in the hands of a user's code, which can compute with it as with a number, but not decide by it."""

    conditions: Conditions

    def _decide(self, *_: Any) -> NoReturn:
        raise undecided(f"the size {self}")

    __lt__ = __le__ = __gt__ = __ge__ = __int__ = __index__ = __float__ = __mod__ = __rmod__ = __divmod__ = _decide

    def _scalar(self) -> SymbolicScalar:
        return SymbolicScalar(count_of(self), self.conditions)  # type: ignore[arg-type]

    def _decided(self) -> None:
        if by_own_code(2):
            raise undecided(f"the size {self}")

    def __mul__(self, other: Any) -> Any:
        product = super().__mul__(other)
        return self._scalar().__mul__(other) if product is NotImplemented else self._counted(product)

    def __rmul__(self, other: Any) -> Any:
        product = super().__rmul__(other)
        return self._scalar().__rmul__(other) if product is NotImplemented else self._counted(product)

    def __floordiv__(self, other: Any) -> Any:
        """The size without a factor; whether it is a multiple of another number is not decided."""
        if not isinstance(other, Factor):
            self._decide()
        return self._counted(super().__floordiv__(other))

    def _counted(self, size: Any) -> Any:
        return OwnProduct(size.factors, self.conditions) if type(size) is Product else size

    def __add__(self, other: Any) -> SymbolicScalar:
        return self._scalar().__add__(other)

    __radd__ = __add__

    def __sub__(self, other: Any) -> SymbolicScalar:
        return self._scalar().__sub__(other)

    def __rsub__(self, other: Any) -> SymbolicScalar:
        return self._scalar().__rsub__(other)

    def __truediv__(self, other: Any) -> SymbolicScalar:
        return self._scalar().__truediv__(other)

    def __rtruediv__(self, other: Any) -> SymbolicScalar:
        return self._scalar().__rtruediv__(other)

    def __pow__(self, other: Any) -> SymbolicScalar:
        return self._scalar().__pow__(other)


@dataclass(frozen=True, eq=False)
class OwnSize(Counted, Size):
    """A size by a name."""

    conditions: Conditions = field(default_factory=Conditions, repr=False)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Size) and self.name == other.name:
            return True
        self._decided()
        return False

    def __hash__(self) -> int:
        self._decided()
        return hash((self.name,))


@dataclass(frozen=True, eq=False)
class OwnProduct(Counted, Product):
    """A product of sizes."""

    conditions: Conditions = field(default_factory=Conditions, repr=False)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Product) and self.factors == other.factors:
            return True
        self._decided()
        return False

    def __hash__(self) -> int:
        self._decided()
        return hash((self.factors,))


@dataclass(frozen=True, eq=False)
class SymbolicMatrix(Operand):
    """A matrix given by the normal form of its entry at row i and column j."""

    rows: Dimension
    columns: Dimension
    entry: Polynomial
    conditions: Conditions
    members: Dimension = 1
    """Of a family the number of its members; the entry is that of member h."""

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

    def at(self, row: Place, column: Place) -> Polynomial:
        """The entry at other indices."""
        return sums.substitute(self.entry, renaming(flat(self.i, self.j), flat(row, column)))

    def with_entry(self, entry: Polynomial) -> SymbolicMatrix:
        """A matrix of the same shape."""
        return replace(self, entry=entry)

    def beside(self, other: SymbolicMatrix) -> SymbolicMatrix:
        """Of the two the one that is a family: a matrix beside it stands for every member. NervaError for families of two sizes."""
        if self.members == 1 or other.members == self.members:
            return other if self.members == 1 else self
        if other.members != 1:
            raise NervaError(f"expected families of one size, got {self.members} and {other.members} members")
        return self

    def text(self) -> str:
        """The normal form of the entry as readable text."""
        return text(self.entry)

    def __repr__(self) -> str:
        family = f"{self.members} of " if self.members != 1 else ""
        return f"<{family}{self.rows} x {self.columns}: {self.text()}>"

    def check_shape(self, other: SymbolicMatrix) -> None:
        """NervaError unless both matrices have the same shape."""
        if (self.rows, self.columns) != (other.rows, other.columns):
            raise NervaError(f"expected two matrices of one shape, got {self.rows} x {self.columns} and {other.rows} x {other.columns}")

    def __add__(self, other: Any) -> SymbolicMatrix:
        """X + Y; X + c adds the number to every entry, as the backends do."""
        if not isinstance(other, SymbolicMatrix):
            c = exact(other)
            return NotImplemented if c is None else self.with_entry(self.entry + c)
        self.check_shape(other)
        return self.beside(other).with_entry(self.entry + other.entry)

    __radd__ = __add__

    def __sub__(self, other: Any) -> SymbolicMatrix:
        if isinstance(other, SymbolicMatrix):
            return self + -other
        c = exact(other)
        return NotImplemented if c is None else self.with_entry(self.entry + -c)

    def __rsub__(self, other: Any) -> SymbolicMatrix:
        return (-self).__add__(other)

    def __neg__(self) -> SymbolicMatrix:
        return self.with_entry(-self.entry)

    def __matmul__(self, other: Any) -> SymbolicMatrix:
        if not isinstance(other, SymbolicMatrix):
            return NotImplemented
        if self.columns != other.rows:
            raise NervaError(f"a product needs equal inner sizes, got {self.rows} x {self.columns} and {other.rows} x {other.columns}")
        k = fresh(self.columns)
        entry = sums.sum_over(multiply(self.at(self.i, k), other.at(k, other.j)), [k])
        return replace(self.beside(other), rows=self.rows, columns=other.columns, entry=entry)

    def __mul__(self, other: Any) -> SymbolicMatrix:
        if isinstance(other, SymbolicMatrix):
            raise NervaError("X * Y between matrices has no meaning here: use ops.hadamard(X, Y) or X @ Y")
        c = exact(other)
        return NotImplemented if c is None else self.with_entry(multiply(c, self.entry))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> SymbolicMatrix:
        c = exact(other)
        if c is None:
            return NotImplemented
        self.conditions.nonzero(c)
        return self.with_entry(multiply(powers.power(c, -1), self.entry))


@dataclass(frozen=True, eq=False)
class SymbolicIntervals:
    """Any number of intervals (l_j, r_j], as two columns of arbitrary numbers.

    A grid s_1 < ... < s_p is l = (-∞, s_1, ..., s_p) and r = (s_1, ..., s_p, ∞), where for -∞ and ∞ any numbers do that are below and
    above the elements it is applied to. What is proved for all l and r is proved for all grids with any number of points.
    """

    left: SymbolicMatrix
    right: SymbolicMatrix

    def contains(self, j: Index, x: Polynomial) -> Polynomial:
        """[l_j < x] - [r_j < x], the indicator of x in the interval j."""
        left, right = (powers.indicator(ends.at(j, UNIT) - x) for ends in (self.left, self.right))
        return left - right
