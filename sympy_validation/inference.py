"""Whether a user's layer does at inference what it has been trained for, where noise or a state make the two differ.

``evaluate`` is compared with ``feedforward`` where they should agree: with the statistics of the same input, and with noise at its mean
or on average.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nerva_core.algebra.memory import Array
from nerva_core.algebra.trees import leaves, with_leaves
from nerva_core.layers import Layer
from sympy_validation.layer_run import LayerRun

ROWS = 600
"""The rows of the input of a layer without noise: a variance over N - 1 rows is close to one over N."""
DRAWS, OUTPUTS = 2000, 100
"""Draws of the noise whose mean is taken, and outputs that are averaged."""
UPDATES = 3000
"""A state is updated so often with one input, if it does not settle before."""
TOLERANCE = 0.15
"""The difference, relative to the largest output, that is taken for chance and for other estimates of a variance."""


def otherwise(run: LayerRun) -> str:
    """In which way ``evaluate`` differs from ``feedforward``, in words; empty if in none, or if they cannot be compared."""
    kind = type(run.layer)
    if kind.evaluate is Layer.evaluate or kind.draw_for_evaluation is not Layer.draw_for_evaluation or run.layer.has_pattern():
        return ""
    state = _settled_state(run)
    if state is None or not (run.noise or list(leaves(state))):
        return ""
    found = run.layer.evaluate(run.ops, run.params, state, run.X)
    trained = list(_trained(run))
    if not all(np.isfinite(Y).all() for Y in (found, *trained)) or any(_is_near(found, Y) for Y in trained):
        return ""
    k = int(np.argmax(np.abs(found - trained[0])))
    where = "with its noise at its mean" if run.noise else "with the statistics of the same input"
    return f"evaluate gives {found.flat[k]:.4g} where feedforward gives {trained[0].flat[k]:.4g} {where}"


def _settled_state(run: LayerRun) -> Any:
    """The state after many steps with one input; None if it does not settle."""
    state = run.layer.initial_state(run.D)
    if not list(leaves(state)):
        return state
    _, cache = run.layer.feedforward(run.ops, run.params, run.X, *run.noise)
    for _ in range(UPDATES):
        new = run.layer.update_state(run.ops, state, cache)
        if all(np.allclose(a, b, rtol=1e-4, atol=1e-7) for a, b in zip(leaves(state), leaves(new), strict=True)):
            return new
        state = new
    return None


def _trained(run: LayerRun) -> list[Array]:
    """The output of ``feedforward``; with noise at its mean and, as a second, on average."""

    def output(noise: Any) -> Array:
        Y: Array = run.layer.feedforward(run.ops, run.params, run.X, *noise)[0]
        return Y

    if not run.noise:
        return [output(())]
    draws = [list(leaves(run.draw())) for _ in range(DRAWS)]
    mean = with_leaves(run.noise, [np.mean(same, axis=0) for same in zip(*draws, strict=True)])
    return [output(mean), np.mean([output(with_leaves(run.noise, draw)) for draw in draws[:OUTPUTS]], axis=0)]


def _is_near(A: Array, B: Array) -> bool:
    return A.shape == B.shape and bool(np.max(np.abs(A - B)) <= TOLERANCE * np.max(np.abs(B)))
