"""Wrong bridges are refused: each fault that a DAB backward invites."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from nerva_core.layers import DAB, StraightThrough
from sympy_validation.claims import Make
from sympy_validation.layer_gradient import LayerGradient
from sympy_validation.symbols import symbolic
from sympy_validation.theorem import Theorem, prove
from sympy_validation.theorems.bridges import UndetachedDAB, any_bridge, dab, hidden_bridge, linear_bridge


def verdicts(make: Make, method: Any = "all sizes") -> dict[str, str]:
    """The status of each quantity."""
    claim = LayerGradient(make)
    return {v.theorem.quantity: v.status for v in prove(Theorem("x", q, "x", claim, method) for q in claim.quantities())}


class SwappedSign(DAB):
    """DS = ∂R/∂S with H and S exchanged."""

    def backpropagate(self, ops: Any, params: Any, cache: Any, DY: Any) -> Any:
        return super().backpropagate(ops, params, cache._replace(H=cache.S, S=cache.H), DY)


class TaskReachesTheBridge(DAB):
    """Dφ from DY + DS."""

    def backpropagate(self, ops: Any, params: Any, cache: Any, DY: Any) -> Any:
        H, S, bridge = cache
        DS = self._reduced(ops, self.gamma * self.loss.gradient(ops, S, H), S)
        return self.bridge.backpropagate(ops, params, bridge, DY + DS)


class PenaltyDoesNotReachTheInput(DAB):
    """DX from DY alone, although the penalty conditions the input."""

    def backpropagate(self, ops: Any, params: Any, cache: Any, DY: Any) -> Any:
        _, Dphi = super().backpropagate(ops, params, cache, DY)
        DX, _ = self.bridge.backpropagate(ops, params, cache.bridge, DY)
        return DX, Dphi


class WithoutTheTask(DAB):
    """DX from DS alone."""

    def backpropagate(self, ops: Any, params: Any, cache: Any, DY: Any) -> Any:
        return super().backpropagate(ops, params, cache, ops.zeros(*ops.shape(DY)))


class SumForMean(DAB):
    """DS without 1/N."""

    def backpropagate(self, ops: Any, params: Any, cache: Any, DY: Any) -> Any:
        H, S, bridge = cache
        DS = self.gamma * self.loss.gradient(ops, S, H)
        DX, _ = self.bridge.backpropagate(ops, params, bridge, DY + DS)
        return DX, self.bridge.backpropagate(ops, params, bridge, DS)[1]


class SoftOutput(DAB):
    """Forward with the bridge: then the surrogate is not the value of the output."""

    def feedforward(self, ops: Any, params: Any, X: Any, *noise: Any) -> Any:
        _, cache = super().feedforward(ops, params, X, *noise)
        return cache.S, cache


class PenaltyWithoutGamma(DAB):
    """R reported without γ."""

    def penalty(self, ops: Any, cache: Any) -> Any:
        return self._reduced(ops, self.loss.value(ops, cache.S, cache.H), cache.S)


WRONG: dict[type[DAB], set[str]] = {
    SwappedSign: {"DX", "0.D0", "0.D1"},
    TaskReachesTheBridge: {"0.D0", "0.D1"},
    PenaltyDoesNotReachTheInput: {"DX"},
    WithoutTheTask: {"DX"},
    SumForMean: {"DX", "0.D0", "0.D1"},
    SoftOutput: {"Y"},
    PenaltyWithoutGamma: {"R"},
}
"""What is wrong of each; all else of it is right."""
BRIDGES: dict[str, Callable[[Any], Any]] = {"any": any_bridge, "linear": linear_bridge, "one hidden layer": hidden_bridge}


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.__name__)
@pytest.mark.parametrize("bridge", BRIDGES)
def test_a_wrong_bridge_is_refuted_where_it_is_wrong(wrong: type[DAB], bridge: str) -> None:
    found = verdicts(dab(BRIDGES[bridge], wrong))
    parameters = {q for q in found if q not in ("DX", "Y", "R")}
    expected = WRONG[wrong] & {"DX", "Y", "R"} | (parameters if "0.D0" in WRONG[wrong] else set())
    assert found == {q: "refuted" if q in expected else "proved" for q in found}


def test_without_a_detached_output_the_backward_is_not_the_gradient() -> None:
    """The penalty cancels on X (erratum 003-31), and only there."""
    assert verdicts(dab(kind=UndetachedDAB)) == {"DX": "refuted", "0.D0": "proved", "0.D1": "proved", "Y": "proved", "R": "proved"}


class ClippedWhereItShouldNotBe(StraightThrough):
    def backpropagate(self, ops: Any, params: Any, cache: Any, DY: Any) -> Any:
        X = cache.X
        return ops.hadamard(DY, ops.less(X, ops.zeros(*ops.shape(X)))), ()


@pytest.mark.parametrize("method", ["all sizes", "entries"])
def test_a_wrong_straight_through_is_refuted(method: Any) -> None:
    assert verdicts(lambda space: symbolic(ClippedWhereItShouldNotBe, space), method) == {"DX": "refuted", "Y": "proved"}


def test_a_bridge_that_is_proved_with_entries_says_the_same() -> None:
    assert verdicts(dab(linear_bridge, TaskReachesTheBridge), "entries")["0.DW"] == "refuted"
    assert set(verdicts(dab(linear_bridge), "entries").values()) == {"proved"}
