"""Wrong versions of these optimizers are refuted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from nerva_core.equations.optimizers import LAMB, Adadelta, Adafactor, AdaGrad, AdamW, AMSGrad, Lion, NAdam, RMSProp
from sympy_validation.theorem import Theorem, prove
from sympy_validation.theorems import adaptive_optimizers


@dataclass(frozen=True, kw_only=True)
class DecayOfTheResult(AdamW):
    """The decay is of θ after the step of Adam, not of θ."""

    def update(self, ops: Any, state: Any, theta: Any, Dtheta: Any, eta: Any, *scalars: Any) -> Any:
        after, state = super().update(ops, state, theta, Dtheta, eta, *scalars)
        shift = after - (1 - eta * self.decay) * theta
        return (1 - eta * self.decay) * (theta + shift), state


@dataclass(frozen=True, kw_only=True)
class Smallest(AMSGrad):
    """The last v, not the largest."""

    def update(self, ops: Any, state: Any, theta: Any, Dtheta: Any, eta: Any, *scalars: Any) -> Any:
        return super().update(ops, state._replace(largest=ops.zeros(*ops.shape(theta))), theta, Dtheta, eta, *scalars)


@dataclass(frozen=True, kw_only=True)
class PresentMomentum(NAdam):
    """μ_t where μ_{t+1} should be."""

    def scalars(self, eta: Any, t: int) -> tuple[Any, ...]:
        eta, now, _, correction2 = super().scalars(eta, t)
        return eta, now, now, correction2


@dataclass(frozen=True, kw_only=True)
class RootOfSum(AdaGrad):
    """The step has the gradient twice."""

    def update(self, ops: Any, state: Any, theta: Any, Dtheta: Any, eta: Any, *scalars: Any) -> Any:
        after, state = super().update(ops, state, theta, Dtheta, eta, *scalars)
        return after + (after - theta), state


@dataclass(frozen=True, kw_only=True)
class NoAverage(Adadelta):
    """The average of Δ is forgotten."""

    def update(self, ops: Any, state: Any, theta: Any, Dtheta: Any, eta: Any, *scalars: Any) -> Any:
        return super().update(ops, state._replace(u=ops.zeros(*ops.shape(theta))), theta, Dtheta, eta, *scalars)


@dataclass(frozen=True, kw_only=True)
class OneAverage(Lion):
    """m has β1, too: the direction is that of the new average."""

    def update(self, ops: Any, state: Any, theta: Any, Dtheta: Any, eta: Any, *scalars: Any) -> Any:
        after, state = super().update(ops, state, theta, Dtheta, eta, *scalars)
        return after, state._replace(m=self.beta1 * state.m)


@dataclass(frozen=True, kw_only=True)
class WithoutRatio(LAMB):
    """The step of Adam with decay."""

    def update(self, ops: Any, state: Any, theta: Any, Dtheta: Any, eta: Any, *scalars: Any) -> Any:
        after, state = super().update(ops, state, theta, Dtheta, eta, *scalars)
        return after + eta * theta, state


@dataclass(frozen=True, kw_only=True)
class Undivided(RMSProp):
    """v is a sum."""

    def update(self, ops: Any, state: Any, theta: Any, Dtheta: Any, eta: Any, *scalars: Any) -> Any:
        return super().update(ops, state._replace(v=state.v / self.rho), theta, Dtheta, eta, *scalars)


@dataclass(frozen=True, kw_only=True)
class SumsOfRows(Adafactor):
    """r is a sum where it should be a mean."""

    def update(self, ops: Any, state: Any, theta: Any, Dtheta: Any, eta: Any, *scalars: Any) -> Any:
        after, averages = super().update(ops, state, theta, Dtheta, eta, *scalars)
        return after, averages._replace(r=ops.scale(ops.shape(theta)[1], averages.r))


@pytest.mark.parametrize(
    ("theorems", "wrong"),
    [
        (adaptive_optimizers.adamw, DecayOfTheResult),
        (adaptive_optimizers.amsgrad, Smallest),
        (adaptive_optimizers.nadam, PresentMomentum),
        (adaptive_optimizers.adagrad, RootOfSum),
        (adaptive_optimizers.adadelta, NoAverage),
        (adaptive_optimizers.lion, OneAverage),
        (adaptive_optimizers.lamb, WithoutRatio),
        (adaptive_optimizers.rmsprop, Undivided),
        (adaptive_optimizers.adafactor, SumsOfRows),
    ],
)
def test_a_wrong_rule_is_refuted(monkeypatch: pytest.MonkeyPatch, theorems: Callable[[], Iterator[Theorem]], wrong: type[Any]) -> None:
    assert {verdict.status for verdict in prove(list(theorems()))} == {"proved"}
    monkeypatch.setattr(adaptive_optimizers, wrong.__base__.__name__, wrong)
    assert "refuted" in {verdict.status for verdict in prove(list(theorems()))}
