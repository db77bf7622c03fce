"""The errata of the Activated Gradients paper are refuted, and their corrections proved, by running the theorems."""

from __future__ import annotations

from sympy_validation.errata import gaf as gaf_errata
from sympy_validation.theorem import prove

NUMBERS = ("02", "03", "08", "12", "13", "16", "21", "23", "34", "28", "27", "36", "37", "40", "42", "43", "48")


def test_each_is_refuted_as_printed_and_proved_as_corrected() -> None:
    items = list(gaf_errata.errata())
    assert [item.number for item in items] == [f"001-{number}" for number in NUMBERS]
    for item in items:
        printed, *corrected = prove(item.theorems)
        assert printed.status == "refuted", item.number
        assert printed.counterexample
        assert corrected
        assert {verdict.status for verdict in corrected} == {"proved"}, item.number
