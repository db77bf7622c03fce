"""What the tables of theorems share."""

from __future__ import annotations

from fractions import Fraction

from sympy_validation.spaces.grids import Grid, GridOps
from sympy_validation.spaces.numbers import RealDomain
from sympy_validation.theorems.tools import equation, product, times

OPS = GridOps(RealDomain())
A = Grid([[Fraction(1), Fraction(2)], [Fraction(3), Fraction(5)]], (2, 2))


def test_product_and_times() -> None:
    assert product(A, A, A).elements == (A @ A @ A).elements
    assert times(OPS, OPS.full(3, 1, 1), A).elements == (3 * A).elements


def test_a_theorem_for_each_quantity_and_method() -> None:
    found = list(equation("s", ("a", "b"), "{} is", {"X": ("N", "D")}, lambda ops, X: (X, X), lambda space, X: (X, X)))
    assert [(t.quantity, t.method, t.statement) for t in found] == [
        ("a", "all sizes", "a is"),
        ("b", "all sizes", "b is"),
        ("a", "entries", "a is"),
        ("b", "entries", "b is"),
    ]
    assert len({id(t.claim) for t in found}) == 1
