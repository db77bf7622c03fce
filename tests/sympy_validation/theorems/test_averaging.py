"""Wrong averages are refuted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from nerva_core.equations.optimizers import EMA, Lookahead
from sympy_validation.theorem import prove
from sympy_validation.theorems import averaging


@dataclass(frozen=True)
class WithoutCorrection(EMA):
    """The first values have a share."""

    def scalars(self, eta: Any, t: int) -> tuple[Any, ...]:
        return (*self.optimizer.scalars(eta, t), 1 - self.beta)


@dataclass(frozen=True)
class OfGradients(EMA):
    """The average of what was before the step."""

    def step(self, ops: Any, states: Any, thetas: Any, gradients: Any, eta: Any, *scalars: Any) -> Any:
        new, states = super().step(ops, states, thetas, gradients, eta, *scalars)
        share = scalars[-1]
        late = [state._replace(Theta=state.Theta + share * (old - theta)) for state, old, theta in zip(states, thetas, new, strict=True)]
        return new, late


@dataclass(frozen=True)
class StaysAhead(Lookahead):
    """θ does not go back to Θ."""

    def step(self, ops: Any, states: Any, thetas: Any, gradients: Any, eta: Any, *scalars: Any) -> Any:
        new, _ = self.inner_step(ops, states, thetas, gradients, eta, *scalars[:-1])
        return new, super().step(ops, states, thetas, gradients, eta, *scalars)[1]


@pytest.mark.parametrize("wrong", [WithoutCorrection, OfGradients, StaysAhead])
def test_a_wrong_average_is_refuted(monkeypatch: pytest.MonkeyPatch, wrong: type[Any]) -> None:
    monkeypatch.setattr(averaging, wrong.__base__.__name__, wrong)
    assert "refuted" in {verdict.status for verdict in prove(list(averaging.theorems()))}


def test_the_averages_are_proved() -> None:
    assert {verdict.status for verdict in prove(list(averaging.theorems()))} == {"proved"}
