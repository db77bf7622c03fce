"""What is shown to be different from 0 almost everywhere, and what is not."""

from __future__ import annotations

import pytest

from sympy_validation.all_sizes import AllSizesOps
from sympy_validation.all_sizes.generic import is_generic

ops = AllSizesOps()
N, D, K = ops.size("N"), ops.size("D"), ops.size("K")
X, W, b, V = ops.variable("X", N, D), ops.variable("W", K, D), ops.variable("b", 1, K), ops.variable("V", K, K)
R = ops.variable("R", N, D, fixed=True)
zeros = ops.zeros(N, D)
hidden = ops.maximum(X @ ops.transpose(W), ops.zeros(N, K))

both = X @ ops.transpose(ops.variable("U", 2 * K, D))
first, second = (ops.column_part(both, k, 2) for k in (0, 1))

GENERIC = [
    X,
    X - R,
    X @ ops.transpose(W),
    X @ ops.transpose(W) + ops.row_repeat(b, N),
    hidden @ V + ops.row_repeat(b, N),
    ops.hadamard(X, X) - ops.ones(N, D),
    ops.exp(X),
    first - second,
    first - 2 * second,
    ops.hadamard(X, ops.exp(-X)),
]
NOT_SHOWN = [
    zeros,
    X - ops.column_repeat(ops.rows_max(X), D),  # 0 at every winner
    ops.maximum(X, zeros),  # 0 wherever x < 0
    ops.rows_sum(ops.maximum(X, zeros)),
    hidden @ V,  # 0 where no unit is alive
    ops.hadamard(R, X),  # 0 where the mask is
    X - ops.row_repeat(ops.columns_mean(X), N),  # 0 for N = 1
    ops.sqrt(ops.hadamard(X, X)) - X,
    X - X,
    first - first,
    ops.rows_sum(ops.hadamard(R, X)) - ops.rows_sum(ops.hadamard(ops.hadamard(R, R), X)),  # 0 for some masks
]


@pytest.mark.parametrize("matrix", GENERIC, ids=str)
def test_generic(matrix: object) -> None:
    assert is_generic(matrix.entry)
    assert is_generic(-matrix.entry)


@pytest.mark.parametrize("matrix", NOT_SHOWN, ids=str)
def test_not_shown(matrix: object) -> None:
    assert not is_generic(matrix.entry)


def test_a_size_above_one() -> None:
    own = AllSizesOps()
    N, D = own.own_size("N"), own.own_size("D", 2)
    X, R = own.variable("X", N, D), own.variable("R", N, D, fixed=True)
    mean, mean_of_squares = (own.column_repeat(own.rows_mean(A), D) for A in (X, own.hadamard(X, X)))
    assert is_generic((X - mean).entry)
    assert is_generic((mean_of_squares - own.hadamard(X, X)).entry)
    assert not is_generic((X - own.row_repeat(own.columns_mean(X), N)).entry)
    assert not is_generic((own.column_repeat(own.rows_sum(own.hadamard(R, X)), D) - X).entry)  # 0 for one mask


def test_a_reciprocal_is_nowhere_zero() -> None:
    T = ops.variable("T", N, D, fixed=True)
    assert is_generic((ops.hadamard(X, ops.reciprocal(T)) - ops.ones(N, D)).entry)
    assert not is_generic(ops.hadamard(X, T).entry)


def test_what_is_zero_in_a_region_is_not_turned_around() -> None:
    Q = X - ops.column_repeat(ops.rows_max(X), D)
    both = ops.less(Q, zeros) + ops.less(zeros, Q) - ops.ones(N, D)
    assert not ops.is_zero(both)
    assert ops.is_zero(ops.less(X, zeros) + ops.less(zeros, X) - ops.ones(N, D))
