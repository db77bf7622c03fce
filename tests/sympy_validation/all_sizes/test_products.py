"""Products of atoms."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest

from sympy_validation.all_sizes import AllSizesOps, SymbolicMatrix, Undefined
from sympy_validation.all_sizes.products import branches, divide, multiply
from sympy_validation.all_sizes.terms import ONE

Equation = Callable[[AllSizesOps, SymbolicMatrix, SymbolicMatrix], SymbolicMatrix]


@pytest.fixture
def ops() -> AllSizesOps:
    return AllSizesOps()


@pytest.fixture
def X(ops: AllSizesOps) -> SymbolicMatrix:
    return ops.variable("X", ops.size("N"), ops.size("N"))


@pytest.fixture
def Y(ops: AllSizesOps) -> SymbolicMatrix:
    return ops.variable("Y", ops.size("N"), ops.size("N"))


FRACTIONS: dict[str, Equation] = {
    "sum": lambda o, X, Y: X + Y,
    "difference": lambda o, X, Y: X - 2 * Y,
    "with a size": lambda o, X, Y: o.scale(o.size("N"), X) + Y,
    "led by a size": lambda o, X, Y: X + o.scale(o.size("N"), o.hadamard(Y, Y)),
    "with sizes alone": lambda o, X, Y: o.full(o.scalar("c") - o.scalar("c") + o.size("N"), 1, 1) + o.ones(1, 1),
    "with coefficients": lambda o, X, Y: 3 * X / 7 + o.hadamard(Y, Y) / 2,
    "with a sum": lambda o, X, Y: o.column_repeat(o.rows_sum(X), o.size("N")) + Y,
    "with exponentials": lambda o, X, Y: o.exp(X) + o.exp(-Y),
    "with exponentials and one": lambda o, X, Y: 5 * o.exp(-X) + o.ones(*o.shape(X)),
    "with roots": lambda o, X, Y: o.sqrt(X) + o.sqrt(Y) + o.ones(*o.shape(X)),
    "nested": lambda o, X, Y: X + o.reciprocal(Y + o.ones(*o.shape(X))),
}


@pytest.mark.parametrize("name", FRACTIONS)
def test_a_fraction_cancels(ops: AllSizesOps, X: SymbolicMatrix, Y: SymbolicMatrix, name: str) -> None:
    """P P⁻¹ = 1, also term by term, where the whole of P is never seen; and P P⁻² = P⁻¹."""
    P = FRACTIONS[name](ops, X, Y)
    inverse, one = ops.reciprocal(P), ops.ones(*ops.shape(P))
    assert ops.is_zero(ops.hadamard(P, inverse) - one)
    assert ops.is_zero(ops.hadamard(P, ops.hadamard(inverse, inverse)) - inverse)
    assert not ops.is_zero(ops.hadamard(P, inverse) - 2 * one)
    assert not ops.is_zero(ops.hadamard(P + one, inverse) - one)


def test_negative_powers_of_exponentials_and_fractions_are_separated(ops: AllSizesOps, X: SymbolicMatrix) -> None:
    """e^-x / (1 + e^x) = e^-x - 1 / (1 + e^x)."""
    fraction = ops.reciprocal(ops.ones(*ops.shape(X)) + ops.exp(X))
    assert ops.is_zero(ops.hadamard(ops.exp(-X), fraction) - (ops.exp(-X) - fraction))


def test_a_delta_renames_what_it_multiplies(ops: AllSizesOps, X: SymbolicMatrix) -> None:
    eye = ops.identity(ops.size("N"))
    assert ops.is_zero(ops.hadamard(eye, X - ops.transpose(X)))
    assert ops.is_zero(ops.hadamard(eye, eye) - eye)
    assert not ops.is_zero(ops.hadamard(eye, X) - X)


def test_indicators(ops: AllSizesOps, X: SymbolicMatrix, Y: SymbolicMatrix) -> None:
    less, greater = ops.less(X, Y), ops.less(Y, X)
    assert ops.is_zero(ops.hadamard(less, less) - less)
    assert ops.is_zero(ops.hadamard(less, greater))
    assert not ops.is_zero(ops.hadamard(less, ops.less(X, 2 * Y)))
    with pytest.raises(Undefined):
        ops.reciprocal(ops.hadamard(less, X))


def test_indicators_of_which_one_decides_the_other(ops: AllSizesOps, X: SymbolicMatrix, Y: SymbolicMatrix) -> None:
    N = ops.size("N")
    b, c = (lambda threshold: ops.less(X, ops.full(threshold, N, N))), (lambda threshold: ops.less(ops.full(threshold, N, N), X))
    positive = ops.variable("P", N, N, positive=True)
    one = ops.ones(N, N)
    proved = [
        ops.hadamard(b(-1), b(Fraction(1, 2))) - b(-1),
        ops.hadamard(c(-1), c(Fraction(1, 2))) - c(Fraction(1, 2)),
        ops.hadamard(b(-1), c(2)),
        ops.hadamard(b(2), c(2)),
        ops.hadamard(b(2), c(-1)) - (b(2) + c(-1) - one),
        ops.hadamard(ops.less(X, Y), ops.less(X, Y + positive)) - ops.less(X, Y),
    ]
    assert all(ops.is_zero(equation, off_kinks=False) for equation in proved)
    refused = [
        ops.hadamard(b(-1), b(Fraction(1, 2))) - b(Fraction(1, 2)),
        ops.hadamard(b(-1), c(-2)),
        ops.hadamard(b(2), c(3)) - (b(2) + c(3) - one),
        ops.hadamard(ops.less(X, Y), ops.less(X, Y - positive)) - ops.less(X, Y),
        ops.hadamard(ops.less(X, Y), ops.less(X, 2 * Y)) - ops.less(X, Y),
    ]
    assert not any(ops.is_zero(equation) for equation in refused)


def test_indicators_that_are_both_0_where_their_arguments_are(ops: AllSizesOps, X: SymbolicMatrix, Y: SymbolicMatrix) -> None:
    """x < y or y < x + z² holds unless x = y and z = 0."""
    Z = ops.variable("Z", ops.size("N"), ops.size("N"))
    b, c = ops.less(X, Y), ops.less(Y, X + ops.hadamard(Z, Z))
    assert not ops.is_zero(ops.hadamard(b, c) - (b + c - ops.ones(*ops.shape(X))), off_kinks=False)


def test_fractions_with_different_denominators(ops: AllSizesOps, X: SymbolicMatrix, Y: SymbolicMatrix) -> None:
    one = ops.ones(*ops.shape(X))
    a, b = ops.reciprocal(X + one), ops.reciprocal(X + 2 * one)
    assert ops.is_zero(ops.hadamard(a, b) - (a - b))
    assert ops.is_zero(ops.reciprocal(ops.hadamard(X + Y, X + Y)) - ops.hadamard(ops.reciprocal(X + Y), ops.reciprocal(X + Y)))
    assert not ops.is_zero(ops.hadamard(a, b) - (a + b))


def test_branches(ops: AllSizesOps, X: SymbolicMatrix, Y: SymbolicMatrix) -> None:
    b = ops.less(X, Y)
    parts = branches(ops.where(b, X, 2 * Y).entry)
    assert parts is not None
    assert (parts.b, parts.one, parts.zero) == (b.entry, X.entry, (2 * Y).entry)
    assert parts.join(parts.one, parts.zero) == ops.where(b, X, 2 * Y).entry
    assert branches(X.entry) is None


def test_division(ops: AllSizesOps, X: SymbolicMatrix, Y: SymbolicMatrix) -> None:
    (x,), (y,) = X.entry.atoms, Y.entry.atoms
    P = multiply(X.entry, X.entry, Y.entry)
    assert divide(P, {x: 2}) == Y.entry
    assert divide(P, {x: 2, y: 1}) == ONE
