"""What is known to be positive, and scales."""

from __future__ import annotations

from fractions import Fraction

import pytest

from sympy_validation.all_sizes import AllSizesOps, SymbolicMatrix
from sympy_validation.all_sizes.signs import content, is_nonnegative, is_positive, sign


@pytest.fixture
def ops() -> AllSizesOps:
    return AllSizesOps()


def matrices(ops: AllSizesOps) -> tuple[SymbolicMatrix, SymbolicMatrix, SymbolicMatrix]:
    N, D = ops.size("N"), ops.size("D")
    return ops.variable("X", N, D), ops.variable("P", N, D, positive=True), ops.ones(N, D)


def test_known_to_be_positive(ops: AllSizesOps) -> None:
    X, P, one = matrices(ops)
    square = ops.hadamard(X, X)
    for positive in (P, ops.exp(X), one + square, ops.rows_sum(ops.exp(X)), ops.rows_max(P), P + ops.less(X, P), ops.sqrt(one + square)):
        assert is_positive(positive.entry)
        assert not is_positive((-positive).entry)


def test_a_size_is_at_least_so_much(ops: AllSizesOps) -> None:
    N, D = ops.own_size("N"), ops.own_size("D", 3)
    for positive in (D - 2, D * D - 8, 1 - 2 / D, (D - 1) / D - 0.5, N * D - 2 * N):
        assert is_positive(positive.value)
        assert not is_nonnegative((-positive).value)
    for unknown in (D - 3, 1 - 3 / D, D - N, N - 2, D**0.5 - 1):
        assert not is_positive(unknown.value)
    assert is_nonnegative((D - 3).value)
    assert (D, ops.own_size("D", 3)) == (D, D)


def test_not_known_to_be_positive(ops: AllSizesOps) -> None:
    X, P, one = matrices(ops)
    square, mask = ops.hadamard(X, X), ops.less(X, P)
    for matrix in (X, square, mask, ops.rows_sum(mask), ops.rows_sum(square), P - one, ops.zeros(1, 1), ops.rows_max(X), ops.log(P), X + P):
        assert not is_positive(matrix.entry)
    for matrix in (square, mask, ops.rows_sum(mask), ops.rows_sum(square), ops.rows_sum(ops.hadamard(P, square)), ops.zeros(1, 1)):
        assert is_nonnegative(matrix.entry)
    for matrix in (X, -square, square - mask, ops.rows_sum(ops.hadamard(X, square)), ops.rows_sum(ops.hadamard(X, P))):
        assert not is_nonnegative(matrix.entry)


def test_scales(ops: AllSizesOps) -> None:
    X, P, _ = matrices(ops)
    Q = (Fraction(4, 3) * X - Fraction(2, 9) * P).entry
    assert content(Q) == Fraction(2, 9)
    assert content(-Q) == Fraction(2, 9)
    assert sign(Q) == -sign(-Q)
