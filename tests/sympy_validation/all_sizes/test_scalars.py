"""Sizes and hyper-parameters are compared where the answer is the same for all of them, and only there."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import math
import operator
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from sympy_validation.cases import Case
from sympy_validation.operands import ComparedError, watched
from sympy_validation.spaces.symbolic_sizes import SymbolicSizesSpace


def test_what_is_known_of_a_scalar_answers() -> None:
    space = SymbolicSizesSpace(own=True)
    c, d = space.scalar("c", 0), space.scalar("d")
    assert c > 0
    assert c * c + 1 >= 1
    assert not -c > 0
    assert c == c
    assert not c - c
    assert 1 / (1 + c) < 1
    for compare in (lambda: d > 0, lambda: c * d == 1, lambda: c < d, lambda: bool(d)):
        with pytest.raises(ComparedError):
            compare()


@pytest.mark.parametrize(("bounds", "below"), [((None, 2.0), True), ((0.5, 2.0), True), ((2.0, None), False), ((2.0, 2.5), False)])
def test_an_interval_answers(bounds: tuple[float | None, float | None], below: bool) -> None:
    space = SymbolicSizesSpace(own=True)
    space.assume(Case(scalars={"c": bounds}))
    c = space.scalar("c")
    assert (c < 2, c >= 2, c == 2, c != 2) == (below, not below, False, True)


WRAPPED = dataclasses.make_dataclass("WRAPPED", "a")
ASKS: list[Callable[[Any], Any]] = [
    *(int, float, complex, round, math.trunc, math.floor, math.ceil, operator.index, hash, str, repr, format),
    *(lambda x: x % 2, lambda x: 7 % x, lambda x: divmod(x, 2), lambda x: 1000 // x, lambda x: (x + 1) // 2, lambda x: hasattr(x, "real")),
    *(lambda x: isinstance(x, float), lambda x: collections.ChainMap({}).get(x), lambda x: WRAPPED(x) == WRAPPED(1)),
]


@pytest.mark.parametrize("ask", ASKS)
@pytest.mark.parametrize("kind", ["size", "scalar"])
def test_what_a_number_would_answer_is_not_answered(kind: str, ask: Callable[[Any], Any]) -> None:
    """Also if the code that asks goes on after the exception."""
    number = getattr(SymbolicSizesSpace(own=True), kind)("n")
    with pytest.raises(ComparedError), watched(), contextlib.suppress(Exception):
        ask(number)


@pytest.mark.parametrize("other", [Decimal(17), 17j])
def test_numbers_of_other_kinds_may_be_equal(other: Any) -> None:
    c = SymbolicSizesSpace(own=True).scalar("c")
    with pytest.raises(ComparedError):
        assert c == other
    assert (c == "c", c == None, c == math.inf) == (False, False, False)  # noqa: E711
