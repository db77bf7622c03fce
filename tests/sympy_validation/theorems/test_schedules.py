"""A wrong closed form of a schedule is refuted, and every schedule has its theorems."""

from __future__ import annotations

from nerva_core.equations.schedules import SCHEDULES
from sympy_validation.theorem import prove
from sympy_validation.theorems.schedules import each, schedule_theorem, theorems


def test_a_rate_that_is_one_step_late_is_refuted() -> None:
    (right,) = prove(list(schedule_theorem("Geometric", "closed form", "η_i = η_0 rⁱ", each(lambda s, space, i: s.eta0 * s.r**i))))
    (late,) = prove(list(schedule_theorem("Geometric", "closed form", "η_i = η_0 rⁱ⁺¹", each(lambda s, space, i: s.eta0 * s.r ** (i + 1)))))
    assert (right.status, late.status) == ("proved", "refuted")


def test_every_schedule_has_theorems() -> None:
    assert {f"schedules.{entry.__name__}" for entry in SCHEDULES} == {theorem.subject for theorem in theorems()}
