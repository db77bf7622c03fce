"""Sizes and indices."""

from __future__ import annotations

from fractions import Fraction

from sympy_validation.all_sizes.symbols import UNIT, Index, Size, column_index, fresh, number, row_index


def test_sizes_are_equal_if_their_names_are() -> None:
    assert Size("N") == Size("N") != Size("D")
    assert Size("N") != 1


def test_fresh_indices_are_new_and_a_dimension_of_size_1_has_one() -> None:
    assert fresh(Size("N")) != fresh(Size("N"))
    assert fresh(1) == row_index(1) == column_index(1) == UNIT
    assert row_index(Size("N")) != column_index(Size("N"))


def test_an_index_shows_its_size() -> None:
    assert str(Index("i", Size("N"))) == "i:N"


def test_numbers_are_ints_where_possible() -> None:
    assert type(number(Fraction(4, 2))) is int
    assert number(Fraction(1, 2)) == Fraction(1, 2)
