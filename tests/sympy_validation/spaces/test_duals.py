"""Derivatives of every function are right, and there is none at a kink."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

from sympy_validation.spaces.duals import Dual, DualDomain
from sympy_validation.spaces.numbers import Interval, OutsideDomain, Undecided, cubic

DUAL = DualDomain()

FUNCTIONS = {
    "exp": (DUAL.exp, math.exp),
    "log": (DUAL.log, lambda x: 1 / x),
    "sqrt": (DUAL.sqrt, lambda x: 1 / (2 * math.sqrt(x))),
    "arctan": (DUAL.arctan, lambda x: 1 / (1 + x * x)),
    "normal_cdf": (DUAL.normal_cdf, lambda x: math.exp(-x * x / 2) / math.sqrt(2 * math.pi)),
    "normal_pdf": (DUAL.normal_pdf, lambda x: -x * math.exp(-x * x / 2) / math.sqrt(2 * math.pi)),
    "square": (lambda x: x * x, lambda x: 2 * x),
    "reciprocal": (lambda x: 1 / x, lambda x: -1 / x**2),
    "difference": (lambda x: 3 - x, lambda x: -1),
    "quotient": (lambda x: (x + 1) / (x * x), lambda x: -1 / x**2 - 2 / x**3),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("x", [Fraction(2, 7), Fraction(3), Fraction(1, 1000)])
def test_derivatives(name: str, x: Fraction) -> None:
    ours, theirs = FUNCTIONS[name]
    result = ours(Dual(x, {"x": Fraction(1)}))
    assert float(Interval.of(result.partials["x"]).x.mid) == pytest.approx(theirs(float(x)), rel=1e-12)


def test_an_unknown_function_is_a_polynomial_with_its_derivatives() -> None:
    a, b, c, d = cubic("act")
    x = Fraction(2, 3)
    result = DUAL.unknown("act", 0, Dual(x, {"x": Fraction(1)}))
    assert result.value == a + b * x + c * x**2 + d * x**3
    assert result.partials["x"] == b + 2 * c * x + 3 * d * x**2 == DUAL.unknown("act", 1, Dual(x)).value
    assert cubic("act") != cubic("other")


def test_no_derivative_at_a_kink() -> None:
    x = Dual(Fraction(0), {"x": Fraction(1)})
    with pytest.raises(Undecided):
        DUAL.less(x, Dual(Fraction(0)))
    assert DUAL.less(Dual(Fraction(0)), Dual(Fraction(0))).value == 0


def test_a_maximum_has_no_derivative_at_a_tie() -> None:
    domain, one = DualDomain(), Fraction(1)
    x, y = Dual(one, {"x": one}), Dual(one, {"y": one})
    with pytest.raises(Undecided):
        domain.maximum([x, y])
    assert domain.maximum([x, x]).partials == {"x": 1}


def test_zero_divided_by_zero_is_zero() -> None:
    zero = Dual(Fraction(0))
    assert DUAL.quotient(zero, zero).value == 0
    with pytest.raises(Undecided):
        DUAL.quotient(Dual(Fraction(0), {"x": Fraction(1)}), zero)


def test_there_is_no_division_by_zero() -> None:
    with pytest.raises(OutsideDomain):
        _ = Dual(Fraction(1)) / Dual(Fraction(0))
