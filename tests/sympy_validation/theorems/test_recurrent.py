"""The theorems of recurrent layers hold, and famous faults of loops and cells are refuted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest

from nerva_core.layers import GRU, LSTM, RNN, Layer
from nerva_core.layers.recurrent import RecurrentParameters
from sympy_validation.layer_gradient import LayerGradient
from sympy_validation.theorem import Theorem, prove
from sympy_validation.theorems.recurrent import AnyCell, OneStep, any_cell, theorems


@pytest.mark.parametrize("subject", ["layers.RNN", "layers.LSTM", "layers.GRU", "layers.Recurrent(any cell, 2)"])
def test_they_hold(subject: str) -> None:
    chosen = [theorem for theorem in theorems() if theorem.subject == subject]
    assert chosen
    assert all(verdict.status == "proved" for verdict in prove(chosen))


@dataclass(frozen=True)
class ForgetsTheGate(LSTM):
    """DC is handed on without f."""

    def cell_backpropagate(self, ops: Any, cache: Any, *Dstate: Any) -> Any:
        DZ, DV, (DH, _) = super().cell_backpropagate(ops, cache, *Dstate)
        return DZ, DV, (DH, Dstate[1])


@dataclass(frozen=True)
class ResetTwice(GRU):
    """DV has no r in its last gate."""

    def cell_backpropagate(self, ops: Any, cache: Any, *Dstate: Any) -> Any:
        DZ, _, rest = super().cell_backpropagate(ops, cache, *Dstate)
        return DZ, DZ, rest


@dataclass(frozen=True)
class NoSlope(RNN):
    """Without 1 - H²."""

    def cell_backpropagate(self, ops: Any, cache: Any, *Dstate: Any) -> Any:
        (DH,) = Dstate
        return DH, DH, (ops.zeros(*ops.shape(DH)),)


@pytest.mark.parametrize("kind", [ForgetsTheGate, ResetTwice, NoSlope])
def test_wrong_cells_are_refuted(kind: Any) -> None:
    claim = LayerGradient(lambda space: OneStep(kind(space.size("K"))))
    (verdict,) = prove([Theorem("cell", "DX", "", claim, "all sizes", expected="refuted")])
    assert verdict.status == "refuted"


def state_not_carried_back(ops: Any, layer: Any, params: Any, cache: Any, DY: Any) -> Any:
    return layer.backpropagate(ops, params._replace(U=0 * params.U), cache, DY)


def weights_of_the_next_step(ops: Any, layer: Any, params: Any, cache: Any, DY: Any) -> Any:
    """DU with the states after each step in the place of those before it."""
    DX, D = layer.backpropagate(ops, params, cache, DY)
    after = layer.backpropagate(ops, params, cache._replace(Before=ops.scale(2, cache.Before)), DY)[1]
    return DX, RecurrentParameters(D.W, after.U, D.b, D.c)


def bias_of_one_step(ops: Any, layer: Any, params: Any, cache: Any, DY: Any) -> Any:
    DX, D = layer.backpropagate(ops, params, cache, DY)
    return DX, D._replace(b=ops.divide(D.b, 2))


@pytest.mark.parametrize(
    ("equations", "quantity"), [(state_not_carried_back, "DW"), (weights_of_the_next_step, "DU"), (bias_of_one_step, "Db")]
)
def test_wrong_loops_are_refuted(equations: Any, quantity: str) -> None:
    claim = LayerGradient(partial(any_cell, 2), equations)
    (verdict,) = prove([Theorem("loop", quantity, "", claim, "all sizes", expected="refuted")])
    assert verdict.status == "refuted"


def test_any_cell_is_fixed() -> None:
    layer: Layer = AnyCell(3, length=2)
    assert layer.for_any_data(None) is layer
    assert replace(layer, length=3).L == 3  # type: ignore[attr-defined,call-arg]
