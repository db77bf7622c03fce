"""The misprints of the TMAF paper are refuted, and their corrections proved, by running the theorems."""

from __future__ import annotations

from sympy_validation.errata import tmaf as tmaf_errata
from sympy_validation.theorem import prove


def test_each_is_refuted_as_printed_and_proved_as_corrected() -> None:
    items = list(tmaf_errata.errata())
    assert [item.number for item in items] == ["002-09", "002-11", "002-22", "002-23"]
    for item in items:
        printed, *corrected = prove(item.theorems)
        assert printed.status == "refuted"
        assert printed.counterexample
        assert corrected
        assert {verdict.status for verdict in corrected} == {"proved"}
