from __future__ import annotations

from sympy_validation.errata import gaf, gaf_theorems


def test_they_are_the_last_of_the_paper() -> None:
    numbers = [item.number for item in gaf_theorems.errata()]
    assert len(numbers) >= 5
    assert [item.number for item in gaf.errata()][-len(numbers) :] == numbers
