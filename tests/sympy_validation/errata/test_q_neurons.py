"""The misprints of the q-neurons paper are refuted, and their corrections proved, by running the theorems."""

from __future__ import annotations

from sympy_validation.errata import q_neurons as q_errata
from sympy_validation.theorem import prove


def test_each_is_refuted_as_printed_and_proved_as_corrected() -> None:
    items = list(q_errata.errata())
    assert [item.number for item in items] == [
        "000-12",
        "000-18",
        "000-19",
        "000-20",
        "000-28",
        "000-31",
        "000-32",
        "000-33",
        "000-36",
        "000-37",
        "000-40",
    ]
    for item in items:
        printed, *corrected = prove(item.theorems)
        assert printed.status == "refuted"
        assert printed.counterexample
        assert corrected
        assert {verdict.status for verdict in corrected} == {"proved"}
