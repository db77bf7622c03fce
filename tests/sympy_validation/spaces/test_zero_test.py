"""The zero test says zero of zero, and of nothing else."""

from __future__ import annotations

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from sympy_validation.spaces.zero_test import Fixed, Indicator, Unknown, is_zero

x, y, z = sp.symbols("x y z", real=True)
p = sp.Symbol("p", positive=True)
f = sp.Symbol("f")

ZERO = [
    (x + y) ** 2 - x**2 - 2 * x * y - y**2,
    1 / (x + y) - (x - y) / (x**2 - y**2),
    sp.exp(x + y) - sp.exp(x) * sp.exp(y),
    (x + sp.exp(x / 4)) ** 2 - x**2 - 2 * x * sp.exp(x / 4) - sp.exp(x / 2),
    sp.exp(x - z) / (sp.exp(x - z) + sp.exp(y - z)) - sp.exp(x) / (sp.exp(x) + sp.exp(y)),
    sp.sqrt(x**2 + 1) ** -3 * (x**2 + 1) - 1 / sp.sqrt(1 + x**2),
    sp.log(sp.exp(x) + sp.exp(x - y)) - x - sp.log(1 + sp.exp(-y)),
    Indicator(x) * (1 - Indicator(x)),
    Indicator(x - y) + Indicator(y - x) - 1,
    Indicator(3 * x) - Indicator(x),
    Indicator((1 - Indicator(x)) * x - 1) - Indicator(x) - (1 - Indicator(x)) * Indicator(x - 1),
    sp.diff(Unknown(f, 0, x * y), x) - y * Unknown(f, 1, x * y),
    sp.diff(Unknown(f, 0, 0, x, y), y) - Unknown(f, 0, 1, x, y),
]
NOT_ZERO = [
    x,
    sp.exp(x) - sp.exp(y),
    sp.sqrt(p) - p,
    1 / (1 + sp.exp(x)) - 1 / (1 + sp.exp(-x)),
    Indicator(x) - Indicator(y),
    Indicator(x) - Indicator(x - 1),
    Unknown(f, 0, x) - Unknown(f, 1, x),
    sp.log(x**2 + 1) - sp.log(x**2 + 2),
    sp.Rational(1, 10**9),
]


@pytest.mark.parametrize("expression", ZERO)
def test_zero(expression: sp.Expr) -> None:
    assert is_zero(expression)


@pytest.mark.parametrize("expression", NOT_ZERO)
def test_not_zero(expression: sp.Expr) -> None:
    assert not is_zero(expression)


@pytest.mark.parametrize("expression", ZERO)
def test_a_small_change_is_seen(expression: sp.Expr) -> None:
    assert not is_zero(expression + x / 1000)


terms = st.recursive(
    st.sampled_from([x, y, p, sp.Integer(2), sp.Rational(-1, 3)]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda t: t[0] + t[1]),
        st.tuples(inner, inner).map(lambda t: t[0] * t[1]),
        inner.map(lambda e: sp.exp(e / 4)),
        inner.map(lambda e: 1 / (1 + e**2)),
        inner.map(lambda e: sp.sqrt(1 + e**2)),
    ),
    max_leaves=6,
)


@given(terms, terms)
@settings(max_examples=80, deadline=None)
def test_what_is_called_zero_has_the_value_zero(a: sp.Expr, b: sp.Expr) -> None:
    at = {x: sp.Rational(3, 7), y: sp.Rational(-2, 5), p: sp.Rational(5, 3)}
    for difference in (a - b, sp.diff(a, x) - sp.diff(b, x), (a + b) ** 2 - sp.expand(a**2) - 2 * a * b - b * b):
        if is_zero(difference):
            assert abs(difference.subs(at).evalf(40)) < 1e-30


def test_a_divisor_that_is_zero_in_a_case() -> None:
    """b (1 - b) is 0, so nothing follows from an equation that is divided by it; nor where one case of the divisor is 0."""
    b = Indicator(x)
    assert not is_zero((1 / b - 1 / b**2) * z)
    assert not is_zero(z / (b * (1 - b)) - y / (b * (1 - b)) + (y - z) / (b * (1 - b)))
    assert is_zero(z / (1 + b) - z / (1 + b) ** 2 * (1 + b))


def test_an_indicator_is_turned_around_only_where_its_argument_is_not_zero() -> None:
    largest = Unknown(sp.Symbol("row maximum"), 0, 0, x, y)
    assert not is_zero(Indicator(x - largest) + Indicator(largest - x) - 1)
    assert not is_zero(Indicator(x * Fixed("r", real=True)) + Indicator(-x * Fixed("r", real=True)) - 1)
