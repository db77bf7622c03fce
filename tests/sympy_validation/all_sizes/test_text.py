"""Normal forms as text."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sympy_validation.all_sizes import AllSizesOps, SymbolicMatrix


@pytest.fixture
def ops() -> AllSizesOps:
    return AllSizesOps()


@pytest.fixture
def X(ops: AllSizesOps) -> SymbolicMatrix:
    return ops.variable("X", ops.size("N"), ops.size("D"))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (lambda o, X: X, "X[i,j]"),
        (lambda o, X: o.transpose(X), "X[j,i]"),
        (lambda o, X: X @ o.transpose(X), "Σ_k(X[i,k]·X[j,k])"),
        (lambda o, X: o.elements_sum(X), "Σ_{k,l}(X[k,l])"),
        (lambda o, X: o.columns_mean(X), "N^-1·Σ_k(X[k,j])"),
        (lambda o, X: o.identity(o.size("N")), "δ(i,j)"),
        (lambda o, X: o.diag(X @ o.transpose(X)), "Σ_k(X[i,k]^2)"),
        (lambda o, X: X - 2 * X / 3, "1/3·X[i,j]"),
        (lambda o, X: 0.1 * X, "1/10·X[i,j]"),
        (lambda o, X: X - X, "0"),
        (lambda o, X: o.rows_max(X), "max_k(X[i,k])"),
        (lambda o, X: o.less(X, o.ones(*o.shape(X))), "[X[i,j] - 1 < 0]"),
        (lambda o, X: o.exp(2 * X), "exp(X[i,j])^2"),
        (lambda o, X: o.log(X), "log(X[i,j])"),
        (lambda o, X: o.sqrt(X), "(X[i,j])^(1/2)"),
        (lambda o, X: o.reciprocal(X + o.ones(*o.shape(X))), "(1 + X[i,j])^-1"),
        (lambda o, X: o.normal_cdf(X), "Φ(X[i,j])"),
        (lambda o, X: o.unknown_activation("f").gradient(o, X), "f'(X[i,j])"),
        (lambda o, X: o.columns_sum(o.column_repeat(o.rows_sum(X), o.size("K"))), "Σ_{k,l}(X[k,l])"),
        (lambda o, X: o.elements_sum(o.ones(3, o.size("N"))), "3·N"),
    ],
)
def test_text(ops: AllSizesOps, X: SymbolicMatrix, expression: Callable[..., SymbolicMatrix], expected: str) -> None:
    assert expression(ops, X).text() == expected
