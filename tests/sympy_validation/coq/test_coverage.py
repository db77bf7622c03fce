"""The counts of the documentation."""

from __future__ import annotations

from sympy_validation.coq.coverage import counts


def test_counts_are_by_kind_with_a_total() -> None:
    outcomes = {"layers.A.DX/all-sizes": "checked", "layers.B.DX/all-sizes": "not accepted (a reason)", "losses.C.L/all-sizes": "checked"}
    assert counts(outcomes).splitlines()[2:] == ["| layers | 2 | 1 | 1 |", "| losses | 1 | 1 | 0 |", "| **all** | 3 | 2 | 1 |"]
