"""Wrong compositions of layers are refuted, and every layer of the table has its theorems."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from nerva_core.layers import LAYERS, Repeat, Sequential
from nerva_core.layers.activation import ActivationLayer
from nerva_core.layers.linear import Linear
from sympy_validation.symbols import symbolic
from sympy_validation.table import table
from sympy_validation.theorem import prove
from sympy_validation.theorems.layers import gradient_theorems, layer_of, sequence


class WrongOrder(Sequential):
    """Every layer gets the DY of the output."""

    def backpropagate(self, ops: Any, params: Any, cache: Any, DY: Any) -> Any:
        results = [layer.backpropagate(ops, p, c, DY) for layer, p, c in zip(self.layers, params, cache, strict=True)]
        return results[0][0], tuple(gradient for _, gradient in results)


class SwappedGradients(Sequential):
    def backpropagate(self, ops: Any, params: Any, cache: Any, DY: Any) -> Any:
        DX, (first, second, *rest) = super().backpropagate(ops, params, cache, DY)
        return DX, (second, first, *rest)


@pytest.mark.parametrize("wrong", [WrongOrder, SwappedGradients])
def test_wrong_compositions(wrong: Any) -> None:
    def make(space: Any) -> Any:
        size = space.size("D")  # square, so that the shapes tell nothing
        return wrong((Linear(size), ActivationLayer(space.unknown_function("act")), Linear(size)))

    verdicts = list(prove(gradient_theorems("wrong", make, methods=("all sizes",))))
    if wrong is SwappedGradients:
        assert any(v.status == "open" for v in verdicts)  # they are nested otherwise than the parameters
    else:
        assert "refuted" in {v.status for v in verdicts}
    assert not all(v.status == "proved" for v in verdicts)


def test_parameters_of_a_sequence_are_different_variables() -> None:
    found = list(gradient_theorems("two", sequence(Linear, Linear), methods=("all sizes",)))
    assert [t.quantity for t in found] == ["DX", "0.DW", "0.Db", "1.DW", "1.Db"]
    assert {v.status for v in prove(found)} == {"proved"}


def test_each_layer_is_in_the_table() -> None:
    subjects = {t.subject for t in table()}
    assert {f"layers.{entry.__name__}" for entry in LAYERS if entry is not Sequential} <= subjects
    assert layer_of(Linear)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("layers.Repeat", "for times = 2"),
        ("layers.Repeat(3 times)", "for times = 3"),
        ("layers.FullTMAF", "for D = 3"),
        ("layers.SparseTMAF", "pattern = ((1, 1), (0, 1))"),
        ("layers.PDiagonalTMAF", "offsets ="),
        ("losses.SequenceCrossEntropy", "for classes = 2"),
    ],
)
def test_what_is_concrete_is_in_the_verdict(name: str, words: str) -> None:
    (verdict,) = prove([next(t for t in table() if t.subject == name)])
    assert verdict.status == "proved"
    assert words in verdict.words


class ForgetfulRepeat(Repeat):
    """Of three uses it takes the first for the second."""

    def backpropagate(self, ops: Any, params: Any, cache: Any, DY: Any) -> Any:
        *before, last = cache
        return super().backpropagate(ops, params, (*before[-1:] * len(before), last), DY)


def test_from_three_uses_on_their_order_matters() -> None:
    for times, status in ((2, "proved"), (3, "refuted")):
        repeated = partial(symbolic, ForgetfulRepeat, times=times)
        assert status in {v.status for v in prove(gradient_theorems("wrong", repeated, "", ("all sizes",)))}
