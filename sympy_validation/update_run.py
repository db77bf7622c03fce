"""One run of a user's optimizer or schedule on NumPy in float64, against the ``closed_form`` that its class states."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np

from backends.numpy import NumpyBackend
from nerva_core.algebra.memory import Array
from nerva_core.algebra.trees import leaves
from nerva_core.equations.initializers import Initializer
from nerva_core.equations.optimizers import Optimizer
from nerva_core.equations.schedules import Schedule
from sympy_validation.layer_run import ContradictionError, NumericSizes, Sample, random_states, same, size_text
from sympy_validation.mentioned import mentioned, values_beside
from sympy_validation.outside import KeptOutside
from sympy_validation.theorems.optimizer_steps import STEPS
from sympy_validation.ways import Ways, followed

LONG = 12
"""So many steps are taken too, where ``closed_form`` takes any number of gradients."""
MOST_STEPS = 100
"""Or so many as the code mentions, up to this number."""
RATES = (*range(200), 999, 4999)
"""The steps at which the rates of a schedule are looked at, besides those near the numbers that its code mentions."""
LATEST = 5000
"""The last step at which a schedule is looked at because its code mentions the number."""
WIDTHS = 200, 250
"""The inputs and outputs of a layer whose weights are drawn."""
CHANCE = 0.05
"""How far the mean of so many draws may be from its value, in standard deviations, and their variance, relative to its own."""
MOMENTS = "mean, variance"
TOLERANCE = 1e-7
"""The relative difference that is taken for a rounding."""


class OptimizerRun:
    """One optimizer on one parameter, with arbitrary gradients."""

    def __init__(self, optimizer: Optimizer, sizes: NumericSizes, sample: Sample, rng: np.random.Generator) -> None:
        self.optimizer: Any = optimizer
        self.ops = NumpyBackend("float64", "cpu")
        self.eta = float(rng.uniform(0.01, 0.2))
        self.theta, *self.gradients = (sample(rng, (sizes.N, sizes.D)) for _ in range(1 + self._count()))
        self.ways, self.kept = Ways(), ""

    def _count(self) -> int:
        parameters = inspect.signature(self.optimizer.closed_form).parameters.values()
        if all(p.kind is not p.VAR_POSITIONAL for p in parameters):
            return STEPS
        mentioned_steps: list[int] = values_beside(mentioned(type(self.optimizer)), whole=True, most=MOST_STEPS)
        return max(LONG, *mentioned_steps, 1)

    def check(self) -> bool:
        """Whether everything has a value at this point; a ContradictionError if θ is not what ``closed_form`` says."""
        numbers, kept = random_states(), KeptOutside(self.optimizer)
        with followed() as ways:
            first = list(self._thetas())
            expected = {count: self._closed_form(count) for count in sorted({STEPS, len(self.gradients)})}
        self.ways, self.kept = ways, kept.changed()
        if numbers != random_states():
            raise ContradictionError("random numbers are drawn that are no input")
        for count, wanted in expected.items():
            _compare("theta", f"theta after {count} steps", first[count - 1], wanted)
        if not all(map(same, first, self._thetas())):
            raise ContradictionError("the same steps give something else when they are taken again")
        return all(np.isfinite(A).all() for A in (*first, *expected.values()))

    def _closed_form(self, count: int) -> Any:
        return self.optimizer.closed_form(self.ops, self.eta, self.theta, *self.gradients[:count])

    def _thetas(self) -> Iterator[Array]:
        """θ after each step; what is given is not changed in place, and the state keeps its shapes."""
        theta, state = self.theta, self.optimizer.init(self.ops, self.theta)
        for t, G in enumerate(self.gradients, start=1):
            given = (state, theta, G)
            before = copy.deepcopy(given)
            theta, state = self.optimizer.update(self.ops, state, theta, G, *self.optimizer.scalars(self.eta, t))
            if not all(map(same, leaves(before), leaves(given))):
                raise ContradictionError(f"step {t} changes theta, its gradient or the state in place")
            if np.shape(theta) != np.shape(G):
                raise ContradictionError(f"theta is {size_text(np.shape(G))}, after step {t} {size_text(np.shape(theta))}")
            if [np.shape(A) for A in leaves(before[0])] != [np.shape(A) for A in leaves(state)]:
                raise ContradictionError(f"step {t} changes the shapes of the state")
            yield theta


class ScheduleRun:
    """One schedule, at many steps."""

    def __init__(self, schedule: Schedule, sizes: NumericSizes, sample: Sample, rng: np.random.Generator) -> None:
        self.schedule: Any = schedule
        self.ways, self.kept = Ways(), ""

    def check(self) -> bool:
        """Whether every rate has a value; a ContradictionError if one is not what ``closed_form`` says."""
        beside = [int(i) for i in values_beside(mentioned(type(self.schedule)), whole=True, most=LATEST)]
        steps = [*dict.fromkeys((*RATES, *beside))]
        rates = [float(self.schedule(i)) for i in steps]
        for i, rate in zip(steps, rates, strict=True):
            _compare("rates", f"the rate of step i = {i}", rate, float(self.schedule.closed_form(i)))
        for i, rate in reversed([*zip(steps, rates, strict=True)]):
            if float(self.schedule(i)) != rate:
                raise ContradictionError(f"the rate of step i = {i} is another one when it is asked for again")
        return bool(np.isfinite(rates).all())


class InitializerRun:
    """Many draws of one initializer."""

    def __init__(self, initializer: Initializer, sizes: NumericSizes, sample: Sample, rng: np.random.Generator) -> None:
        self.initializer: Any = initializer
        self.rng = rng
        self.ways, self.kept = Ways(), ""

    def check(self) -> bool:
        """Whether the draws have a mean and a variance; a ContradictionError if these are not ``moments``, beside ``identity``."""
        D, K = WIDTHS
        drawn = np.asarray(self.initializer.draw(self.rng, D, K, (K, D)), dtype=float)
        if drawn.shape != (K, D):
            raise ContradictionError(f"the draws are {size_text(drawn.shape)}, should be {K} x {D}", MOMENTS)
        drawn = drawn - self.initializer.identity() * np.eye(K, D)
        mean, variance = (float(moment) for moment in self.initializer.moments(D, K))
        for what, found, wanted in (("mean", drawn.mean(), mean), ("variance", drawn.var(), variance)):
            if abs(found - wanted) > CHANCE * (abs(variance) ** 0.5 if what == "mean" else variance):
                raise ContradictionError(f"the {what} of {K * D} draws should be {wanted:.4g} by moments, is {found:.4g}", MOMENTS)
        return bool(np.isfinite(drawn).all())


def _compare(quantity: str, what: str, found: Any, wanted: Any) -> None:
    if np.shape(found) != np.shape(wanted):
        raise ContradictionError(f"{what} is {size_text(np.shape(found))}, closed_form gives {size_text(np.shape(wanted))}", quantity)
    apart = np.abs(np.subtract(found, wanted)) > TOLERANCE * (1e-3 + np.abs(found) + np.abs(wanted))
    if np.any(apart):
        k = int(np.argmax(apart))
        raise ContradictionError(f"{what} should be {np.ravel(wanted)[k]:.6g} by closed_form, is {np.ravel(found)[k]:.6g}", quantity)
