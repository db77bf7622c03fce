"""Brackets: what kind of expression a piece of markup is decides whether it needs them where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nerva_core.interpreters import markup as mk
from nerva_core.interpreters.markup import Markup

ATOM, POWER, FRACTION, CASES, NEGATIVE, SUM = "atom", "power", "fraction", "cases", "negative", "sum"
SCALED, DOT, HADAMARD = "scaled", "dot", "hadamard"
PRODUCTS = (SCALED, DOT, HADAMARD)


@dataclass(frozen=True)
class Piece:
    """Markup, and what kind of expression it is."""

    markup: Markup
    kind: str = ATOM
    factors: tuple[Markup, ...] = ()
    """Of a product ·, its factors."""
    divisors: tuple[Any, ...] = ()
    """Of a product ·, the sizes that it is divided by."""

    def within(self, *kinds: str, first: bool = False) -> Markup:
        """In brackets, unless it is an atom or of one of the kinds; a fraction needs them on a line of text only."""
        if self.kind in (ATOM, POWER, CASES, *kinds):
            return self.markup
        if self.kind == FRACTION:
            return self.markup if first else mk.Unit(self.markup)
        return mk.Fenced(self.markup)
