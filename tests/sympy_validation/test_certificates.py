"""Wrong equations are refuted with the element that is wrong; right ones, and what does not run, never are."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import pytest

from sympy_validation.certificates import Point, SamplePoints, search
from sympy_validation.claims import Equality
from sympy_validation.layer_gradient import LayerGradient
from sympy_validation.spaces.numbers import Undecided
from sympy_validation.spaces.points import KINKS, PointSpace
from sympy_validation.symbols import symbolic
from sympy_validation.table import table
from sympy_validation.theorem import prove
from sympy_validation.theorems.layers import gradient_theorems
from tests.sympy_validation.wrong_layers import WRONG


@pytest.mark.parametrize("entry", WRONG, ids=lambda entry: entry.__name__)
def test_wrong_layers(entry: Any) -> None:
    verdicts = list(prove(gradient_theorems("wrong", lambda space: symbolic(entry, space))))
    assert {v.theorem.quantity for v in verdicts if v.status == "refuted"} == WRONG[entry]
    assert {v.theorem.quantity for v in verdicts if v.status == "proved"} == {v.theorem.quantity for v in verdicts} - WRONG[entry]
    for v in verdicts:
        assert (v.counterexample is not None) == (v.status == "refuted")


@pytest.mark.sampled(2)
@pytest.mark.parametrize("theorem", [t for t in table() if t.expected == "proved" and t.method == "entries"][::7], ids=lambda t: t.id)
def test_what_is_proved_is_not_refuted(theorem: Any) -> None:
    assert search(theorem.claim, theorem.quantity) is None


def product(tested: Any) -> Equality:
    return Equality(("Z",), {"X": ("N", "D"), "Y": ("D", "K")}, tested, lambda space, X, Y: X @ Y)


def test_the_first_wrong_element_is_named() -> None:
    found = search(product(lambda ops, X, Y: 2 * (X @ Y)), "Z")
    assert found
    point = Point.of(product(lambda ops, X, Y: X @ Y), 0)
    right = point.expected("Z")
    i, j = next((i, j) for i in range(3) for j in range(4) if right[i, j].value)
    assert str(found) == f"at N=3, D=2, K=4: Z[{i},{j}] should be {right[i, j].value}, is {2 * right[i, j].value}"


def test_a_wrong_shape_is_a_counterexample() -> None:
    found = search(product(lambda ops, X, Y: ops.transpose(X @ Y)), "Z")
    assert str(found) == "at N=3, D=2, K=4: Z should be 3 x 4, is 4 x 3"
    assert "do not fit" in str(search(product(lambda ops, X, Y: Y @ X), "Z"))


def test_a_value_that_is_not_defined_is_a_counterexample() -> None:
    found = search(product(lambda ops, X, Y: X @ Y + ops.log(ops.zeros(*ops.shape(X @ Y)))), "Z")
    assert "Z is not defined: logarithm" in str(found)


def test_a_value_that_is_no_matrix_is_a_counterexample() -> None:
    assert "should be a matrix, is str" in str(search(product(lambda ops, X, Y: "Z"), "Z"))


def test_what_does_not_run_is_not_refuted() -> None:
    assert search(product(lambda ops, X, Y: X.nothing), "Z") is None


def test_rounding_of_a_constant_in_the_code_is_not_refuted() -> None:
    assert search(product(lambda ops, X, Y: ((1 / 3) * 3.0) * (X @ Y)), "Z") is None
    assert search(product(lambda ops, X, Y: 1.0000000000001 * (X @ Y)), "Z") is None


def test_one_point_lies_on_kinks_and_gradients_skip_it() -> None:
    assert {x.value for row in PointSpace(KINKS).matrix("X", 4, 4).elements for x in row} <= {Fraction(-1), Fraction(0), Fraction(1)}
    claim = LayerGradient(lambda space: symbolic(next(e for e in WRONG if e.__name__.startswith("SReLU")), space))
    for point in SamplePoints(claim):
        try:
            point.expected("DX")
        except Undecided:
            continue
    assert search(claim, "DX") is None


def test_of_several_counterexamples_the_clearest_is_shown() -> None:
    """The first point saturates tanh, so that the two numbers are hard to tell apart there; others do not."""

    def tested(ops: Any, X: Any, Y: Any) -> Any:
        one = ops.ones(*ops.shape(X @ Y))
        T = ops.tanh(X @ Y)
        return (one - ops.hadamard(T, T)) / 2

    def expected(space: Any, X: Any, Y: Any) -> Any:
        return 2 * tested(space.ops, X, Y)

    claim = Equality(("Z",), {"X": ("N", "D"), "Y": ("D", "K")}, tested, expected)
    found = search(claim, "Z")
    assert found is not None
    right, wrong = (float(x.strip(".").rstrip(".")) for x in re.findall(r"(?:should be|is) ([-0-9.e]+)", found.explanation))
    assert right > 0.01
    assert right == pytest.approx(2 * wrong)
