"""The largest element of a row: where it is taken once almost everywhere, and where ties fill a region."""

from __future__ import annotations

import pytest

from sympy_validation.all_sizes import AllSizesOps, SymbolicMatrix
from sympy_validation.all_sizes.sums import maximum, opened_maximum
from sympy_validation.all_sizes.symbols import fresh
from sympy_validation.all_sizes.terms import Maximum
from sympy_validation.all_sizes.winners import take_once, ties_are_rare

ops = AllSizesOps()
N, D, K = ops.size("N"), ops.size("D"), ops.size("K")
X, V = ops.variable("X", N, D), ops.variable("V", D, D)
W, S = ops.variable("W", K, D), ops.variable("S", N, N)
R, T = ops.variable("R", N, D, fixed=True), ops.variable("T", N, D, row_stochastic=True)
zeros = ops.zeros(N, D)
xs = ops.column_repeat(ops.rows_sum(X), D)

RARE = [X, -X, X + R, ops.abs(X), ops.hadamard(X, X), X @ ops.transpose(W), ops.where(ops.less(X, zeros), X / 2, X), ops.hadamard(X, X) - X]
NOT_SHOWN = [
    ops.maximum(X, zeros),  # 0 in a whole region
    ops.hadamard(R, X),  # 0 where the mask is
    R,
    T,
    X @ V - X @ V + xs,  # the same for all columns
    S + ops.transpose(S),  # elements of two columns depend on the same entry
    ops.less(X, zeros),
    ops.clip(X, 0, 1),
]


def is_rare(A: SymbolicMatrix) -> bool:
    k = fresh(A.columns)
    return ties_are_rare(A.at(A.i, k), k)


@pytest.mark.parametrize("matrix", RARE, ids=str)
def test_rare(matrix: SymbolicMatrix) -> None:
    assert is_rare(matrix)


@pytest.mark.parametrize("matrix", NOT_SHOWN, ids=str)
def test_not_shown(matrix: SymbolicMatrix) -> None:
    assert not is_rare(matrix)


def winners(A: SymbolicMatrix) -> SymbolicMatrix:
    return ops.equal(A, ops.column_repeat(ops.rows_max(A), D))


def test_one_element_wins() -> None:
    E = winners(X)
    assert ops.is_zero(ops.rows_sum(E) - ops.ones(N, 1))
    assert ops.is_zero(ops.hadamard(E, ops.column_repeat(ops.reciprocal(ops.rows_sum(E)), D)) - E)
    assert not ops.is_zero(ops.rows_sum(E) - ops.ones(N, 1), off_kinks=False)


def test_two_elements_do_not_win() -> None:
    E, DY = winners(X), ops.variable("DY", N, D)
    once = ops.hadamard(E, ops.column_repeat(ops.rows_sum(ops.hadamard(DY, E)), D))
    assert ops.is_zero(once - ops.hadamard(DY, E))
    assert not ops.is_zero(once - 2 * ops.hadamard(DY, E))


def test_where_ties_fill_a_region_several_may_win() -> None:
    H = ops.maximum(X, zeros)
    assert not ops.is_zero(ops.rows_sum(winners(H)) - ops.ones(N, 1))


def test_what_is_left_out_is_listed() -> None:
    ops = AllSizesOps()
    N, D = ops.size("N"), ops.size("D")
    X = ops.variable("X", N, D)
    assert ops.is_zero(ops.rows_sum(ops.equal(X, ops.column_repeat(ops.rows_max(X), D))) - ops.ones(N, 1))
    assert "almost everywhere: the largest X[i,k] is taken once" in [c.replace("[i,j]", "[i,k]") for c in ops.conditions]
    rare: list[object] = []
    take_once(ops.rows_sum(ops.less(X, ops.column_repeat(ops.rows_max(X), D))).entry, rare)
    assert len(rare) == 1


def test_an_opened_maximum_has_a_fresh_index() -> None:
    k = fresh(D)
    (atom,) = maximum(X.at(X.i, k), k).atoms
    assert isinstance(atom, Maximum)
    assert opened_maximum(atom)[0] != k
