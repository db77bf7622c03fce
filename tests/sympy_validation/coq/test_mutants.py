"""Questions about mutants: one for each that a number refutes, and one for each quantity as it is."""

from __future__ import annotations

from collections import Counter

from sympy_validation.audit import audited
from sympy_validation.coq.mutants import questions
from sympy_validation.table import select


def test_mutants_of_a_linear_layer_are_asked_about_once_each() -> None:
    (theorem,) = audited(select(["layers.Linear"]))
    asked = list(questions(theorem.subject, theorem.claim, Counter()))
    unchanged = {q.quantity: q.text for q in asked if q.mutation is None}
    assert unchanged.keys() == {"DX", "DW", "Db"}
    assert len(asked) > 10
    assert all(q.text != unchanged[q.quantity] for q in asked if q.mutation)
