"""Exact real numbers: rationals where possible, otherwise intervals of sixty digits that certainly contain the number.

Two numbers that are shown to differ here differ, so a counterexample is a proof.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, TypeAlias, Union

from mpmath.ctx_iv import MPIntervalContext

from nerva_core.algebra.matrix_ops import Scalar
from sympy_validation.spaces.grids import Domain, exact

IV = MPIntervalContext()
IV.dps = 60


class Undecided(ArithmeticError):  # noqa: N818 - it is not a mistake of anyone
    """The intervals are too wide, or the point lies outside the domain of a function: this point shows nothing."""


class OutsideDomain(Undecided):
    """A function is certainly not defined here, such as the logarithm of a negative number."""


class Rational(Fraction):
    """A fraction that takes a float as the number that it stands for, where Python would go over to floats."""


def _exact_operator(name: str) -> Callable[[Fraction, Any], Any]:
    operator = getattr(Fraction, name)

    def method(self: Fraction, other: Any) -> Any:
        result = operator(self, exact(other))
        return Rational(result) if isinstance(result, Fraction) else result

    return method


for _operator in ("add", "sub", "mul", "truediv", "pow"):
    for _name in (f"__{_operator}__", f"__r{_operator}__"):
        setattr(Rational, _name, _exact_operator(_name))


class Interval:
    """A real number of which only an enclosing interval is known."""

    __slots__ = ("x",)

    def __init__(self, x: Any) -> None:
        self.x = x

    @staticmethod
    def of(x: Real) -> Interval:
        """A rational number as the smallest interval around it."""
        return x if isinstance(x, Interval) else Interval(IV.mpf(x.numerator) / IV.mpf(x.denominator))

    def __add__(self, other: Any) -> Any:
        return _lift(self, other, lambda a, b: a + b)

    def __sub__(self, other: Any) -> Any:
        return _lift(self, other, lambda a, b: a - b)

    def __mul__(self, other: Any) -> Any:
        return Fraction(0) if is_exact_zero(other) else _lift(self, other, lambda a, b: a * b)

    def __truediv__(self, other: Any) -> Any:
        return _lift(self, other, _quotient)

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __rtruediv__(self, other: Any) -> Any:
        return Fraction(0) if is_exact_zero(other) else _lift(self, other, lambda a, b: _quotient(b, a))

    __radd__ = __add__
    __rmul__ = __mul__

    def __neg__(self) -> Interval:
        return Interval(-self.x)

    def __pow__(self, n: int) -> Interval:
        return Interval(self.x**n)


Real: TypeAlias = Union[Fraction, Interval]  # noqa: UP007 - Interval is defined here


def is_exact_zero(x: Any) -> bool:
    """Whether x is the rational 0."""
    return isinstance(x, (int, Fraction)) and x == 0


def _lift(x: Interval, y: Any, f: Callable[[Any, Any], Any]) -> Any:
    if isinstance(y, (int, Fraction)):
        y = Interval.of(Fraction(y))
    return Interval(f(x.x, y.x)) if isinstance(y, Interval) else NotImplemented


def _quotient(a: Any, b: Any) -> Any:
    if 0 in b:
        raise Undecided("division by an interval that contains 0")
    return a / b


def sign(x: Real) -> int:
    """-1, 0 or 1; ``Undecided`` if the interval contains 0."""
    if isinstance(x, Fraction):
        return (x > 0) - (x < 0)
    if x.x.a > 0:
        return 1
    if x.x.b < 0:
        return -1
    raise Undecided("an interval that contains 0")


def differ(x: Real, y: Real) -> bool:
    """Whether x and y are certainly different, by more than a float constant in the code may be rounded (1e-9, relatively)."""
    try:
        return sign(square(x - y) - Fraction(1, 10**18) * (square(x) + square(y))) > 0
    except Undecided:
        return False


def square(x: Real) -> Real:
    """x²."""
    return x * x


def text(x: Real) -> str:
    """An exact rational as a fraction, or the first digits of the number that the interval encloses."""
    if isinstance(x, Fraction):
        return str(x)
    middle = x.x.mid
    return f"{float(middle.a):.12g}..."


def _transcendental(name: str, x: Real) -> Real:
    try:
        return Interval(getattr(IV, name)(Interval.of(x).x))
    except (ValueError, ZeroDivisionError, NotImplementedError) as error:
        raise Undecided(f"{name} outside its domain") from error


class RealDomain(Domain):
    """Rationals and intervals."""

    def number(self, c: Scalar) -> Real:
        return c if isinstance(c, (Interval, Rational)) else Fraction(exact(c))

    def exp(self, x: Real) -> Real:
        return Fraction(1) if is_exact_zero(x) else _transcendental("exp", x)

    def log(self, x: Real) -> Real:
        if sign(x) <= 0:
            raise OutsideDomain("logarithm of a number that is not positive")
        return Fraction(0) if x == 1 else _transcendental("log", x)

    def sqrt(self, x: Real) -> Real:
        if is_exact_zero(x):
            return Fraction(0)
        if sign(x) < 0:
            raise OutsideDomain("root of a negative number")
        if isinstance(x, Fraction):
            root = Fraction(math.isqrt(x.numerator), math.isqrt(x.denominator))
            if root * root == x:
                return root
        return _transcendental("sqrt", x)

    def arctan(self, x: Real) -> Real:
        """mpmath's atan2 of intervals may miss the value by its last digit, so the interval is widened by 10^-55."""
        rest = IV.mpf([-1, 1]) / IV.mpf(10) ** 55
        return Fraction(0) if is_exact_zero(x) else Interval(IV.atan2(Interval.of(x).x, IV.mpf(1)) + rest)

    def normal_pdf(self, x: Real) -> Real:
        density: Real = self.exp(-(x * x) / 2) / Interval(IV.sqrt(2 * IV.pi))
        return density

    def normal_cdf(self, x: Real) -> Real:
        """Φ(x) = 1/2 + φ(x) Σ x^(2n+1) / (1 · 3 · 5 ··· (2n+1)); the rest of the series is at most its last term once the terms halve."""
        if sign(x) < 0:
            return 1 - self.normal_cdf(-x)
        term = total = x
        n = 0
        while n < 400 and (n < 20 or not _below(term, -210)):
            n += 1
            term = term * x * x / (2 * n + 1)
            total = total + term
        if not _below(x * x / (2 * n + 3), -1):
            raise Undecided("normal_cdf far from 0")
        rest = Interval(IV.mpf([0, 1])) * term
        value: Real = Fraction(1, 2) + self.normal_pdf(x) * (total + rest)
        return value

    def less(self, x: Real, y: Real) -> Real:
        return Fraction(int(sign(x - y) < 0))

    def maximum(self, row: Sequence[Real]) -> Real:
        largest = row[0]
        for x in row[1:]:
            if self.less(largest, x):
                largest = x
        return largest

    def unknown(self, name: str, order: int, x: Real) -> Real:
        """An unknown function is some cubic polynomial here, so its derivatives are exact."""
        coefficients = cubic(name)
        for _ in range(order):
            coefficients = [k * c for k, c in enumerate(coefficients)][1:]
        value: Real = Fraction(0)
        for c in reversed(coefficients):
            value = value * x + c
        return value


def _below(x: Real, exponent: int) -> bool:
    return sign(Fraction(2) ** exponent - x) > 0


def cubic(name: str) -> list[Fraction]:
    """The coefficients of the polynomial that stands for the unknown function ``name``."""
    rng = random.Random(f"unknown {name}")
    return [Fraction(rng.choice([-5, -4, -3, -2, -1, 1, 2, 3, 4, 5]), rng.randint(2, 7)) for _ in range(4)]
