"""The names of Python as mathematical ones."""

from __future__ import annotations

import re

from nerva_core.interpreters import markup as mk
from nerva_core.interpreters.markup import Markup


def identifier(name: str) -> Markup:
    """A Python name as a mathematical one: Dgamma as Dγ, beta1 as β₁, al as a_l, Al as A^l."""
    name = name.rstrip("_") or name  # lambda_ is not a keyword
    if name in mk.GREEK:
        return mk.Symbol(mk.GREEK[name])
    if match := re.fullmatch(r"([a-zA-Z])([lr])", name):
        base, index = mk.Symbol(match[1]), mk.Symbol(match[2])
        return mk.Sub(base, index) if match[1].islower() else mk.Sup(base, index)
    if match := re.fullmatch(r"([A-Za-z]+?)_?(\d+)", name):
        return mk.Sub(identifier(match[1]), mk.Number(match[2]))
    if match := re.fullmatch(r"D(.+)", name):
        rest = identifier(match[1])
        if len(match[1]) == 1 or not isinstance(rest, mk.Symbol) or len(rest.name) == 1:
            return mk.Items(mk.Symbol("D"), rest)
    return mk.Symbol(name.replace("_", "-") if len(name) > 1 else name)
