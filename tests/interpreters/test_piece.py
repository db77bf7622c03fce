"""Brackets stand around what binds less than its surroundings."""

import pytest

from nerva_core.interpreters import markup as mk
from nerva_core.interpreters.piece import ATOM, DOT, FRACTION, HADAMARD, POWER, SUM, Piece

AB = mk.Items(mk.Symbol("a"), mk.Symbol("b"))


@pytest.mark.parametrize(
    ("kind", "around", "text"), [(ATOM, (), "ab"), (POWER, (), "ab"), (SUM, (), "(ab)"), (SUM, (SUM,), "ab"), (DOT, (HADAMARD,), "(ab)")]
)
def test_brackets(kind: str, around: tuple[str, ...], text: str) -> None:
    assert Piece(AB, kind).within(*around).text() == text


def test_a_fraction_has_brackets_on_a_line_of_text_only() -> None:
    half = Piece(mk.Fraction(mk.Number("1"), mk.Number("2")), FRACTION)
    assert half.within().text() == "(1/2)"
    assert half.within().latex() == half.markup.latex()
    assert half.within(first=True).text() == "1/2"
    assert half.within(FRACTION).text() == "1/2"
