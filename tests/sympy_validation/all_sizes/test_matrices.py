"""Scalars and numbers in matrices."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from sympy_validation.all_sizes import AllSizesOps, SymbolicMatrix


@pytest.fixture
def ops() -> AllSizesOps:
    return AllSizesOps()


@pytest.fixture
def X(ops: AllSizesOps) -> SymbolicMatrix:
    return ops.variable("X", ops.size("N"), ops.size("D"))


def test_scalars(ops: AllSizesOps, X: SymbolicMatrix) -> None:
    a, b, N = ops.scalar("a"), ops.scalar("b", positive=True), ops.size("N")
    scalars = [
        ((a + b) * (a - b), a**2 - b**2),
        ((1 - a) / (1 - a), 1 + 0 * a),
        (2 / b, 2 * b**-1),
        (b**0.5 * b**0.5, b * 1),
        (a * N / N, 0 - (-1) * a),
        (1 + a - Fraction(1, 2), 0.5 + a),
        (b**a * b, b ** (a + 1)),
        (2**a * 3**a, 6**a),
    ]
    for left, right in scalars:
        assert ops.is_zero(ops.full(left, 1, 1) - ops.full(right, 1, 1)), (left.text(), right.text())
        assert not ops.is_zero(ops.full(left, 1, 1) - ops.full(right + Fraction(1, 10**9), 1, 1))
    assert ops.is_zero(a * X - X * a)
    assert ops.is_zero(ops.scale(N, X) / N - X)


def test_numbers_of_numpy(ops: AllSizesOps, X: SymbolicMatrix) -> None:
    assert ops.is_zero(np.int64(3) * X - 3 * X)
    assert ops.is_zero(np.float64(0.1) * X - X / 10)
