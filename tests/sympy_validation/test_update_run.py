"""A user's optimizer and schedule on NumPy: right ones, and what a proof on symbols does not see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from nerva_core.equations.initializers import Initializer, NormalDistribution
from nerva_core.equations.optimizers import Optimizer
from nerva_core.equations.schedules import Schedule
from sympy_validation.layer_run import ContradictionError, NumericSizes
from sympy_validation.update_run import InitializerRun, OptimizerRun, ScheduleRun

calls: list[int] = []


@dataclass(frozen=True)
class Sum(Optimizer):
    """θ - η Σ_t Σ_{s<=t} G_s."""

    def init(self, ops: Any, theta: Any) -> Any:
        return (ops.zeros(*ops.shape(theta)),)

    def update(self, ops: Any, state: Any, theta: Any, Dtheta: Any, eta: Any, *scalars: Any) -> Any:
        S = state[0] + Dtheta
        return theta - eta * S, (S,)

    def closed_form(self, ops: Any, eta: Any, theta: Any, *gradients: Any) -> Any:
        for k, G in enumerate(gradients):
            theta = theta - (len(gradients) - k) * eta * G
        return theta


class InPlace(Sum):
    def update(self, ops: Any, state: Any, theta: Any, Dtheta: Any, eta: Any, *scalars: Any) -> Any:
        S = state[0]
        S += Dtheta
        return theta - eta * S, (S,)


class Late(Sum):
    def scalars(self, eta: Any, t: int) -> Any:
        return (eta if t < 10 else 2 * eta,)


class ThreeGradients(Late):
    """Of later steps it says nothing."""

    def closed_form(self, ops: Any, eta: Any, theta: Any, A: Any, B: Any, C: Any) -> Any:
        return super().closed_form(ops, eta, theta, A, B, C)


class Counting(Sum):
    def scalars(self, eta: Any, t: int) -> Any:
        calls.append(t)
        return (eta if len(calls) <= len("twelve steps") else 2 * eta,)


class MuchLater(Sum):
    def scalars(self, eta: Any, t: int) -> Any:
        return (eta if t < 25 else 2 * eta,)


class Noisy(Sum):
    def scalars(self, eta: Any, t: int) -> Any:
        np.random.normal()
        return (eta,)


class OtherShape(Sum):
    def update(self, ops: Any, state: Any, theta: Any, Dtheta: Any, eta: Any, *scalars: Any) -> Any:
        return ops.rows_sum(theta - eta * Dtheta), state


class OtherState(Sum):
    def update(self, ops: Any, state: Any, theta: Any, Dtheta: Any, eta: Any, *scalars: Any) -> Any:
        return super().update(ops, state, theta, Dtheta, eta)[0], (ops.rows_sum(state[0] + Dtheta),)


class Undefined(Sum):
    def update(self, ops: Any, state: Any, theta: Any, Dtheta: Any, eta: Any, *scalars: Any) -> Any:
        return ops.log(-ops.hadamard(theta, theta)), state

    def closed_form(self, ops: Any, eta: Any, theta: Any, *gradients: Any) -> Any:
        return ops.log(-ops.hadamard(theta, theta))


def optimized(optimizer: Optimizer) -> bool:
    calls.clear()
    rng = np.random.default_rng(0)
    with np.errstate(all="ignore"):
        return OptimizerRun(optimizer, NumericSizes(3, 2, 2), lambda rng, shape: rng.normal(size=shape), rng).check()


@pytest.mark.parametrize("optimizer", [Sum(), ThreeGradients()], ids=lambda x: type(x).__name__)
def test_right_optimizers(optimizer: Optimizer) -> None:
    assert optimized(optimizer)


def test_where_nothing_has_a_value_nothing_is_said() -> None:
    assert not optimized(Undefined())


@pytest.mark.parametrize(
    ("optimizer", "words"),
    [
        (InPlace(), "step 1 changes theta, its gradient or the state in place"),
        (Late(), "theta after 12 steps should be"),
        (MuchLater(), "theta after 27 steps should be"),
        (Counting(), "the same steps give something else when they are taken again"),
        (Noisy(), "random numbers are drawn that are no input"),
        (OtherShape(), "theta is 3 x 2, after step 1 3 x 1"),
        (OtherState(), "step 1 changes the shapes of the state"),
    ],
    ids=lambda x: type(x).__name__,
)
def test_wrong_optimizers(optimizer: Optimizer, words: str) -> None:
    with pytest.raises(ContradictionError, match=words):
        optimized(optimizer)


@dataclass(frozen=True)
class Steps(Schedule):
    rate: Callable[[int], float] = lambda i: 1.0

    def __call__(self, i: int) -> float:
        return self.rate(i)

    def closed_form(self, i: int) -> float:
        return 1.0


def rates(rate: Callable[[int], float]) -> bool:
    calls.clear()
    return ScheduleRun(Steps(rate=rate), NumericSizes(1, 1, 1), np.random.Generator.normal, np.random.default_rng(0)).check()


def test_schedules() -> None:
    assert rates(lambda i: 1.0 + 1e-12)
    with pytest.raises(ContradictionError, match=r"the rate of step i = 150 should be 1 by closed_form, is 0\.5"):
        rates(lambda i: 1.0 if i < 150 else 0.5)
    with pytest.raises(ContradictionError, match="is another one when it is asked for again"):
        rates(lambda i: 1.0 + 1e-12 * (calls.append(i) or len(calls)))  # type: ignore[func-returns-value]


@dataclass(frozen=True)
class Drawn(Initializer):
    mean: float = 0.0
    scale: float = 1.0

    def distribution(self, D: int, K: int) -> Any:
        return NormalDistribution(0.0, 1.0)

    def moments(self, D: int, K: int) -> Any:
        return 0.0, 1.0

    def identity(self) -> float:
        return 3.0

    def draw(self, rng: np.random.Generator, D: int, K: int, shape: tuple[int, int]) -> Any:
        return self.mean + self.scale * super().draw(rng, D, K, shape)


@pytest.mark.parametrize(
    ("initializer", "words"), [(Drawn(0.5), "the mean of 50000 draws"), (Drawn(0.0, 1.1), "the variance of 50000 draws")]
)
def test_wrong_draws(initializer: Initializer, words: str) -> None:
    with pytest.raises(ContradictionError, match=words):
        drawn(initializer)


def test_right_draws() -> None:
    assert drawn(Drawn())


def drawn(initializer: Initializer) -> bool:
    return InitializerRun(initializer, NumericSizes(3, 2, 2), lambda rng, shape: rng.normal(size=shape), np.random.default_rng(0)).check()
