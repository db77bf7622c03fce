"""The exit status and the words of every verdict, and of one that is meant to be different."""

import pytest

from sympy_validation.foreign.gradient_verdict import Difference, GradientVerdict, Rung

WRONG = Difference("x", {"N": 2, "D": 3}, (1, 0), "1/2", "1/3")


@pytest.mark.parametrize(
    ("rung", "status", "expected_status", "words"),
    [
        (Rung.PROVED, 0, 1, "proved for all sizes: why"),
        (Rung.REFUTED, 1, 0, "REFUTED: at N=2, D=3: dx[1,0] should be 1/2, is 1/3; change + to -"),
        (Rung.NOT_PROVED, 3, 3, "not proved: why"),
        (Rung.SOME_SIZES, 4, 1, "proved for F = 1, 2: other sizes are not proved (why)"),
        (Rung.NOT_CAPTURED, 5, 5, "not captured: why"),
        (Rung.ERROR, 6, 6, "ERROR: why"),
    ],
)
def test_status_and_words(rung: Rung, status: int, expected_status: int, words: str) -> None:
    counterexample = WRONG if rung is Rung.REFUTED else None
    found = GradientVerdict("f", rung, sizes="F = 1, 2", counterexample=counterexample, reason="why", advice="change + to -")
    assert (found.status, found.words) == (status, words)
    assert found.as_expected == (rung in (Rung.PROVED, Rung.SOME_SIZES))
    found.expected = "straight-through"
    assert found.status == expected_status
    assert found.as_expected == (rung is Rung.REFUTED)


def test_a_difference_of_a_number_has_no_place() -> None:
    assert str(Difference("x", {}, (), "1", "2")) == "at this point: dx should be 1, is 2"
