"""The two-dimensional losses of the Activated Gradients paper, whose gradient is k ⊙ w: the ill-conditioned one (28) and a saddle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nerva_core.algebra.numeric_backend import backend
from nerva_core.equations.gradient_activations import Arctan, Log, NormClipping, Tanh, ValueClipping
from nerva_core.equations.optimizers import GAF, GradientDescent, Optimizer
from nerva_core.theory.gradient_theory import CURVATURES

Array = np.ndarray[Any, Any]
Pair = tuple[float, float]

SADDLE: Pair = (2.0, -2.0)
"""k of the saddle w₁² - w₂²."""

OPTIMIZERS: Mapping[str, Optimizer] = {
    "none": GradientDescent(),
    "arctan": GAF(GradientDescent(), Arctan()),
    "tanh": GAF(GradientDescent(), Tanh()),
    "log": GAF(GradientDescent(), Log()),
    "value clipping": GAF(GradientDescent(), ValueClipping()),
    "norm clipping": GAF(GradientDescent(), NormClipping()),
}
"""Gradient descent with what the paper compares, with its parameters: α = 0.1 and β = 20, thresholds 0.1."""


def path(optimizer: Optimizer, k: Pair, start: Pair, eta: float, steps: int) -> Array:
    """The points from ``start``, one a row, that the optimizer visits on the loss with the gradient k ⊙ w."""
    ops = backend("numpy", "float64")
    w, curvatures = ops.matrix([start]), ops.matrix([k])
    state, found = optimizer.init(ops, w), [ops.to_numpy(w)[0]]
    for t in range(1, steps + 1):
        w, state = optimizer.update(ops, state, w, ops.hadamard(curvatures, w), *optimizer.scalars(eta, t))
        found.append(ops.to_numpy(w)[0])
    return np.array(found)


def steps_until(reached: Callable[[Array], Array], points: Array) -> int | None:
    """The number of the first point from which on ``reached`` holds to the end of the path; None if it does not hold there."""
    held = reached(points)
    return None if not held[-1] else int(len(held) - np.argmin(held[::-1])) if not held.all() else 0


def escape(optimizer: Optimizer, distance: float = 0.05, eta: float = 0.1) -> int | None:
    """The steps from (1, 10⁻⁶) until |w₂| exceeds the distance on the saddle."""
    return steps_until(lambda w: np.abs(w[:, 1]) > distance, path(optimizer, SADDLE, (1.0, 1e-6), eta, 300))


def descend(optimizer: Optimizer, start: Pair, tolerance: float, eta: float = 0.1) -> int | None:
    """The steps until the loss (28) stays under the tolerance; None if they are more than 5000."""
    points = path(optimizer, (CURVATURES[0], CURVATURES[1]), start, eta, 5000)
    return steps_until(lambda w: 0.5 * (np.array(CURVATURES) * w**2).sum(axis=1) < tolerance, points)
