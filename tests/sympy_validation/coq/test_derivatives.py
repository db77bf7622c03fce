"""The rules of derivatives: against difference quotients."""

from __future__ import annotations

from fractions import Fraction

import pytest

from sympy_validation.coq.derivatives import derivative
from sympy_validation.coq.terms import ONE, ZERO, Add, Apply, Element, Mul, RationalNumber, Term
from tests.sympy_validation.coq.evaluation import value

X = Element("x", ())
HALF = RationalNumber(Fraction(1, 2))


@pytest.mark.parametrize("function", ["reciprocal", "exp", "log", "sqrt", "arctan", "ind"])
def test_the_slope_of_each_function(function: str) -> None:
    term: Term = Mul(Apply(function, Add(Mul(X, X), HALF)), X)
    slope = derivative(term, "x", ())
    x, h = 0.7, 1e-6
    left, right, at = (value(t, {"x": y}, {}, {}) for t, y in ((term, x - h), (term, x + h), (slope, x)))
    assert float(at) == pytest.approx((float(right) - float(left)) / (2 * h), rel=1e-6, abs=1e-9)


def test_what_is_held_is_constant() -> None:
    assert derivative(Element("x", (), held=True), "x", ()) == ZERO
    assert derivative(X, "x", ()) == ONE
    assert derivative(Element("y", ()), "x", ()) == ZERO
