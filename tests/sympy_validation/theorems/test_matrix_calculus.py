"""The numbered equations of section 4.1 are all there."""

from __future__ import annotations

import dataclasses

from sympy_validation.theorem import prove
from sympy_validation.theorems import matrix_calculus
from sympy_validation.theorems.tools import times


def test_the_numbered_equations() -> None:
    numbers = {t.quantity for t in matrix_calculus.theorems()}
    assert numbers >= {f"({k})" for k in (5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17, 18, 21, 22, 23, 24)}


def test_a_wrong_rule_is_refuted() -> None:
    rule = next(t for t in matrix_calculus.lemmas() if t.quantity == "(6)")
    wrong = dataclasses.replace(rule.claim, tested=lambda ops, f, g, df, dg, A: times(ops, g, df))
    (verdict,) = prove([dataclasses.replace(rule, claim=wrong)])
    assert verdict.status == "refuted"
