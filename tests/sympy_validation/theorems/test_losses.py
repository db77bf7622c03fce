"""A wrong gradient of a loss is refuted by the theorems that its entry gets."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from nerva_core.algebra.matrix_ops import M, MatrixOps
from nerva_core.equations.losses import LOSSES, Focal, Hinge, KLDivergence, LabelSmoothing, Loss, MeanSquaredError, SmoothL1, SquaredError
from sympy_validation.spaces.spaces import Kind
from sympy_validation.theorem import prove
from sympy_validation.theorems import losses
from sympy_validation.theorems.losses import loss_theorems, theorems


@dataclass(frozen=True)
class SumForMeanError(MeanSquaredError):
    """The gradient of the sum, for the mean."""

    def gradient(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        return SquaredError().gradient(ops, Y, T)


def test_the_gradient_of_the_sum_is_not_that_of_the_mean() -> None:
    for entry, status in ((MeanSquaredError, "proved"), (SumForMeanError, "refuted")):
        assert {v.status for v in prove(list(loss_theorems(entry, {}))) if v.theorem.quantity == "DY"} == {status}


@dataclass(frozen=True)
class OfTheHardTargets(LabelSmoothing):
    """The gradient for T itself."""

    def gradient(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        return LabelSmoothing(0.0).gradient(ops, Y, T)


@dataclass(frozen=True)
class Reversed(KLDivergence):
    """The sign of the divergence is turned around."""

    def gradient(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        result: M = -super().gradient(ops, Y, T)
        return result


@dataclass(frozen=True)
class WithoutTheTarget(Hinge):
    """Classes too near are pushed down, the target is not pushed up."""

    def gradient(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        return ops.hadamard(ops.ones(*ops.shape(T)) - T, super().gradient(ops, Y, T))


@dataclass(frozen=True)
class WeightIsConstant(Focal):
    """(1 - p)^γ is not differentiated."""

    def _slope(self, ops: MatrixOps[M], Y: M) -> M:
        result: M = -ops.hadamard(self._power(ops, Y), ops.sigmoid(-Y))
        return result


@dataclass(frozen=True)
class UndividedSlope(SmoothL1):
    """The gradient of Huber."""

    def gradient(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        result: M = self.beta * super().gradient(ops, Y, T)
        return result


@pytest.mark.parametrize("wrong", [OfTheHardTargets, Reversed, WithoutTheTarget, WeightIsConstant, UndividedSlope])
def test_a_wrong_gradient_is_refuted(monkeypatch: pytest.MonkeyPatch, wrong: type[Loss]) -> None:
    right = wrong.__mro__[1]
    monkeypatch.setattr(losses, "TARGETS", {**losses.TARGETS, wrong.__name__: losses.TARGETS.get(right.__name__, Kind.REAL)})
    for entry, status in ((right, "proved"), (wrong, "refuted")):
        assert {v.status for v in prove(list(loss_theorems(entry, {}))) if v.theorem.quantity == "DY"} == {status}


def test_every_loss_has_theorems() -> None:
    assert {f"losses.{entry.__name__}" for entry in LOSSES} <= {theorem.subject for theorem in theorems()}
