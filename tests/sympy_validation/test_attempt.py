"""One claim in the spaces of one method: what is set up once, and what stops a proof stops it for all quantities."""

from __future__ import annotations

from typing import Any

import pytest

from sympy_validation.attempt import Attempt
from sympy_validation.claims import Equality
from sympy_validation.limits import NoVerdict

SIZES = ({"N": 2, "D": 2}, {"N": 1, "D": 3})


class TwoAndThree:
    """2 X as a sum, which is right, and 3 X, which is not; counts how often the code runs."""

    def __init__(self, tested: Any = None) -> None:
        self.spaces: list[Any] = []
        self.claim = Equality(("two", "three"), {"X": ("N", "D")}, tested or self.tested, lambda space, X: (2 * X, 2 * X))

    def tested(self, ops: Any, X: Any) -> Any:
        self.spaces.append(ops)
        return X + X, X + X + X


@pytest.mark.parametrize(("method", "spaces"), [("all sizes", 1), ("entries", 2)])
def test_the_code_runs_once_in_each_space_for_all_quantities(method: Any, spaces: int) -> None:
    counted = TwoAndThree()
    attempt = Attempt(counted.claim, method, SIZES)
    assert attempt.proves("two") == (True, ())
    assert attempt.proves("three") == (False, ())
    assert len(counted.spaces) == spaces


def test_checks_are_those_of_the_other_method_where_they_are_given() -> None:
    claim = TwoAndThree().claim
    first = Attempt(claim, "all sizes")
    assert Attempt(claim, "entries", SIZES, shared=first.checks).checks is first.checks


def test_a_space_that_takes_too_long_for_one_quantity_does_so_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def endless(self: Equality, space: Any) -> Any:
        calls.append(space)
        raise NoVerdict

    monkeypatch.setattr(Equality, "problem", endless)
    attempt = Attempt(TwoAndThree().claim, "all sizes")
    for quantity in ("two", "three"):
        with pytest.raises(NoVerdict):
            attempt.proves(quantity)
    assert len(calls) == 1
