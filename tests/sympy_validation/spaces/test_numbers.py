"""The numbers of counterexamples are exact: intervals contain the value, and nothing undecided is decided."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sympy_validation.spaces.numbers import IV, Interval, OutsideDomain, Rational, RealDomain, Undecided, differ, sign, text

REAL = RealDomain()
rationals = st.fractions(min_value=-6, max_value=6, max_denominator=20)


def contains(x: Any, value: mpmath.mpf) -> bool:
    return bool(x.x.a <= value <= x.x.b) if isinstance(x, Interval) else x == value


@given(rationals)
def test_functions_enclose_their_value(x: Fraction) -> None:
    with mpmath.workdps(90):
        y = mpmath.mpf(x.numerator) / x.denominator
        for ours, theirs in (
            (REAL.exp, mpmath.exp),
            (REAL.arctan, mpmath.atan),
            (REAL.normal_cdf, mpmath.ncdf),
            (REAL.normal_pdf, mpmath.npdf),
        ):
            enclosure = Interval.of(ours(x))
            assert contains(enclosure, theirs(y))
            assert enclosure.x.delta < mpmath.mpf(10) ** -50
        if x > 0:
            assert contains(Interval.of(REAL.log(x)), mpmath.log(y))
            assert contains(Interval.of(REAL.sqrt(x)), mpmath.sqrt(y))


@given(rationals, rationals)
def test_arithmetic_of_intervals_encloses_that_of_rationals(x: Fraction, y: Fraction) -> None:
    X, Y = Interval.of(x), Interval.of(y)
    for result, exact in ((X + Y, x + y), (X - y, x - y), (x - Y, x - y), (X * Y, x * y), (x * Y, x * y), (X**2, x * x)):
        assert not differ(Fraction(exact), result)
    if y:
        assert not differ(x / y, X / Y)
        assert not differ(x / y, x / Y)


def test_exact_where_possible() -> None:
    assert REAL.sqrt(Fraction(9, 4)) == Fraction(3, 2)
    assert REAL.exp(Fraction(0)) == 1
    assert REAL.log(Fraction(1)) == 0
    assert isinstance(REAL.sqrt(Fraction(2)), Interval)


def test_what_cannot_be_decided_is_not() -> None:
    wide = Interval(IV.mpf([-1, 1]))
    with pytest.raises(Undecided):
        sign(wide)
    with pytest.raises(Undecided):
        _ = 1 / wide
    assert not differ(wide, Fraction(0))


@pytest.mark.parametrize("function", [REAL.log, REAL.sqrt])
def test_outside_its_domain(function: Any) -> None:
    with pytest.raises(OutsideDomain):
        function(Fraction(-1))


def test_a_rounded_constant_is_no_difference() -> None:
    assert not differ(Fraction(1, 3), Fraction(1 / 3))
    assert differ(Fraction(1, 3), Fraction(1, 3) + Fraction(1, 10**8))
    assert differ(Fraction(0), Fraction(1, 10**30))


def test_text() -> None:
    assert text(Fraction(5, 7)) == "5/7"
    assert text(REAL.exp(Fraction(1))) == "2.71828182846..."


def test_floats_become_the_numbers_they_stand_for() -> None:
    p = Rational(Fraction(3, 10))
    assert 1.0 - p == Fraction(7, 10)
    assert isinstance(0.5 * p / 2 + 1.0, Rational)
