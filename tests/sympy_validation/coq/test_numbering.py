"""Terms as data of the checker."""

from __future__ import annotations

from fractions import Fraction

from sympy_validation.all_sizes.symbols import Index, Size
from sympy_validation.coq.numbering import Numbering, fraction
from sympy_validation.coq.terms import Element, GivenMatrix, LayerOutput, SumOver

N = Size("N")
i, K = Index("i", N), Index("~1", N)


def test_indices_are_counted_from_the_innermost() -> None:
    numbers = Numbering(("X",))
    assert numbers.term(SumOver(K, Element("X", (i, K))), (i,)) == "(Sum (SV 0) (V 0 [IV 1; IV 0]))"
    assert numbers.term(Element("Y", (Index("#2", 3),))) == "(V 1 [IC 2])"


def test_a_held_element_of_the_moving_variable_is_another_variable() -> None:
    numbers = Numbering(("X",))
    assert numbers.variable(Element("X", (), held=True), now=False) == 1
    assert numbers.stops == {1: 0}
    assert numbers.variable(Element("X", (), held=True), now=True) == 0


def test_an_output_moves_with_its_argument() -> None:
    numbers = Numbering(("X",))
    moving, still = (LayerOutput("f", (N, 1), (GivenMatrix((i,), Element(name, (i,))),)) for name in ("X", "W"))
    for output in (moving, still):
        numbers.register(Element(output, (i,)))
    assert [o.moving for o in numbers.outputs] == [True, False]


def test_a_negative_number_is_in_parentheses() -> None:
    assert fraction(Fraction(-1, 2)) == "((-1) # 2)"
