"""The operations that a user's code is given compute what the others compute, and are not looked at."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.user_files import load_file
from sympy_validation.all_sizes import SymbolicMatrix
from sympy_validation.all_sizes.own_ops import OwnOps
from sympy_validation.operands import ComparedError
from sympy_validation.ways import followed

CODE = """
def kind(ops): return ops.__class__
def computed(ops, X): return ops.apply(square, ops.exp(X))
def square(ops, X): return ops.hadamard(X, X)
"""


@pytest.fixture
def own(tmp_path: Path) -> Any:
    (tmp_path / "code.py").write_text(CODE, encoding="utf-8")
    return load_file(tmp_path / "code.py")


def test_their_class_is_not_told(own: Any) -> None:
    with pytest.raises(ComparedError, match="the type of the matrix operations"):
        own.kind(OwnOps())
    assert isinstance(copy.copy(OwnOps()), OwnOps)


def test_what_the_code_does_in_an_operation_is_followed(own: Any) -> None:
    ops = OwnOps()
    X = ops.variable("X", ops.size("N"), ops.size("D"))
    with followed() as ways:
        Y = own.computed(ops, X)
    assert ops.is_zero(Y - ops.exp(2 * X))
    assert {code.co_name for code, _, _ in ways.steps} == {"computed", "square"}


def matrix(ops: OwnOps) -> SymbolicMatrix:
    return ops.variable("X", ops.own_size("N"), ops.own_size("D"))


def positive_part(ops: OwnOps, X: SymbolicMatrix) -> SymbolicMatrix:
    return ops.maximum(X, ops.zeros(*ops.shape(X)))


@pytest.mark.parametrize("name", ["sqrt", "xlogy"])
def test_zeros_in_a_whole_region_are_not_left_out(name: str) -> None:
    ops = OwnOps()
    R = positive_part(ops, matrix(ops))
    with pytest.raises(NervaError, match="may be 0 in a whole region"):
        getattr(ops, name)(*[R] * (1 if name == "sqrt" else 2))


def test_rare_zeros_are_a_condition() -> None:
    ops = OwnOps()
    X = matrix(ops)
    variance = ops.rows_mean(ops.hadamard(X, X)) - ops.hadamard(ops.rows_mean(X), ops.rows_mean(X))
    ops.sqrt(variance + ops.full(1e-5, *ops.shape(variance)))
    assert ops.is_zero(ops.quotient(X, X) - ops.ones(*ops.shape(X)))
    assert "X[i,j] != 0" in ops.conditions


def test_a_quotient_is_0_where_both_are_0_in_a_region() -> None:
    ops = OwnOps()
    X = matrix(ops)
    R = positive_part(ops, X)
    assert ops.is_zero(ops.quotient(R, R) - ops.greater(X, ops.zeros(*ops.shape(X))))
    assert not ops.is_zero(ops.quotient(R, R) - ops.ones(*ops.shape(X)))
