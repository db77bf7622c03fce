"""Gradient activations: a wrong derivative, integral or asymmetry is refuted, and every entry has its theorems."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from nerva_core.algebra.matrix_ops import M, MatrixOps
from nerva_core.equations.gradient_activations import GRADIENT_ACTIVATIONS, Arctan, Elementwise
from sympy_validation.theorem import prove
from sympy_validation.theorems.gradient_activations import elementwise, theorems


@dataclass(frozen=True)
class WrongSlope(Arctan):
    def derivative(self, ops: MatrixOps[M], X: M) -> M:
        return self.alpha * self._denominator(ops, X)


@dataclass(frozen=True)
class WrongBend(Arctan):
    def second_derivative(self, ops: MatrixOps[M], X: M) -> M:
        return -super().second_derivative(ops, X)


@dataclass(frozen=True)
class WrongIntegral(Arctan):
    def integral(self, ops: MatrixOps[M], X: M) -> M:
        return ops.hadamard(X, self.value(ops, X))


@dataclass(frozen=True)
class NotOdd(Arctan):
    def value(self, ops: MatrixOps[M], X: M) -> M:
        return self.alpha * ops.arctan(self.beta * X) + ops.ones(*ops.shape(X))


@dataclass(frozen=True)
class Root(Elementwise):
    """g / √(1 + g²): one that is not in the table, without a closed integral."""

    def value(self, ops: MatrixOps[M], X: M) -> M:
        return ops.hadamard(X, ops.inv_sqrt(ops.ones(*ops.shape(X)) + ops.hadamard(X, X)))

    def derivative(self, ops: MatrixOps[M], X: M) -> M:
        square = ops.ones(*ops.shape(X)) + ops.hadamard(X, X)
        return ops.hadamard(ops.inv_sqrt(square), ops.reciprocal(square))

    def second_derivative(self, ops: MatrixOps[M], X: M) -> M:
        S = ops.reciprocal(ops.ones(*ops.shape(X)) + ops.hadamard(X, X))
        return -3 * ops.hadamard(X, ops.hadamard(S, self.derivative(ops, X)))


@pytest.mark.parametrize(
    ("entry", "name"), [(WrongSlope, "derivative"), (WrongBend, "second_derivative"), (WrongIntegral, "value"), (NotOdd, "odd")]
)
def test_a_wrong_rule_is_refuted(entry: Any, name: str) -> None:
    verdicts = [v for v in prove(list(elementwise(entry))) if v.theorem.name == name]
    assert verdicts
    assert {v.status for v in verdicts} == {"refuted"}


def test_a_fourth_one_is_proved_by_its_entry_alone() -> None:
    verdicts = list(prove(list(elementwise(Root))))
    assert {v.theorem.name for v in verdicts} == {"derivative", "second_derivative", "odd"}
    assert {v.status for v in verdicts} == {"proved"}


def test_every_gradient_activation_has_theorems() -> None:
    subjects = {theorem.subject for theorem in theorems()}
    assert subjects == {f"gradient activations.{entry.__name__}" for entry in GRADIENT_ACTIVATIONS}
    equivalent = {theorem.subject for theorem in theorems() if theorem.name == "equivalent loss"}
    assert len(equivalent) == 5
