"""Numbers in a user's code, as the exact numbers for which they stand."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache

from sympy_validation.all_sizes import powers
from sympy_validation.all_sizes.products import multiply
from sympy_validation.all_sizes.symbols import UNIT, Variable, number
from sympy_validation.all_sizes.terms import Entry, Polynomial, constant, only
from sympy_validation.all_sizes.text import text

PI = only(Entry(Variable("π", 1, 1, positive=True, fixed=True), UNIT, UNIT))
"""π: of the numbers that a formula has, the one that is not algebraic."""
INFINITY = Entry(Variable("∞", 1, 1, fixed=True), UNIT, UNIT)
"""A number beyond all others, of which only exp(-∞) = 0 is used."""
NOT_A_NUMBER = Entry(Variable("NaN", 1, 1, fixed=True), UNIT, UNIT)
"""What stands in a branch that is never taken, as the variance of no elements."""
HUGE = 1e8
"""A number of this size stands for ∞, as the -1e9 of masks does."""
DIGITS = 7
"""A float of so many digits may be a root or a multiple of π that was written out."""
FULL = 14
"""A float of more digits is the one that is nearest to its number."""
LARGEST = 32
"""The greatest numerator and denominator of what is under such a root."""


def constant_of(c: float | Fraction) -> Polynomial:
    """The number. A float is the decimal that it prints as, the fraction that it rounds, or a root with a power of π; a huge one is ∞."""
    if isinstance(c, (int, Fraction)) and abs(c) < HUGE:
        return constant(number(Fraction(c)))
    c = float(c)
    if math.isnan(c):
        return only(NOT_A_NUMBER)
    if abs(c) >= HUGE:
        return only(INFINITY).times(1 if c > 0 else -1)
    return _constant_of_float(c)


def reading(c: float | Fraction) -> str | None:
    """The condition of a proof in which a number that was written out, or a huge one, is taken for another; None of all others."""
    if isinstance(c, (int, Fraction)) or not math.isfinite(c):
        return f"{c} stands for ∞" if isinstance(c, int) and abs(c) >= HUGE else None
    if abs(c) >= HUGE:
        return f"{c:g} stands for ∞"
    exact = _constant_of_float(c)
    digits = len(repr(abs(c)).partition("e")[0].replace(".", "").strip("0"))
    return f"{c!r} stands for {text(exact)}" if digits <= FULL and exact != constant(number(Fraction(repr(c)))) else None


@lru_cache(1000)
def _constant_of_float(c: float) -> Polynomial:
    digits = len(repr(abs(c)).partition("e")[0].replace(".", "").strip("0"))
    if digits >= DIGITS:
        root = _root(c, digits)
        if root is not None:
            return root
    if digits > FULL:
        q = Fraction(c).limit_denominator(10**6)
        if abs(float(q) - c) <= 4e-16 * abs(c):
            return constant(number(q))
    return constant(number(Fraction(repr(c))))


def _root(c: float, digits: int) -> Polynomial | None:
    """±√(q πⁿ), if that is c to all its digits."""
    for n in (0, -1, 1, 2, -2):
        q = Fraction(c * c / math.pi**n).limit_denominator(LARGEST)
        exact = math.sqrt(q * math.pi**n)
        last_digit = 10.0 ** (math.floor(math.log10(abs(c))) - digits + 1)
        if 0 < q.numerator <= LARGEST and abs(exact - abs(c)) <= max(1.01 * last_digit, 1e-14 * exact):
            if n == 0 and math.isqrt(q.numerator) ** 2 == q.numerator and math.isqrt(q.denominator) ** 2 == q.denominator:
                return None  # a fraction
            root = multiply(powers.power(constant(number(q)), Fraction(1, 2)), powers.power(PI, Fraction(n, 2)))
            return root if c > 0 else -root
    return None
