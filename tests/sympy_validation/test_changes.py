"""The changes of one operation, and where in the code it is."""

from __future__ import annotations

from typing import Any

import pytest

from sympy_validation.changes import Repair, RepairedOps, changes
from sympy_validation.spaces.points import PointSpace


def code(ops: Any, X: Any, cache: Any) -> Any:
    (Y,) = cache
    Z = ops.hadamard(X, Y)
    return ops.columns_sum(Z)


def given() -> tuple[PointSpace, Any, list[Any]]:
    space = PointSpace(0)
    X, Y = (space.matrix(name, space.size("N"), space.size("D")) for name in "XY")
    return space, X, [Y]


def test_the_line_and_the_variables_are_known() -> None:
    space, X, cache = given()
    recorder = RepairedOps(space.ops)
    recorder.call(code, X, cache)
    first, second = recorder.sites
    assert (first.step.name, second.step.name) == ("hadamard", "columns_sum")
    assert first.place.endswith("Z = ops.hadamard(X, Y)")
    assert (first.variables, second.variables) == (("X", "Y"), ("X", "Y", "Z"))


def test_a_change_is_that_of_its_words() -> None:
    space, X, cache = given()
    (Y,) = cache
    recorder = RepairedOps(space.ops)
    recorder.call(code, X, cache)
    found = dict(changes(recorder.sites[0]))
    expected = {
        "the sign is opposite": -space.ops.hadamard(X, Y),
        "add belongs in the place of hadamard": X + Y,
        "the first operand is too much": Y,
        "the term -X is missing": space.ops.hadamard(X, Y) - X,
        "it must be divided by the number of rows of the result": space.ops.hadamard(X, Y) / 3,
    }
    for words, Z in expected.items():
        changed = RepairedOps(space.ops, Repair(words, 1, found[words])).call(code, X, cache)
        sums = space.ops.columns_sum(Z)
        assert [changed[0, j].value for j in range(2)] == [sums[0, j].value for j in range(2)], words


def test_a_form_that_does_not_fit_is_no_change() -> None:
    space, X, cache = given()
    recorder = RepairedOps(space.ops)
    recorder.call(code, X, cache)
    found = dict(changes(recorder.sites[1]))
    with pytest.raises(ValueError, match="another shape"):
        RepairedOps(space.ops, Repair("", 2, found["the term X is missing"])).call(code, X, cache)
