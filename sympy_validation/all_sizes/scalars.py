"""Scalars, which are compared as far as a case answers, and the conditions of what is computed."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from numbers import Number, Rational
from typing import Any

import numpy as np

from nerva_core.algebra.errors import NervaError
from sympy_validation.all_sizes import powers
from sympy_validation.all_sizes.elementary import ELEMENTARY
from sympy_validation.all_sizes.generic import is_generic
from sympy_validation.all_sizes.products import clear_denominators, multiply
from sympy_validation.all_sizes.signs import is_positive, sign
from sympy_validation.all_sizes.symbols import STOPPED, Factor, Product, Size, number
from sympy_validation.all_sizes.terms import ZERO, Application, Indicator, Polynomial, Selected, constant, count_of
from sympy_validation.all_sizes.text import inner_atoms, text
from sympy_validation.cases import Bounds, Case, DividedError
from sympy_validation.operands import ArbitraryNumber, Operand, unanswered, undecided


class Conditions:
    """What the operations done so far assume of the variables, as texts in the order of their first use."""

    def __init__(self) -> None:
        self.texts: dict[str, None] = {}
        self.case = Case()
        """What is assumed where a user's code compares sizes and hyper-parameters."""

    def add(self, condition: str) -> None:
        """Record a condition."""
        self.texts[condition] = None

    def nonzero(self, P: Polynomial) -> None:
        """Record P != 0, unless it is known. Positive factors are left out."""
        if not P.terms:
            raise NervaError("division by zero")
        Q = _without_positive_factors(P)
        if not (powers.positive_in_cases(Q) or powers.positive_in_cases(-Q) or f"{text(Q)} > 0" in self.texts):
            self.add(f"{text(Q)} != 0")

    def positive(self, P: Polynomial) -> None:
        """Record P > 0, unless it is known. Positive factors are left out."""
        Q = _without_positive_factors(P)
        if not powers.positive_in_cases(Q):
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


def _is_never(other: Any) -> bool:
    """Whether no number is equal to it: a word, None, ∞; numbers of other kinds might be."""
    return isinstance(other, float) or not isinstance(other, Number)


@dataclass(frozen=True, eq=False)
class SymbolicScalar(ArbitraryNumber, Operand):
    """A real number that depends on scalars and sizes, with + - * / ** between these and numbers."""

    what = "a hyper-parameter"
    value: Polynomial
    conditions: Conditions
    name: str = ""
    """Of a hyper-parameter itself, which can be compared with numbers; empty of what is computed."""
    bounds: Bounds = (None, None)
    closed: bool = False

    def _with(self, value: Polynomial) -> SymbolicScalar:
        return SymbolicScalar(value, self.conditions)

    def _is(self, sign: str, other: Any) -> bool:
        """The answer to a comparison, where it is the same for all values of the case."""
        c = exact(other)
        if c is None:
            return False if sign == "==" and _is_never(other) else self._compare()
        difference = self.value - c
        for P in (difference, clear_denominators(difference)):
            if is_positive(P) or is_positive(-P):
                return (sign in ("<", "<=")) if is_positive(-P) else sign in (">", ">=")
            if not P.terms:
                return sign in ("==", "<=", ">=")
        if not self.name or isinstance(other, (SymbolicScalar, Factor)):
            self._compare()
        try:
            return self.conditions.case.compare_scalar(self.name, sign, float(other), self.bounds, self.closed)
        except DividedError as error:
            raise undecided(f"the value of {self.what}", error.cases) from None

    def __eq__(self, other: object) -> bool:
        return self is other or self._is("==", other)

    def __bool__(self) -> bool:
        return not self._is("==", 0)

    def __hash__(self) -> int:
        self._decided()
        return id(self)

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

    def __abs__(self) -> SymbolicScalar:
        return self.function("fabs")

    def function(self, name: str) -> SymbolicScalar:
        """The function of ``math`` or of NumPy, at this number; an exception for one that is not known here."""
        if name not in ELEMENTARY:
            raise unanswered(f"{name} of {self.what} is not known to the prover; known are {', '.join(ELEMENTARY)}")
        if name == "sqrt" and self.closed and not self:
            return self._with(ZERO)
        return self._with(ELEMENTARY[name](self.value, self.conditions))

    def text(self) -> str:
        """The normal form as readable text."""
        return text(self.value)

    def __str__(self) -> str:
        self._decided()
        return self.text()

    def __repr__(self) -> str:
        self._decided()
        return f"{type(self).__name__}({self.value.key})"
