"""Terms: renaming, free indices, held elements."""

from __future__ import annotations

from sympy_validation.all_sizes.symbols import Index, Size
from sympy_validation.coq.terms import Element, Kronecker, Mul, SumOver, free, marked, renamed, subterms

N = Size("N")
i, J, K = (Index(name, N) for name in "ijk")
TERM = SumOver(K, Mul(Element("X", (i, K)), Kronecker(K, J)))


def test_free_indices_are_not_those_that_are_summed_nor_numbers() -> None:
    assert list(free(TERM)) == [i, J]
    assert list(free(Element("X", (Index("#1", 2), i)))) == [i]


def test_renaming_changes_free_indices() -> None:
    assert renamed(TERM, {i: J, J: i}) == SumOver(K, Mul(Element("X", (J, K)), Kronecker(K, i)))


def test_marking_holds_all_elements() -> None:
    held = marked(TERM, True)
    assert all(part.held for part in subterms(held) if isinstance(part, Element))
    assert marked(held, False) == TERM
