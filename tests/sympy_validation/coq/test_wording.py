"""Terms in words."""

from __future__ import annotations

from sympy_validation.all_sizes.symbols import Index, Size
from sympy_validation.coq.terms import Apply, Element, Largest, SumOver
from sympy_validation.coq.wording import Names, Wording

N = Size("N")
i, K = Index("i", N), Index("~1", N)


def test_names_are_never_those_of_coq_nor_given_twice() -> None:
    names = Names()
    assert names("a", "exp") != "exp"
    assert names("b", "2.W") == "W_2"
    assert names("c", "2.W") != names("b", "2.W")
    assert names("b", "anything") == "W_2"


def test_indices_have_the_letters_of_their_sizes() -> None:
    words = Wording(Names(), ("X",))
    scope = words.bind([i], {})
    assert words.term(SumOver(K, Element("X", (i, K))), scope, "t") == "(∑ n1 < N, (X t n n1))"
    assert words.term(Element("X", (i, i), held=True), scope, "t") == "(X 0 n n)"
    assert words.term(Element("b", (Index("#1", 2),)), {}) == "(b 1%nat)"


def test_functions_have_the_names_of_coq() -> None:
    words = Wording(Names(), ())
    assert words.term(Apply("log", Element("a", ())), {}) == "(ln a)"
    assert words.term(Apply("f", Element("a", ()), 1), {}) == "(f_ a)"
    assert words.term(Largest(K, Element("b", (K,))), {}) == "(rmax N (fun n => (b n)))"
