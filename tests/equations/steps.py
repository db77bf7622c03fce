"""Steps of an update rule on given gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from nerva_core.algebra.numeric_backend import Backend
from nerva_core.equations.optimizers import (
    Optimizer,
)

STEPS = 6
ETA = 0.0625
RNG = np.random.default_rng(8)
THETA = RNG.normal(size=(3, 2))
GRADIENTS = RNG.normal(size=(STEPS, 3, 2)) * np.array([1, 0.1, 10, 1e-3, 1, 1])[:, None, None]
Array = np.ndarray[Any, Any]


def run(ops: Backend, optimizer: Optimizer, theta: Array = THETA, gradients: Array = GRADIENTS, eta: float = ETA) -> Array:
    """θ after each step, with the numbers of a step handed over as a compiled step gets them."""
    parameter, history = ops.matrix(theta), []
    state = optimizer.init(ops, parameter)
    for t, gradient in enumerate(gradients, start=1):
        scalars = [ops.scalar(c) for c in optimizer.scalars(eta, t)]
        parameter, state = optimizer.update(ops, state, parameter, ops.matrix(gradient), *scalars)
        history.append(ops.to_numpy(parameter))
    return np.array(history)
