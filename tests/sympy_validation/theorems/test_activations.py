"""A wrong derivative of an activation is refuted by the theorems that its entry gets."""

from __future__ import annotations

from dataclasses import dataclass

from nerva_core.algebra.matrix_ops import M, MatrixOps
from nerva_core.equations.activations import ACTIVATIONS, ELU, Sigmoid
from sympy_validation.theorem import prove
from sympy_validation.theorems.activations import activation_theorems, theorems


@dataclass(frozen=True)
class WithoutAlpha(ELU):
    """The derivative of ELU with alpha = 1, for every alpha."""

    def gradient(self, ops: MatrixOps[M], X: M) -> M:
        return ELU().gradient(ops, X)


def test_a_derivative_that_forgets_a_parameter_is_refuted() -> None:
    assert {v.status for v in prove(list(activation_theorems(WithoutAlpha)))} == {"refuted"}
    assert {v.status for v in prove(list(activation_theorems(Sigmoid)))} == {"proved"}


def test_every_activation_has_theorems() -> None:
    assert {f"activations.{entry.__name__}" for entry in ACTIVATIONS} == {theorem.subject for theorem in theorems()}
