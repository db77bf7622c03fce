from __future__ import annotations

from sympy_validation.errata import specification, specification_functions


def test_they_are_the_last_of_the_paper() -> None:
    numbers = [item.number for item in specification_functions.errata()]
    assert len(numbers) >= 5
    assert [item.number for item in specification.errata()][-len(numbers) :] == numbers
