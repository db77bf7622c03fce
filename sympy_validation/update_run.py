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
from nerva_core.equations.optimizers import Optimizer
from nerva_core.equations.schedules import Schedule
from sympy_validation.layer_run import ContradictionError, NumericSizes, Sample, random_states, same, size_text
from sympy_validation.outside import Kept
from sympy_validation.mentioned import mentioned, values_beside
from sympy_validation.theorems.optimizer_steps import STEPS
from sympy_validation.ways import Ways, followed

LONG = 12
"""So many steps are taken too, where ``closed_form`` takes any number of gradients."""
RATES = (*range(200), 999, 4999)
"""The steps at which the rates of a schedule are looked at, besides those near the numbers that its code mentions."""
LATEST = 5000
"""The last step at which a schedule is looked at because its code mentions the number."""
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
        return LONG if any(p.kind is p.VAR_POSITIONAL for p in parameters) else STEPS

    def check(self) -> bool:
        """Whether everything has a value at this point; a ContradictionError if θ is not what ``closed_form`` says."""
        numbers, kept = random_states(), Kept(self.optimizer)
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


def _compare(quantity: str, what: str, found: Any, wanted: Any) -> None:
    if np.shape(found) != np.shape(wanted):
        raise ContradictionError(f"{what} is {size_text(np.shape(found))}, closed_form gives {size_text(np.shape(wanted))}", quantity)
    apart = np.abs(np.subtract(found, wanted)) > TOLERANCE * (1e-3 + np.abs(found) + np.abs(wanted))
    if np.any(apart):
        k = int(np.argmax(apart))
        raise ContradictionError(f"{what} should be {np.ravel(wanted)[k]:.6g} by closed_form, is {np.ravel(found)[k]:.6g}", quantity)
