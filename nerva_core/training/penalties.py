"""Penalties that drown the loss: then a network learns to be easy to approximate, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nerva_core.algebra.trees import leaves

if TYPE_CHECKING:
    from nerva_core.training.trainer import Trainer

BY_FAR = 10.0
"""On digits, networks with a bridge of 32 to 512 neurons learned up to a ratio of 8, and collapsed to chance from 17 on (docs/dab.md)."""


def penalty_ratio(trainer: Trainer) -> float | None:
    """‖gradient of the penalties‖ / ‖gradient of the loss‖ by all parameters, on the next batch; None if no layer has a penalty."""
    network = trainer.network.at_epoch(trainer.epoch + 1)
    without_penalty = network.without_penalty()
    if without_penalty is network:
        return None
    ops, given, loss = trainer.ops, trainer.first_input(), trainer.config.loss
    targets = trainer.data.targets(trainer.data.Ttrain[given.rows], trainer.network.outputs_for(trainer.data.inputs))
    X, T = ops.matrix(trainer.data.Xtrain[given.rows]), ops.matrix(targets)

    def gradient(network: Any) -> Any:
        Y, cache = network.feedforward(ops, trainer.state.params, X, *network.given(trainer.state.statistics, given.noise))
        DY = loss.gradient(ops, Y, T)
        DY = DY if loss.mean else ops.divide(DY, len(given.rows))
        _, gradients = network.backpropagate(ops, trainer.state.params, cache, DY)
        return np.concatenate([np.ravel(ops.to_numpy(G)) for G in leaves(gradients)])

    of_loss = gradient(without_penalty)
    norm = float(np.linalg.norm(of_loss))
    return float(np.linalg.norm(gradient(network) - of_loss)) / norm if norm else None


def penalty_warning(trainer: Trainer) -> str:
    """What to say if the penalties exceed the loss by far before the first step; nothing else."""
    ratio = penalty_ratio(trainer) if trainer.epoch == 0 else None
    if ratio is None or ratio <= BY_FAR:
        return ""
    return (
        f"the gradient of the bridges' penalties is {ratio:.0f} times that of the loss, so the network may learn nothing but to be easy to "
        "approximate; a smaller gamma, reduction = 'full mean' or conditioning = false makes it smaller"
    )
