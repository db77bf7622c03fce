"""Wrong loops and wrong cells are refuted by a counterexample, each by the theorem that is about it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from nerva_core.layers import GRU, LSTM, RNN
from sympy_validation.certificates import Point
from sympy_validation.layer_gradient import LayerGradient
from sympy_validation.theorem import Theorem, prove
from sympy_validation.theorems.recurrent import AllSteps, CellGradient, StepGradient, any_cell, cell_of, theorems
from sympy_validation.theorems.tools import about


class StateNotCarriedBack:
    """Every step gets the gradient of its own output only."""

    def back(self, ops: Any, params: Any, cache: Any, DY: Any, Dend: Any, reverse: bool = False) -> Any:
        zero = tuple(ops.zeros(*ops.shape(D)) for D in Dend)
        return super().back(ops, params, cache, DY, zero, reverse)


class ForgetsOutputsOfLaterSteps:
    """What goes from a step to the one before is without the product with U."""

    def back(self, ops: Any, params: Any, cache: Any, DY: Any, Dend: Any, reverse: bool = False) -> Any:
        still = params._replace(U=ops.scale(0, params.U))
        return super().back(ops, still, cache, DY, Dend, reverse)


class TimeNotReversed:
    def back(self, ops: Any, params: Any, cache: Any, DY: Any, Dend: Any, reverse: bool = False) -> Any:
        return super().back(ops, params, cache, DY, Dend, not reverse)


class OutputsOfTheWrongStep:
    """DU is made of the H after each step instead of that before it."""

    def gradients(self, ops: Any, params: Any, X: Any, before: Any, DA: Any, DB: Any) -> Any:
        L = ops.members(before)
        later = ops.family(*(ops.member(before, min(k + 1, L - 1)) for k in range(L)))
        return super().gradients(ops, params, X, later, DA, DB)


class BiasOfTheLastStep:
    """The gradients of the biases are not summed over time."""

    def gradients(self, ops: Any, params: Any, X: Any, before: Any, DA: Any, DB: Any) -> Any:
        DX, gradients = super().gradients(ops, params, X, before, DA, DB)
        last = ops.members(DA) - 1
        return DX, gradients._replace(b=ops.columns_sum(ops.member(DA, last)), c=ops.columns_sum(ops.member(DB, last)))


def wrong(mixin: type, length: int) -> Callable[[Any], Any]:
    """The layer around any cell, with a fault."""

    def make(space: Any) -> Any:
        layer = any_cell(length)(space)
        fields = {field.name: getattr(layer, field.name) for field in dataclasses.fields(layer)}
        return type(mixin.__name__, (mixin, type(layer)), {})(**fields)

    return make


def refuted(claim: Any) -> set[str]:
    """The quantities that are refuted; none is open."""
    verdicts = list(prove(about("wrong", claim, "{}", ("all sizes",))))
    assert {v.status for v in verdicts} <= {"proved", "refuted"}, [v.words for v in verdicts]
    assert all(v.counterexample for v in verdicts if v.status == "refuted")
    return {v.theorem.quantity for v in verdicts if v.status == "refuted"}


@pytest.mark.parametrize(
    ("fault", "length", "quantities"),
    [
        (ForgetsOutputsOfLaterSteps, 2, {"DX", "DW", "Db", "Dc"}),  # DU has H_0 = 0 as the factor of what is wrong
        (ForgetsOutputsOfLaterSteps, 3, {"DX", "DW", "DU", "Db", "Dc"}),
        (TimeNotReversed, 2, {"DX", "DW", "DU", "Db", "Dc"}),
        (OutputsOfTheWrongStep, 2, {"DU"}),
        (BiasOfTheLastStep, 2, {"Db", "Dc"}),
    ],
)
def test_wrong_loops_are_refuted(fault: type, length: int, quantities: set[str]) -> None:
    assert refuted(LayerGradient(wrong(fault, length))) == quantities


@pytest.mark.parametrize("theorem", [*theorems()], ids=lambda theorem: theorem.id)
def test_every_theorem_is_looked_at_again_at_points(theorem: Theorem) -> None:
    """A point at which the code does not run is passed over, so it is asserted that it does."""
    point = Point.of(theorem.claim, 0)
    assert point.refute([theorem.quantity]) is None


def test_a_step_that_forgets_the_state_after_it_is_refuted() -> None:
    assert refuted(StepGradient(wrong(StateNotCarriedBack, 1))) == {"DX", "DH", "DC", "DW", "DU", "Db", "Dc"}
    assert refuted(StepGradient(wrong(ForgetsOutputsOfLaterSteps, 1))) == {"DH"}


def test_what_is_not_summed_over_steps_is_refuted_for_any_number_of_them() -> None:
    class BiasHalved:
        def gradients(self, ops: Any, *given: Any) -> Any:
            DX, gradients = super().gradients(ops, *given)
            return DX, gradients._replace(b=gradients.b / 2)

    assert refuted(AllSteps(wrong(BiasHalved, 1))) == {"Db"}


def test_a_loss_of_later_steps_that_depends_on_the_parameters_counts() -> None:
    """The step theorem is about the gradients of J too: without them every parameter's is wrong."""

    class NoSum(StepGradient):
        def problem(self, space: Any) -> Any:
            problem = super().problem(space)
            return dataclasses.replace(problem, tested=lambda ops: {n: X / 2 for n, X in problem.tested(ops).items()})

    assert refuted(NoSum(any_cell(1))) == set(NoSum(any_cell(1)).quantities())


@dataclass(frozen=True, kw_only=True)
class ForgetGateOfTheNewState(LSTM):
    """DF with C_l in the place of C_(l-1)."""

    def cell_backpropagate(self, ops: Any, saved: Any, before: Any, *Dstate: Any) -> Any:
        I, F, G, *_ = saved  # noqa: E741
        H, C = before
        return super().cell_backpropagate(ops, saved, (H, ops.hadamard(F, C) + ops.hadamard(I, G)), *Dstate)


@dataclass(frozen=True, kw_only=True)
class ResetGateNotInB(GRU):
    """DB = DA."""

    def cell_backpropagate(self, ops: Any, saved: Any, before: Any, *Dstate: Any) -> Any:
        DA, _, DH, others = super().cell_backpropagate(ops, saved, before, *Dstate)
        return DA, DA, DH, others


@dataclass(frozen=True, kw_only=True)
class SlopeOfTheOutput(RNN):
    """act′(H) in the place of act′(Z)."""

    def cell_backpropagate(self, ops: Any, saved: Any, before: Any, *Dstate: Any) -> Any:
        (Z,) = saved
        return super().cell_backpropagate(ops, (ops.apply(self.activation.value, Z),), before, *Dstate)


@pytest.mark.parametrize(
    ("cell", "quantities"), [(ForgetGateOfTheNewState, {"DA", "DB"}), (ResetGateNotInB, {"DB"}), (SlopeOfTheOutput, {"DA", "DB"})]
)
def test_wrong_cells_are_refuted(cell: Any, quantities: set[str]) -> None:
    assert refuted(CellGradient(cell_of(cell))) == quantities
