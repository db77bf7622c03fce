"""An erratum is a printed formula that is refuted, and a corrected one that is proved."""

from __future__ import annotations

from sympy_validation.errata import specification as errata


def test_the_numbers_are_in_order_and_differ() -> None:
    numbers = [item.number for item in errata.errata()]
    assert len(set(numbers)) == len(numbers) >= 15
    assert numbers == sorted(numbers)
