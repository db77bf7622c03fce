"""Random programs: the normal form and its derivative have the values that plain arithmetic gives."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from nerva_core.algebra.errors import NervaError
from sympy_validation.all_sizes import AllSizesOps, NotDifferentiable, SymbolicMatrix, Undefined, evaluate
from sympy_validation.all_sizes.generic import is_generic, orient
from sympy_validation.all_sizes.winners import take_once
from tests.sympy_validation.all_sizes.dual_numbers import FUNCTIONS, INTERVALS, Dual, NumberOps, Numbers, Undecided, number
from tests.sympy_validation.all_sizes.programs import POSITIVE, SIZES, VARIABLES, Step, execute, random_program

CHUNKS, CHUNK = 12, 150


Element = Callable[[random.Random, bool], Fraction]
"""Draws an element of a variable, which may have to be positive."""


def ordinary(rng: random.Random, positive: bool) -> Fraction:
    return Fraction(rng.randint(1, 20) * (1 if positive else rng.choice((1, -1))), rng.randint(7, 11))


def tied(rng: random.Random, positive: bool) -> Fraction:
    """Of so few numbers many elements are equal, and many are 0."""
    return Fraction(rng.choice((1, 2) if positive else (-1, 0, 1)))


def near_a_tie(rng: random.Random, positive: bool) -> Fraction:
    """Beside a tie, on the border of two pieces."""
    return tied(rng, positive) + Fraction(rng.randint(-999, 999), 10**7)


class Point:
    """Random rational elements of the variables, and a random direction for X."""

    def __init__(self, rng: random.Random, element: Element = ordinary) -> None:
        sizes = {"1": 1, **SIZES}
        self.values = {
            name: [[element(rng, name in POSITIVE) for _ in range(sizes[n])] for _ in range(sizes[m])] for name, (m, n) in VARIABLES.items()
        }
        self.direction = [[Fraction(rng.randint(-9, 9), 7) for _ in range(SIZES["D"])] for _ in range(SIZES["N"])]

    def duals(self, name: str) -> Numbers:
        return Numbers(
            [
                [Dual(number(x).value, INTERVALS.constant(self.direction[i][j] if name == "X" else 0)) for j, x in enumerate(row)]
                for i, row in enumerate(self.values[name])
            ]
        )

    def intervals(self, **others: list[list[Fraction]]) -> dict[str, Any]:
        return {name: [[INTERVALS.constant(x) for x in row] for row in rows] for name, rows in {**self.values, **others}.items()}


def normal_form(program: list[Step]) -> tuple[AllSizesOps, dict[str, SymbolicMatrix], SymbolicMatrix]:
    ops = AllSizesOps()
    sizes = {"1": 1, "N": ops.size("N"), "D": ops.size("D")}
    functions = {"f": ops.unknown_activation("f"), "alpha": ops.unknown_step("alpha")}
    variables = {name: ops.variable(name, sizes[m], sizes[n], positive=name in POSITIVE) for name, (m, n) in VARIABLES.items()}
    return ops, variables, execute(program, ops, variables, functions, sizes)


def numbers(program: list[Step], point: Point) -> Numbers:
    ops = AllSizesOps()
    functions = {"f": ops.unknown_activation("f"), "alpha": ops.unknown_step("alpha")}
    return execute(program, NumberOps(), {name: point.duals(name) for name in VARIABLES}, functions, {"1": 1, **SIZES})


def compare(seed: int, element: Element = ordinary, derivatives: bool = True) -> str:
    """What was compared for one program. The value must agree, and the derivative of ⟨R, value⟩ in the direction for X."""
    rng = random.Random(seed)
    program, point = random_program(rng, rng.randint(1, 6)), Point(rng, element)
    try:
        expected = numbers(program, point)
    except Undecided:
        return "undecided"
    try:
        ops, variables, Y = normal_form(program)
    except (Undefined, NervaError):
        return "no normal form"
    try:
        value = [[x.value for x in row] for row in expected.elements]
        assert_equal(evaluate(Y, SIZES, point.intervals(), FUNCTIONS, domain=INTERVALS), value)
        if not derivatives:
            return "value"
        oriented = Y.with_entry(take_once(orient(Y.entry, [], is_generic), []))
        if oriented.entry != Y.entry:  # the point is on no kink: there its comparisons would be undecided
            assert_equal(evaluate(oriented, SIZES, point.intervals(), FUNCTIONS, domain=INTERVALS), value)
        R = [[Fraction(rng.randint(-9, 9), 5) for _ in row] for row in expected.elements]
        G = ops.gradient(ops.elements_sum(ops.hadamard(ops.variable("R", *ops.shape(Y)), Y)), variables["X"])
        slope = inner(evaluate(G, SIZES, point.intervals(R=R), FUNCTIONS, domain=INTERVALS), point.direction)
        assert_equal([[slope]], [[inner([[x.slope for x in row] for row in expected.elements], R)]])
    except Undecided:
        return "undecided"
    except NotDifferentiable:
        return "value"
    return "value and derivative"


def inner(A: list[list[Any]], R: list[list[Fraction]]) -> Any:
    return sum((x * INTERVALS.constant(c) for a, r in zip(A, R, strict=True) for x, c in zip(a, r, strict=True)), INTERVALS.constant(0))


def assert_equal(actual: list[list[Any]], expected: list[list[Any]]) -> None:
    assert [len(row) for row in actual] == [len(row) for row in expected]
    for a, b in zip(actual, expected, strict=True):
        for x, y in zip(a, b, strict=True):
            assert 0 in x - y
            if not (x - y).delta < 1e-15 * (1 + abs(y)).b:
                raise Undecided("the intervals are too wide to mean something")


@pytest.mark.sampled(3)
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_random_programs(chunk: int) -> None:
    seen = Counter(compare(seed) for seed in range(chunk * CHUNK, (chunk + 1) * CHUNK))
    assert seen["value and derivative"] > 0.8 * CHUNK, seen


def test_beside_ties_and_kinks() -> None:
    seen = Counter(compare(seed, near_a_tie) for seed in range(2 * CHUNK))
    assert seen["value and derivative"] > 0.5 * seen.total(), seen


def test_at_ties_and_kinks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rules of values hold everywhere; what holds off kinks only, and derivatives, are left out there."""
    monkeypatch.setattr(INTERVALS, "ties", True)
    seen = Counter(compare(seed, tied, derivatives=False) for seed in range(2 * CHUNK))
    assert seen["value"] > 0.5 * seen.total(), seen


