"""Cases answer comparisons, and together are everything."""

from __future__ import annotations

import itertools
import operator

import pytest

from sympy_validation.cases import MIRRORED, Case, DividedError, ImpossibleError, divide

COMPARE = {"==": operator.eq, "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge}


def all_cases(questions: list[tuple[str, str, int]]) -> list[Case]:
    """The cases that answer all questions about sizes."""

    def parts(case: Case) -> list[Case]:
        try:
            for name, sign, t in questions:
                case.compare_size(name, sign, t)
        except DividedError as error:
            return error.cases
        return []

    return divide(parts) or []


@pytest.mark.parametrize("questions", [*([("N", a, 3), ("N", b, 5)] for a, b in itertools.product(COMPARE, COMPARE)), [("N", "<", 1)]])
def test_every_size_is_in_one_case_that_answers_rightly(questions: list[tuple[str, str, int]]) -> None:
    cases = all_cases(questions)
    for n in range(1, 9):
        (case,) = [case for case in cases if case.fit("N", n) == n]
        assert all(case.compare_size("N", sign, t) == COMPARE[sign](n, t) for _, sign, t in questions)


@pytest.mark.parametrize(
    ("low", "closed", "sign", "t"), [*itertools.product([None, 0.0], [False, True], COMPARE, [-1.0, 0.0, 0.5, 1.0, 2.0])]
)
def test_every_number_is_in_one_case_that_answers_rightly(low: float | None, closed: bool, sign: str, t: float) -> None:
    closed = closed and low is not None

    def ask(case: Case) -> bool:
        bounds = case.scalars.get("c")
        if bounds and bounds[0] is not None and bounds[0] == bounds[1]:
            return COMPARE[sign](bounds[0], t)  # it is a number there
        return case.compare_scalar("c", sign, t, (low, 1.0), closed)

    def parts(case: Case) -> list[Case]:
        try:
            ask(case)
        except DividedError as error:
            return error.cases
        return []

    cases = divide(parts) or []
    for c in (-2.0, -1.0, -0.5, 0.0, 0.25, 0.5, 0.75, 1.0):
        if low is None or c > low or (closed and c == low):
            assert [ask(case) for case in cases if _holds(case, c)] == [COMPARE[sign](c, t)]


def _holds(case: Case, c: float) -> bool:
    low, high = case.scalars.get("c", (None, None))
    return c == low == high or ((low is None or c > low) and (high is None or c < high))


def test_two_sizes() -> None:
    def parts(case: Case) -> list[Case]:
        try:
            if case.name("D") != case.name("K"):
                case.compare_sizes("D", "==", "K")
                case.compare_sizes("K", "<", "D")
        except DividedError as error:
            return error.cases
        return []

    assert [case.words for case in divide(parts) or []] == ["D = K", "K < D", "D < K"]
    assert Case(order={("D", "K"): "<", ("K", "D"): ">"}).compare_sizes("K", ">=", "D")
    assert MIRRORED["<="] == ">="


def test_too_many_cases_are_none() -> None:
    numbers = iter(range(2, 100))

    def parts(case: Case) -> list[Case]:
        try:
            case.compare_size("N", "==", next(numbers))
        except DividedError as error:
            return error.cases
        return []

    assert divide(parts) is None


def test_an_impossible_case_is_left_out() -> None:
    def parts(case: Case) -> list[Case]:
        if case.words == "N = 1":
            raise ImpossibleError
        return [Case(sizes={"N": (1, 1)}), Case(sizes={"N": (2, None)})] if case == Case() else []

    assert [case.words for case in divide(parts) or []] == ["N > 1"]


def test_what_another_case_assumes_is_added() -> None:
    case = Case(sizes={"N": (1, 1)}, scalars={"c": (0.0, None)})
    both = case.within(Case(sizes={"N": (2, None), "D": (2, None)}, scalars={"c": (0.0, 0.0), "d": (1.0, 1.0)}))
    assert both == Case(sizes={"N": (1, 1), "D": (2, None)}, scalars={"c": (0.0, None), "d": (1.0, 1.0)})
