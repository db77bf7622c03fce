"""The loss around a trained network, and the α and β that it suggests for a gradient activation (Activated Gradients, section IV-B).

A random direction d has the shape of the parameters θ. It is filter-normalised (Li et al. 2018): each row of d belongs to one
neuron and gets the norm of that row of θ, so that a step of length 1 means the same in every layer and does not depend on how the
layers are scaled. Parameters that are a single row (biases, γ, β) stay as they are.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.memory import Array
from nerva_core.algebra.trees import Tree, leaves, with_leaves
from nerva_core.data import Dataset
from nerva_core.equations.gradient_activations import Arctan, fixed_point
from nerva_core.training.trainer import Trainer

SLOPE = 2.0
"""αβ, the slope of G at 0 that enlarges small gradients, in both settings that the paper recommends: (0.1, 20) and (0.2, 10)."""


class LossCurve(NamedTuple):
    """The mean loss at θ + t d for several directions d: ``losses`` has a row a direction and a column a t."""

    t: Array
    losses: Array

    def mean(self) -> Array:
        """The mean of the directions."""
        result: Array = self.losses.mean(axis=0)
        return result

    def parabola(self) -> Array:
        """The parabola beside the mean."""
        return parabola(self.t, self.mean())


def random_direction(rng: np.random.Generator, params: Tree) -> Any:
    """A filter-normalised direction of the shape of the parameters: d_i = ε_i ‖θ_i‖ / ‖ε_i‖ for row i, with ε standard normal."""
    found = []
    for theta in leaves(params):
        epsilon = rng.standard_normal(theta.shape)
        scale = np.linalg.norm(theta, axis=1, keepdims=True) / np.linalg.norm(epsilon, axis=1, keepdims=True)
        found.append(scale * epsilon if len(theta) > 1 else np.zeros(theta.shape))
    return with_leaves(params, found)


def loss_curve(
    trainer: Trainer,
    t: Sequence[float] | Array,
    directions: int = 1,
    seed: int = 0,
    progress: Callable[[float], None] = lambda fraction: None,
) -> LossCurve:
    """The training loss along random directions from the parameters of the trainer, in evaluation mode; the trainer is left as it was."""
    state, epoch, centre = trainer.to_numpy(), trainer.epoch, trainer.evaluated()
    rng, losses = np.random.default_rng(seed), np.empty((directions, len(t)))
    for k in range(directions):
        d = list(leaves(random_direction(rng, centre.params)))
        for i, length in enumerate(t):
            moved = [theta + length * step for theta, step in zip(leaves(centre.params), d, strict=True)]
            trainer.take(centre._replace(params=with_leaves(centre.params, moved)))
            losses[k, i], _ = trainer.evaluate(test=False)
            progress((k * len(t) + i + 1) / losses.size)
    trainer.restore(epoch, state)
    return LossCurve(np.asarray(t, dtype=float), losses)


def on_examples(trainer: Trainer, examples: int) -> Trainer:
    """The same network and state on the first so many training examples, for a quicker loss curve."""
    data: Dataset = trainer.data
    few = dataclasses.replace(data, Xtrain=data.Xtrain[:examples], Ttrain=data.Ttrain[:examples])
    result = Trainer(trainer.config, few)
    result.restore(trainer.epoch, trainer.to_numpy())
    return result


def parabola(t: Array, losses: Array, rise: float = 1.0) -> Array:
    """The parabola from the curve at t = 0 that has risen by ``rise`` (or as far as the curve does) where the curve first has."""
    centre = losses[np.abs(t).argmin()]
    level = min(rise, float(losses.max() - centre))
    reached = np.abs(t[losses - centre >= level - 1e-12]).min()
    result: Array = centre + level * (t / reached) ** 2 if reached > 0 else np.full_like(losses, centre)
    return result


@dataclass(frozen=True)
class Suggestion:
    """α and β for a gradient activation, and how they were found."""

    alpha: float
    beta: float
    flatter: bool
    """Whether the loss is flatter than a parabola near the optimum (type 1 of Figure 4), so that small gradients should be enlarged."""
    typical_gradient: float


def suggest(curve: LossCurve, largest_gradients: Sequence[float]) -> Suggestion:
    """α and β from the loss curve and from the largest |Dθ| of every epoch (section IV-B, steps a to d), for the arctangent.

    The paper gives no formula for them but αβ > 1 if the loss is flatter than a parabola near the optimum, else αβ < 1, and an α
    that restrains the large gradients. Here αβ is 2, the value of both settings that it recommends, or 1/2. The fixed point ε₃ of
    G is the median over the epochs of the largest gradient: what is usual is enlarged, and what stands out is restrained. Where
    αβ < 1, nothing is enlarged, and α is the one that bounds G by that median, πα/2.

    NervaError if no gradients were recorded.
    """
    if not len(largest_gradients):
        raise NervaError("no largest gradients are recorded: train with record_gradients = true under [training]")
    typical = float(np.median(largest_gradients))
    mean = curve.mean()
    below = mean - mean[np.abs(curve.t).argmin()] <= 1.0
    flatter = bool((curve.parabola() - mean)[below].mean() >= 0)
    if flatter:
        alpha = typical / fixed_point(Arctan(1.0, SLOPE))  # ε₃ is proportional to α if αβ stays the same
        return Suggestion(alpha, SLOPE / alpha, True, typical)
    alpha = 2 * typical / np.pi
    return Suggestion(alpha, 1 / (SLOPE * alpha), False, typical)
