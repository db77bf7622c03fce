"""SymPy expressions as elements: constants are exact, indicators are known off kinks, the maximum of a row proves nothing by itself."""

from __future__ import annotations

import sympy as sp

from sympy_validation.spaces.entries import EntriesSpace, SymPyDomain
from sympy_validation.spaces.points import SIZES


def test_constants_are_exact() -> None:
    x = sp.Symbol("x")
    domain = SymPyDomain()
    assert domain.number(0.1) == sp.Rational(1, 10)
    assert domain.number(1.0 * x + 0.25) == x + sp.Rational(1, 4)


def test_the_functions_are_those_of_sympy() -> None:
    x = sp.Symbol("x", real=True)
    domain = SymPyDomain()
    assert sp.simplify(sp.diff(domain.normal_cdf(x), x) - domain.normal_pdf(x)) == 0
    assert sp.diff(domain.unknown("f", 0, x), x) == domain.unknown("f", 1, x)


def test_the_maximum_of_a_row_must_cancel() -> None:
    space = EntriesSpace(SIZES[0])
    X = space.matrix("X", 3, 2)
    top = space.ops.rows_max(X)
    assert space.proves(top, top)[0]
    assert not space.proves(top, space.ops.rows_sum(X))[0]
    assert not space.proves(space.gradient(space.ops.ones(3, 1), top, "X"), space.ops.zeros(3, 2))[0]


def test_entries_know_indicators_off_kinks_only() -> None:
    space = EntriesSpace(SIZES[0])
    X = space.matrix("X", 2, 2)
    zero = space.ops.zeros(2, 2)
    below, not_above = space.ops.less(X, zero), space.ops.less_equal(X, zero)
    assert space.proves(below, not_above) == (True, ("almost everywhere: off the kinks",))
    assert not space.proves(below, not_above, strict=True)[0]