def test_a_rule_that_fails_at_a_tie_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """[-x < 0] is not 1 - [x < 0] at x = 0."""
    monkeypatch.setattr(INTERVALS, "ties", True)
    point = Point(random.Random(1), lambda rng, positive: Fraction(positive))
    ops, variables, _ = normal_form([Step("exp", (0,))])
    below, above = (ops.less(s * variables["X"], ops.zeros(*ops.shape(variables["X"]))) for s in (1, -1))
    values = [evaluate(Y, SIZES, point.intervals(), FUNCTIONS, domain=INTERVALS) for Y in (above, ops.ones(*ops.shape(below)) - below)]
    with pytest.raises(AssertionError):
        assert_equal(*values)


def test_a_wrong_normal_form_is_noticed() -> None:
    point = Point(random.Random(1))
    program = [Step("sigmoid", (0,))]
    ops, _, Y = normal_form(program)
    expected = [[x.value for x in row] for row in numbers(program, point).elements]
    assert_equal(evaluate(Y, SIZES, point.intervals(), FUNCTIONS, domain=INTERVALS), expected)
    wrong = Y + 1e-6 * ops.ones(*ops.shape(Y))
    with pytest.raises(AssertionError):
        assert_equal(evaluate(wrong, SIZES, point.intervals(), FUNCTIONS, domain=INTERVALS), expected)
