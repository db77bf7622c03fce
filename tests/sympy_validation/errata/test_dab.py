"""The misprints of the paper on bridges, by number."""

from __future__ import annotations

import pytest

from sympy_validation.errata.dab import errata
from sympy_validation.theorem import prove

ERRATA = {erratum.number: erratum for erratum in errata()}


def test_they_are_those_that_are_formulas() -> None:
    assert list(ERRATA) == ["003-09", "003-10", "003-12", "003-31"]


@pytest.mark.parametrize("number", ERRATA)
def test_the_printed_form_is_refuted_and_the_corrected_one_proved(number: str) -> None:
    printed, *corrected = prove(ERRATA[number].theorems)
    assert printed.status == "refuted"
    assert printed.counterexample is not None
    assert [v.status for v in corrected] == ["proved", "proved"]
    assert ERRATA[number].printed != ERRATA[number].corrected
