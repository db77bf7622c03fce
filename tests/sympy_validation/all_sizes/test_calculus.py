"""Derivatives."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sympy_validation.all_sizes import AllSizesOps, SymbolicMatrix


@pytest.fixture
def ops() -> AllSizesOps:
    return AllSizesOps()


@pytest.fixture
def X(ops: AllSizesOps) -> SymbolicMatrix:
    return ops.variable("X", ops.size("N"), ops.size("N"))


DERIVATIVES: dict[str, tuple[Callable[..., SymbolicMatrix], Callable[..., SymbolicMatrix]]] = {
    "x³": (lambda o, X: o.hadamard(X, o.hadamard(X, X)), lambda o, X: 3 * o.hadamard(X, X)),
    "1/x": (lambda o, X: o.reciprocal(X), lambda o, X: -o.reciprocal(o.hadamard(X, X))),
    "√x": (lambda o, X: o.sqrt(X), lambda o, X: o.inv_sqrt(X) / 2),
    "1/√(1 + x²)": (
        lambda o, X: o.inv_sqrt(o.ones(*o.shape(X)) + o.hadamard(X, X)),
        lambda o, X: -o.hadamard(o.hadamard(X, o.inv_sqrt(one_plus_square(o, X))), o.reciprocal(one_plus_square(o, X))),
    ),
    "e^(2x)": (lambda o, X: o.exp(2 * X), lambda o, X: 2 * o.exp(2 * X)),
    "log x": (lambda o, X: o.log(X), lambda o, X: o.reciprocal(X)),
    "x log x": (lambda o, X: o.xlogy(X, X), lambda o, X: o.log(X) + o.ones(*o.shape(X))),
    "arctan": (lambda o, X: o.arctan(X), lambda o, X: o.reciprocal(o.ones(*o.shape(X)) + o.hadamard(X, X))),
    "Φ": (lambda o, X: o.normal_cdf(X), lambda o, X: o.normal_pdf(X)),
    "φ": (lambda o, X: o.normal_pdf(X), lambda o, X: -o.hadamard(X, o.normal_pdf(X))),
    "|x|": (lambda o, X: o.abs(X), lambda o, X: o.sign(X)),
    "x / (1 + |x|)": (
        lambda o, X: o.hadamard(X, o.reciprocal(o.ones(*o.shape(X)) + o.abs(X))),
        lambda o, X: o.reciprocal(one_plus_square(o, X) + 2 * o.abs(X)),
    ),
    "x tanh(log(1 + e^x))": (
        lambda o, X: o.hadamard(X, o.tanh(o.softplus(X))),
        lambda o, X: (T := o.tanh(o.softplus(X))) + o.hadamard(X, o.hadamard(o.ones(*o.shape(X)) - o.hadamard(T, T), o.sigmoid(X))),
    ),
    "Huber's loss": (
        lambda o, X: o.where(o.less(o.abs(X), o.ones(*o.shape(X))), o.hadamard(X, X) / 2, o.abs(X) - o.ones(*o.shape(X)) / 2),
        lambda o, X: o.clip(X, -1, 1),
    ),
    "xᵀ": (lambda o, X: o.transpose(o.hadamard(X, X)), lambda o, X: 2 * X),
    "X²": (lambda o, X: X @ X, lambda o, X: o.ones(*o.shape(X)) @ o.transpose(X) + o.transpose(X) @ o.ones(*o.shape(X))),
    "diagonal": (lambda o, X: o.diag(X), lambda o, X: o.identity(o.size("N"))),
    "Diag": (lambda o, X: o.Diag(o.rows_sum(X)), lambda o, X: o.ones(*o.shape(X))),
}


def one_plus_square(ops: AllSizesOps, X: SymbolicMatrix) -> SymbolicMatrix:
    return ops.ones(*ops.shape(X)) + ops.hadamard(X, X)


@pytest.mark.parametrize("name", DERIVATIVES)
def test_derivatives(ops: AllSizesOps, X: SymbolicMatrix, name: str) -> None:
    """The derivative of the sum of all elements."""
    f, df = DERIVATIVES[name]
    G = ops.gradient(ops.elements_sum(f(ops, X)), X)
    assert ops.is_zero(G - df(ops, X))
    assert not ops.is_zero(G - 2 * df(ops, X))


def test_a_derivative_by_another_variable_is_zero(ops: AllSizesOps, X: SymbolicMatrix) -> None:
    other = ops.variable("X2", ops.size("N"), ops.size("N"))
    assert ops.is_zero(ops.gradient(ops.elements_sum(ops.exp(X)), other))


def test_second_derivatives(ops: AllSizesOps, X: SymbolicMatrix) -> None:
    f = ops.unknown_activation("f")
    first = ops.gradient(ops.elements_sum(f.value(ops, X)), X)
    assert ops.is_zero(first - f.gradient(ops, X))
    assert ops.gradient(ops.elements_sum(first), X).text() == "f''(X[i,j])"


def test_the_chain_rule_through_a_maximum(ops: AllSizesOps, X: SymbolicMatrix) -> None:
    _, D = ops.shape(X)
    zero = ops.zeros(*ops.shape(X))
    H = ops.maximum(X, zero)
    E = ops.exp(ops.rows_max(H))
    slope = ops.hadamard(ops.less(zero, X), ops.first_maxima(H))
    gradient = ops.gradient(ops.elements_sum(E), X)
    assert ops.is_zero(gradient - ops.hadamard(ops.column_repeat(E, D), slope))
    assert not ops.is_zero(gradient - slope)


def test_the_maximum_of_a_row_is_taken_once(ops: AllSizesOps, X: SymbolicMatrix) -> None:
    _, D = ops.shape(X)
    M = ops.rows_max(X)
    selected = ops.equal(X, ops.column_repeat(M, D))
    gradient = ops.gradient(ops.elements_sum(ops.hadamard(M, M)), X)
    assert ops.is_zero(gradient - 2 * ops.hadamard(ops.column_repeat(M, D), selected))
    assert not ops.is_zero(gradient - ops.hadamard(ops.column_repeat(M, D), selected))
