"""The operations that a user's code is given compute what the others compute, and are not looked at."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from nerva_core.algebra.user_files import load_file
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
