"""Wrong TMAF equations are refused, for all sizes and every grid."""

from __future__ import annotations

from typing import Any

import pytest

from nerva_core.layers.tmaf import DiagonalTMAF, PDiagonalTMAF, TridiagonalTMAF
from sympy_validation.symbols import symbolic
from sympy_validation.theorem import prove
from sympy_validation.theorems.layers import gradient_theorems
from sympy_validation.theorems.tmaf import theorems


class ForgetsTheShift(TridiagonalTMAF):
    def backpropagate(self, ops: Any, params: Any, cache: Any, DY: Any) -> Any:
        _, (Dalpha, _, Dgamma) = super().backpropagate(ops, params, cache, DY)
        Z, A, B, C = cache
        DZ = ops.hadamard(A + B + C, DY)
        Dbeta = self._step_gradient(ops, self.beta_grid, ops.hadamard(DY, Z), Z)
        return DZ, type(params)(Dalpha, Dbeta, Dgamma)


class ShiftsTheWrongWay(PDiagonalTMAF):
    def feedforward(self, ops: Any, params: Any, Z: Any) -> Any:
        Y, cache = super().feedforward(ops, params, Z)
        return Y, cache._replace(phi=cache.phi[::-1])


class SumsTheOutput(DiagonalTMAF):
    def backpropagate(self, ops: Any, params: Any, cache: Any, DY: Any) -> Any:
        DZ, _ = super().backpropagate(ops, params, cache, DY)
        Z, A = cache
        return DZ, type(params)(self._step_gradient(ops, self.grid, ops.hadamard(DY, ops.hadamard(A, Z)), Z))


@pytest.mark.parametrize(
    ("wrong", "quantities"),
    [(ForgetsTheShift, {"DX", "Dbeta"}), (ShiftsTheWrongWay, {"DX"}), (SumsTheOutput, {"Dalpha"})],
)
def test_wrong_equations_are_refuted(wrong: Any, quantities: set[str]) -> None:
    for method in ("all sizes", "entries"):
        verdicts = list(prove(gradient_theorems("wrong", lambda space: symbolic(wrong, space), methods=(method,))))
        assert {v.theorem.quantity for v in verdicts if v.status == "refuted"} == quantities
        assert {v.theorem.quantity for v in verdicts if v.status == "proved"} == {v.theorem.quantity for v in verdicts} - quantities


def test_the_table_says_almost_everywhere_for_every_grid() -> None:
    found = [t for t in theorems() if "diagonals" in t.subject or "neuron" in t.subject or "general" in t.subject]
    assert found
    assert all("almost everywhere, for every grid" in t.statement for t in found)
