"""Every schedule: its rate in closed form, and as a recurrence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from nerva_core.algebra.trees import Tree
from nerva_core.equations.schedules import SCHEDULES
from sympy_validation.claims import EqualNumbers
from sympy_validation.spaces.spaces import Space
from sympy_validation.symbols import symbolic, with_symbols
from sympy_validation.theorem import Theorem
from sympy_validation.theorems.tools import about

COUNT = 25
MILESTONES = (3, 7, 15)
GIVEN: dict[str, dict[str, Any]] = {
    "StepBased": {"r": 4},
    "MultiStep": {"milestones": MILESTONES},
    "Cosine": {"n": 18, "w": 5},
    "LinearDecay": {"n": 18, "w": 5},
}
"""Values for the parameters that are whole numbers; the others are symbols."""

Rates = Callable[[Any, Any], Sequence[Any]]
"""The rates i = 0, 1, ... that a schedule should give, from its parameters and the functions exp and cos."""


def theorems() -> Iterator[Theorem]:
    """The table for the schedules."""
    for name, (statement, expected) in CLOSED_FORMS.items():
        yield from schedule_theorem(name, "closed form", statement, expected)
    for name, (statement, expected) in RECURRENCES.items():
        yield from schedule_theorem(name, "recurrence", statement, expected)


def schedule_theorem(
    name: str, quantity: str, statement: str, expected: Rates, published: bool = False, **options: Any
) -> Iterator[Theorem]:
    """The theorem that the schedule gives these rates, for all values of its continuous parameters.

    If they are ``published``, they are what is tested, and the schedule is what they should be.
    """

    def schedule(space: Space) -> Tree:
        return symbolic(SCHEDULES.lookup(name), space, **GIVEN.get(name, {}))

    sides = (lambda space: rates(schedule(space), space), lambda space: expected(schedule(space), space))
    claim = EqualNumbers(quantity, *(reversed(sides) if published else sides))
    yield from about(f"schedules.{name}", claim, statement, methods=("entries",), range=f"i = 0..{COUNT - 1}", **options)


def rates(schedule: Any, space: Space) -> list[Any]:
    """η_0, η_1, ... as the shipped code computes them."""
    return [with_symbols(schedule.__call__, space)(i) for i in range(COUNT)]


def ratios(step: Callable[[Any, Any, int], Any]) -> Rates:
    """η_0 = eta0 and η_{i+1} = η_i · step(i)."""

    def expected(s: Any, space: Space) -> list[Any]:
        result = [s.eta0]
        for i in range(COUNT - 1):
            result.append(result[-1] * step(s, space, i))
        return result

    return expected


def each(rate: Callable[[Any, Any, int], Any]) -> Rates:
    """η_i = rate(i)."""
    return lambda s, space: [rate(s, space, i) for i in range(COUNT)]


def _product(s: Any, i: int) -> Tree:
    result = 1 + 0 * s.d
    for j in range(i):
        result = result * (1 + s.d * j)
    return result


def _cosine(s: Any, space: Space, i: int) -> Tree:
    if i < s.w:
        return s.eta0 * (i + 1) / s.w
    if i >= s.n:
        return s.eta0 * 0
    angle = space.math.pi * (i - s.w) / (s.n - s.w)
    return s.eta0 * (1 + space.math.cos(angle)) / 2


def _linear(s: Any, space: Space, i: int) -> Tree:
    if i < s.w:
        return s.eta0 * (i + 1) / s.w
    return s.eta0 * (s.n - i) / (s.n - s.w) if i < s.n else s.eta0 * 0


CLOSED_FORMS: dict[str, tuple[str, Rates]] = {
    "Constant": ("η_i = η_0", each(lambda s, space, i: s.eta0)),
    "TimeBased": ("η_i = η_0 / ∏_{j<i} (1 + d j)", each(lambda s, space, i: s.eta0 / _product(s, i))),
    "InverseTime": ("η_i = η_0 / (1 + d i)", each(lambda s, space, i: s.eta0 / (1 + s.d * i))),
    "StepBased": ("η_i = η_0 d^⌊(1+i)/r⌋, r = 4", each(lambda s, space, i: s.eta0 * s.d ** len(range(s.r, i + 2, s.r)))),
    "Exponential": ("η_i = η_0 e^(-d i)", each(lambda s, space, i: s.eta0 * space.math.exp(-s.d * i))),
    "Geometric": ("η_i = η_0 rⁱ", each(lambda s, space, i: s.eta0 * s.r**i)),
    "MultiStep": (
        "η_i = η_0 Γ^(number of milestones m_j <= i)",
        each(lambda s, space, i: s.eta0 * s.gamma ** len([m for m in s.milestones if m <= i])),
    ),
    "Cosine": ("warm-up of w steps, then η_0 (1 + cos(π (i - w)/(n - w))) / 2 until n, then 0", each(_cosine)),
    "LinearDecay": ("warm-up of w steps, then η_0 (n - i)/(n - w) until n, then 0", each(_linear)),
}
RECURRENCES: dict[str, tuple[str, Rates]] = {
    "Constant": ("η_{i+1} = η_i", ratios(lambda s, space, i: 1)),
    "TimeBased": ("η_{i+1} = η_i / (1 + d i), as printed", ratios(lambda s, space, i: 1 / (1 + s.d * i))),
    "InverseTime": ("η_{i+1} = η_i (1 + d i) / (1 + d (i+1))", ratios(lambda s, space, i: (1 + s.d * i) / (1 + s.d * (i + 1)))),
    "StepBased": ("η_{i+1} = d η_i if r divides i + 2, η_i otherwise", ratios(lambda s, space, i: s.d if (i + 2) % s.r == 0 else 1)),
    "Exponential": ("η_{i+1} = e^(-d) η_i", ratios(lambda s, space, i: space.math.exp(-s.d))),
    "Geometric": ("η_{i+1} = r η_i", ratios(lambda s, space, i: s.r)),
    "MultiStep": (
        "η_{i+1} = Γ η_i if i + 1 is a milestone, η_i otherwise",
        ratios(lambda s, space, i: s.gamma if i + 1 in s.milestones else 1),
    ),
}
