"""A name is declared once, in one interpreter; what is assumed of it is a condition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from nerva_core.algebra.errors import NervaError
from sympy_validation.all_sizes import AllSizesOps


@pytest.fixture
def ops() -> AllSizesOps:
    return AllSizesOps()


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda o: o.variable("X", 1, 1), "declared twice"),
        (lambda o: o.size("X"), "declared twice"),
        (lambda o: o.unknown_activation("Φ"), "Φ"),
        (lambda o: o.size("N M"), "letters"),
        (lambda o: o.variable("Z", 0, 1), "a size"),
    ],
)
def test_mistakes(ops: AllSizesOps, mistake: Callable[..., Any], message: str) -> None:
    ops.variable("X", ops.size("N"), ops.size("D"))
    with pytest.raises(NervaError, match=message):
        mistake(ops)


def test_the_same_name_in_two_interpreters(ops: AllSizesOps) -> None:
    other = AllSizesOps()
    P = ops.variable("P", ops.size("N"), 1, positive=True)
    Q = other.variable("P", other.size("N"), 1)
    assert ops.is_zero(ops.sqrt(ops.hadamard(P, P)) - P)
    assert not other.is_zero(other.sqrt(other.hadamard(Q, Q)) - Q)


def test_what_is_assumed_is_a_condition(ops: AllSizesOps) -> None:
    ops.variable("P", ops.size("N"), 1, positive=True)
    ops.variable("T", ops.size("N"), ops.size("K"), row_stochastic=True)
    ops.scalar("c", positive=True)
    assert ops.conditions == ("P[i] > 0", "the rows of T sum to 1", "c > 0")


def test_numbers_that_are_given_twice_are_one_matrix(ops: AllSizesOps) -> None:
    assert ops.is_zero(ops.any_matrix("a", 2, 3) - ops.any_matrix("a", 2, 3))
    assert not ops.is_zero(ops.any_matrix("a", 2, 3) - ops.any_matrix("b", 2, 3))
