"""The softmax functions (section 5.1), plain and stable, and their Jacobians."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from nerva_core.algebra.matrix_ops import MatrixOps
from nerva_core.algebra.trees import Tree
from nerva_core.equations.softmax import log_softmax, log_softmax_jacobian, softmax, softmax_jacobian, stable_log_softmax, stable_softmax
from sympy_validation.theorem import Theorem
from sympy_validation.theorems.tools import equation, product

X = {"X": ("N", "D")}
ROW = {"x": (1, "D")}


def theorems() -> Iterator[Theorem]:
    """The table for the softmax functions."""
    subject = "softmax functions"
    yield from equation(subject, "stable_softmax", "stable-softmax(X) = softmax(X)", X, stable_softmax, on(softmax))
    yield from equation(subject, "stable_log_softmax", "stable-log-softmax(X) = log-softmax(X)", X, stable_log_softmax, on(log_softmax))
    yield from equation(
        subject, "log_softmax", "log-softmax(X) = log(softmax(X))", X, log_softmax, lambda space, X: space.ops.log(softmax(space.ops, X))
    )
    yield from equation(
        subject,
        "rows",
        "the rows of softmax(X) sum to 1",
        X,
        lambda ops, X: ops.rows_sum(softmax(ops, X)),
        lambda space, X: space.ops.ones(space.ops.shape(X)[0], 1),
    )
    for f, jacobian, number in (
        (softmax, softmax_jacobian, "(26)"),
        (stable_softmax, softmax_jacobian, "(26)"),
        (log_softmax, log_softmax_jacobian, "(27)"),
        (stable_log_softmax, log_softmax_jacobian, "(27)"),
    ):
        yield from equation(subject, f"{f.__name__}_jacobian", f"∂{f.__name__}(x)/∂x as printed {number}", ROW, jacobian, jacobian_of(f))
    yield from log_softmax_derivation()


def on(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function of (ops, X) as one of (space, X)."""
    return lambda space, X: f(space.ops, X)


def jacobian_of(f: Callable[..., Any]) -> Callable[..., Any]:
    """∂f(x)/∂x."""
    return lambda space, x: space.jacobian(f(space.ops, x), "x")


def log_softmax_derivation() -> Iterator[Theorem]:
    """The lines of equation (28) that are right."""
    derivative = jacobian_of(log_softmax)

    def line2(ops: MatrixOps, x: Any) -> Tree:
        y = softmax(ops, x)
        return ops.Diag(ops.reciprocal(y)) @ (ops.Diag(y) - ops.transpose(y) @ y)

    def line4(ops: MatrixOps, x: Any) -> Tree:
        D = ops.shape(x)[1]
        return ops.identity(D) - product(ops.ones(D, 1), softmax(ops, x))

    yield from equation(
        "specification.5.2", "(28) line 2", "∂log(y)/∂x = Diag(1/y) · (Diag(y) - yᵀ y), y = softmax(x)", ROW, line2, derivative
    )
    yield from equation("specification.5.2", "(28) line 4", "∂log(y)/∂x = I_D - 1_D · y, y = softmax(x)", ROW, line4, derivative)
