"""Code may compute with what stands for a matrix, a scalar or a size, but not decide by it, nor hand it to NumPy."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.user_files import load_file
from sympy_validation.operands import ComparedError, watched
from sympy_validation.spaces.entries import EntriesSpace
from sympy_validation.spaces.points import PointSpace
from sympy_validation.spaces.symbolic_sizes import SymbolicSizesSpace

SPACES = [SymbolicSizesSpace(own=True), EntriesSpace({"N": 3, "D": 2}), PointSpace(0)]
CODE = """
def same(x, y): return x == y
def differs(x, y): return x != y
def key(x): return {x: 1}
def member(x, y): return x in {y}
"""


@pytest.mark.parametrize("space", SPACES)
def test_a_matrix_has_no_truth_value(space: Any) -> None:
    X, Y = (space.matrix(name, space.size("N"), space.size("D")) for name in "XY")
    compare: list[Callable[[], Any]] = [lambda: bool(X), lambda: X == Y, lambda: X != Y, lambda: X < Y, lambda: X >= 0, lambda: X == 0]
    for f in compare:
        with pytest.raises(ComparedError, match="the value of a matrix"):
            f()


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize(
    "function", [np.sum, np.mean, np.exp, np.transpose, np.asarray, lambda X: np.add(X, X), lambda X: np.maximum(X, 0)]
)
def test_numpy_does_not_compute_with_it(space: Any, function: Callable[[Any], Any]) -> None:
    X = space.matrix("X", space.size("N"), space.size("D"))
    with pytest.raises(NervaError, match="use the operations of ops"):
        function(X)


@pytest.mark.parametrize("space", SPACES)
def test_numbers_on_either_side(space: Any) -> None:
    X = space.matrix("X", space.size("N"), space.size("D"))
    two = space.ops.full(2, *space.ops.shape(X))

    def same(A: Any, B: Any) -> bool:
        difference = A - B
        return (
            difference.text() == (X - X).text()
            if hasattr(X, "text")
            else all(x == 0 or x.value == 0 for row in difference.elements for x in row)
        )

    assert same(X * 2, 2 * X)
    assert same(sum([X, X]), 2 * X)
    assert same(X + 2, X + two)
    assert same(2 - X, two - X)
    assert same(X - 2, X - two)
    assert same(np.float32(2) * X, 2 * X)
    with pytest.raises(NervaError, match=r"use ops.hadamard\(X, Y\)"):
        X * X


def test_a_scalar_is_not_compared() -> None:
    a = SymbolicSizesSpace(own=True).scalar("a")
    compare: list[Callable[[], Any]] = [lambda: a == 1, lambda: a > 0, lambda: bool(a), lambda: max(a, 1)]
    for f in compare:
        with pytest.raises(ComparedError, match="the value of a hyper-parameter"):
            f()


def test_a_users_code_does_not_compare_sizes(tmp_path: Path) -> None:
    path = tmp_path / "compares.py"
    path.write_text(CODE, encoding="utf-8")
    code, space = load_file(path), SymbolicSizesSpace(own=True)
    N, D = space.size("N"), space.size("D")
    assert code.same(N, N)
    assert not code.differs(N, N)
    compare: list[Callable[[], Any]] = [
        lambda: code.same(N, D),
        lambda: code.same(N, 7),
        lambda: code.differs(1, N),
        lambda: code.key(N),
        lambda: code.member(3, N),
    ]
    for f in compare:
        with pytest.raises(ComparedError, match="the size N"):
            f()


@pytest.mark.parametrize("function", [np.sum, np.asarray, lambda X: np.greater(X, 0)])
def test_a_refusal_that_is_caught_is_one(function: Callable[[Any], Any]) -> None:
    space = SymbolicSizesSpace(own=True)
    X, c = space.matrix("X", space.size("N"), space.size("D")), space.scalar("c")
    for operand in (X, c):
        with pytest.raises(NervaError, match="use the operations of ops"), watched(), contextlib.suppress(NervaError):
            function(operand)
