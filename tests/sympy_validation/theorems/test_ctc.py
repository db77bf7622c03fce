"""Wrong gradients of CTC are refuted, each by the theorem about its part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from nerva_core.algebra.matrix_ops import M, MatrixOps
from nerva_core.equations.ctc import CTC, Labelling
from sympy_validation.claims import Claim
from sympy_validation.theorem import Theorem, prove
from sympy_validation.theorems import ctc


@dataclass(frozen=True)
class WithoutSkips(CTC):
    """What comes from two states before is forgotten."""

    def step_backpropagate(self, ops: MatrixOps[M], shares: M, DA: M) -> M:
        stay, after = (ops.hadamard(ops.reshape(ops.column_part(shares, k, 3), *ops.shape(DA)), DA) for k in range(2))
        return stay + ops.shift_columns(after, -1)


@dataclass(frozen=True)
class ForwardAgain(CTC):
    """The gradient moves on in the direction of the states."""

    def step_backpropagate(self, ops: MatrixOps[M], shares: M, DA: M) -> M:
        stay, after, skip = (ops.hadamard(ops.reshape(ops.column_part(shares, k, 3), *ops.shape(DA)), DA) for k in range(3))
        return stay + ops.shift_columns(after, 1) + ops.shift_columns(skip, 2)


@dataclass(frozen=True)
class OfTheLogarithms(CTC):
    """The gradient of the logarithms of the probabilities, for that of the logits."""

    def emissions_backpropagate(self, ops: MatrixOps[M], logP: M, states: M, DLambda: M) -> M:
        (N, S), (rows, _) = ops.shape(DLambda), ops.shape(logP)
        return ops.join(ops.split(ops.reshape(ops.join(DLambda, 1), rows, S), rows // N, S) @ states, N)


@dataclass(frozen=True)
class EveryEnd(CTC):
    """The last states are not those after which no label follows."""

    def end_backpropagate(self, ops: MatrixOps[M], labels: Labelling[M], A: M) -> M:
        return super().end_backpropagate(ops, labels._replace(open=ops.zeros(*ops.shape(A))), A)


@pytest.mark.parametrize(
    ("wrong", "claim", "quantity"),
    [
        (WithoutSkips, ctc.CTCStepGradient, "DA"),
        (ForwardAgain, ctc.CTCStepGradient, "DA"),
        (OfTheLogarithms, ctc.CTCEmissionsGradient, "DY"),
        (EveryEnd, ctc.CTCEndGradient, "DA"),
    ],
)
def test_wrong_gradients_are_not_proved(wrong: type[CTC], claim: Callable[[Any], Claim], quantity: str) -> None:
    for kind, statuses in ((CTC, {"proved"}), (wrong, {"open", "refuted"})):
        made = claim(lambda space, kind=kind: kind(space.size("C")))
        (verdict,) = prove([Theorem("losses.CTC", quantity, "", made, "all sizes")])
        assert verdict.status in statuses, verdict


def test_the_theorems_are_proved() -> None:
    found = prove(list(ctc.theorems()))
    assert {verdict.status for verdict in found} == {"proved"}
