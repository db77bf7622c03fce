from __future__ import annotations

from sympy_validation.errata.statements import less
from sympy_validation.theorem import prove


def test_an_inequality_that_does_not_hold_is_not_proved() -> None:
    (theorem,) = less(lambda ops: (ops.full(2.0, 1, 1), ops.full(1.0, 1, 1)))
    (verdict,) = prove([theorem])
    assert verdict.status == "refuted"
