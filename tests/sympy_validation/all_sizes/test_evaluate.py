"""The value of a normal form at exact rationals."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from nerva_core.algebra.errors import NervaError
from sympy_validation.all_sizes import AllSizesOps, SymbolicMatrix, evaluate


class Rationals:
    """Exact arithmetic; what is not rational is refused."""

    def constant(self, c: Fraction) -> Fraction:
        return c

    def power(self, x: Fraction, exponent: Fraction) -> Fraction:
        if exponent.denominator > 1:
            raise NotImplementedError
        return x**exponent.numerator

    def less(self, x: Fraction, y: Fraction) -> bool:
        return x < y

    def exp(self, x: Fraction) -> Fraction:
        raise NotImplementedError

    log = arctan = normal_cdf = normal_pdf = exp


VALUES = {"X": [[1, -2, 3], [4, 5, -6]], "b": [[1, 2, 3]], "c": 7}
POINT = {name: [[Fraction(x) for x in row] for row in rows] if isinstance(rows, list) else Fraction(rows) for name, rows in VALUES.items()}


@pytest.fixture
def ops() -> AllSizesOps:
    return AllSizesOps()


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (lambda o, X, b, c: X, VALUES["X"]),
        (lambda o, X, b, c: o.transpose(X), [[1, 4], [-2, 5], [3, -6]]),
        (lambda o, X, b, c: c * b, [[7, 14, 21]]),
        (lambda o, X, b, c: X @ o.transpose(b), [[6], [-4]]),
        (lambda o, X, b, c: o.rows_max(X), [[3], [5]]),
        (lambda o, X, b, c: o.columns_max(X), [[4, 5, 3]]),
        (lambda o, X, b, c: o.elements_sum(o.maximum(X, o.zeros(*o.shape(X)))), [[13]]),
        (lambda o, X, b, c: o.identity(o.size("N")), [[1, 0], [0, 1]]),
        (lambda o, X, b, c: o.Diag(b), [[1, 0, 0], [0, 2, 0], [0, 0, 3]]),
        (lambda o, X, b, c: o.reciprocal(b + o.ones(1, o.size("D"))), [[Fraction(1, 2), Fraction(1, 3), Fraction(1, 4)]]),
        (lambda o, X, b, c: o.scale(o.size("D"), o.columns_mean(X)), [[Fraction(15, 2), Fraction(9, 2), Fraction(-9, 2)]]),
        (lambda o, X, b, c: o.unknown_activation("f").gradient(o, b), [[10, 20, 30]]),
        (lambda o, X, b, c: o.ones(2, 3), [[1, 1, 1], [1, 1, 1]]),
        (lambda o, X, b, c: o.full(c / 2, 1, 1), [[Fraction(7, 2)]]),
    ],
)
def test_values(ops: AllSizesOps, expression: Callable[..., SymbolicMatrix], expected: list[list[Any]]) -> None:
    N, D = ops.size("N"), ops.size("D")
    A = expression(ops, ops.variable("X", N, D), ops.variable("b", 1, D), ops.scalar("c"))
    functions = {"f": lambda order, x: 10**order * x}
    assert evaluate(A, {"N": 2, "D": 3}, POINT, functions, domain=Rationals()) == expected


def test_a_branch_that_is_not_taken_may_have_no_value(ops: AllSizesOps) -> None:
    b = ops.variable("b", 1, ops.size("D"))
    zero, one = ops.zeros(*ops.shape(b)), ops.ones(*ops.shape(b))
    inverse = ops.reciprocal(ops.where(ops.less(zero, b), b, one))
    point = {"b": [[Fraction(x) for x in (0, 2, -3)]]}
    assert evaluate(inverse, {"D": 3}, point, domain=Rationals()) == [[1, Fraction(1, 2), 1]]


def test_an_abstract_layer_has_no_value(ops: AllSizesOps) -> None:
    Y, _ = ops.abstract_layer("f").feedforward(ops, (), ops.variable("X", ops.size("N"), ops.size("D")))
    with pytest.raises(NervaError, match="abstract"):
        evaluate(Y, {"N": 2, "D": 3}, POINT, domain=Rationals())
