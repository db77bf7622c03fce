"""A learning rate for a network and its data: the loss of steps whose rate rises until they diverge (Smith 2017)."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.memory import Array
from nerva_core.algebra.trees import map_tree
from nerva_core.training.batches import StepInput, epoch_inputs
from nerva_core.training.step import StepOutput
from nerva_core.training.trainer import Trainer

SMOOTHING = 0.9
"""How much of the mean of the losses before is kept at each step."""
DIVERGED = 4.0
"""Steps end where the smoothed loss is so many times its smallest value."""

LEAST = 0.99
"""A loss that falls to no less than so much of the first has not fallen."""


@dataclass(frozen=True)
class Ramp:
    """A rate that rises from ``low`` to ``high`` in ``steps`` steps, by the same factor in each."""

    low: float
    high: float
    steps: int

    def __call__(self, i: int) -> float:
        return float(self.low * (self.high / self.low) ** (i / (self.steps - 1)))


class RateSearch(NamedTuple):
    """The steps that did not diverge."""

    rates: Array
    losses: Array
    """Smoothed: the mean of the losses, those of earlier steps with the weights 0.9, 0.9², ..."""
    suggested: float
    """A tenth of the rate where the loss is smallest: large, and far from where it diverges."""


def find_rate(trainer: Trainer, low: float = 1e-6, high: float = 10.0, steps: int = 200) -> RateSearch:
    """Train with a rising rate, from the present state, which is lost. NervaError if the loss never becomes smaller."""
    if not (0 < low < high < math.inf and steps >= 10):
        raise NervaError(f"a search needs 0 < low < high and 10 steps or more, got low = {low:g}, high = {high:g}, {steps} steps")
    ramp = Ramp(low, high, steps)
    losses: list[float] = []
    smoothed: list[float] = []
    with np.errstate(all="ignore"):  # it is to diverge
        for group in _rising(trainer, ramp):
            losses += StepOutput(*trainer.advance(group).T).loss.tolist()
            smoothed = smooth(losses)
            if len(smoothed) < len(losses):
                break
    best = int(np.argmin(smoothed)) if smoothed else 0
    if len(smoothed) < 2 or smoothed[best] > LEAST * smoothed[0]:
        raise NervaError(
            f"the loss does not become smaller at any rate from {low:g} to {high:g}: begin with a smaller one, or look at the data"
        )
    rates = np.array([ramp(i) for i in range(len(smoothed))])
    return RateSearch(rates, np.array(smoothed), float(rates[best]) / 10)


def _rising(trainer: Trainer, ramp: Ramp) -> Iterator[StepInput]:
    """The inputs of so many steps as the ramp has, over as many epochs as these take."""
    config = trainer.config
    training = config.training.model_copy(update={"schedule_by": "step"})
    config = config.model_copy(update={"schedule": ramp, "training": training})
    left = ramp.steps
    for epoch in itertools.count():
        for group in epoch_inputs(config, trainer.network, trainer.data, trainer.ops, epoch):
            count = min(left, len(group.rows))
            yield map_tree(operator.itemgetter(slice(count)), group)
            left -= count
            if not left:
                return


def smooth(losses: list[float]) -> list[float]:
    """The smoothed losses, up to where they diverge."""
    result: list[float] = []
    mean = 0.0
    for i, loss in enumerate(losses, 1):
        mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
        value = mean / (1 - SMOOTHING**i)
        if not math.isfinite(value) or (result and value > DIVERGED * min(result)):
            break
        result.append(value)
    return result
