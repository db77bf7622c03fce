"""The figures of the q-neurons paper: the density of q (Fig. 1), that of a q-activation (Fig. 2), and learning curves (Fig. 4)."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nerva_core.algebra.numeric_backend import Backend, backend
from nerva_core.equations.activations import Activation, QLimit
from nerva_core.figures.plots import band, curve, legend, name_axes, panels, png
from nerva_core.layers import QActivation
from nerva_core.layers.q_activation import draw_q, q_density
from nerva_core.reproductions.runs import Trained, curves

Array = np.ndarray[Any, Any]

DRAWS = 10_000
"""The draws of q from which the density of a q-activation is estimated."""


def density_of_q(lambdas: Sequence[float] = (0.02, 0.1, 0.5, 1.0), phi: float = 1e-3) -> bytes:
    """Figure 1, on its correct domain |q - 1| >= φ (erratum 000-20); on the right the gap, enlarged."""
    figure, (axes,) = panels(1, 2)
    for k, lambda_ in enumerate(lambdas):
        for axis, reach in ((axes[0], 3.0), (axes[1], 5 * phi)):
            for side in (-1, 1):
                q = 1 + side * np.concatenate([[0, phi * (1 - 1e-9)], phi + np.geomspace(1e-9, reach - phi, 300)])
                curve(axis, q, q_density(q, lambda_, phi) / _top(lambda_), k, f"λ = {lambda_:g}" if side == 1 else None)
    name_axes(axes[0], "q", "density / its maximum", "the density of q (equation 6)")
    name_axes(axes[1], "q", "density / its maximum", f"its gap |q − 1| < φ = {phi:g}")
    axes[1].set_xticks([1 - 4 * phi, 1 - phi, 1 + phi, 1 + 4 * phi])
    legend(figure)
    return png(figure)


def density_of_q_activation(activations: Mapping[str, Activation], lambdas: Sequence[float] = (0.02, 0.1, 1.0, 5.0)) -> bytes:
    """Figure 2: for every x the density of g_q(x) = (f(x) - f(qx)) / (1 - q), darker where it is larger; f and the limit f'(x) x on it."""
    figure, axes = panels(len(activations), len(lambdas), width=2.6, height=2.2, sharex=True, sharey="row")
    ops, x, heights = _numpy(), np.linspace(-4, 4, 161), np.linspace(-2.5, 4.5, 176)
    for row, (name, f) in zip(axes, activations.items(), strict=True):
        for axis, lambda_ in zip(row, lambdas, strict=True):
            density = _density(f, lambda_, x, heights)
            axis.pcolormesh(
                x, (heights[:-1] + heights[1:]) / 2, density, cmap="Greys", vmin=0, vmax=1.1, shading="nearest", rasterized=True
            )
            X = ops.matrix(x[None, :])
            curve(axis, x, f.value(ops, X)[0], 1, "f(x)", linewidth=1.2)
            curve(axis, x, QLimit(f).value(ops, X)[0], 0, "f′(x) x", linewidth=1.2)
            axis.set_ylim(heights[0], heights[-1])
            axis.set_title(f"q-{name}, λ = {lambda_:g}", fontsize=9)
        row[0].set_ylabel("$g_q(x)$")
    for axis in axes[-1]:
        axis.set_xlabel("x")
    legend(figure)
    return png(figure)


def learning_curves(runs: Mapping[str, Mapping[str, Sequence[Trained]]]) -> bytes:
    """Figure 4: the training loss and the test accuracy of f and of its q-activations over the epochs, one row of panels an f."""
    figure, axes = panels(len(runs), 2, height=2.8)
    for (name, kinds), (left, right) in zip(runs.items(), axes, strict=True):
        for k, (kind, trained) in enumerate(kinds.items()):
            epochs = list(range(1, trained[0].config.training.epochs + 1))
            band(left, epochs, curves(trained, lambda m: m.train_loss), k, kind)
            band(right, epochs, curves(trained, lambda m: None if m.test_accuracy is None else 100 * m.test_accuracy), k, kind)
        name_axes(left, "epoch", "training loss", name, integers=True)
        name_axes(right, "epoch", "test accuracy (%)", name, integers=True)
    legend(figure)
    return png(figure)


def _top(lambda_: float) -> float:
    return float(q_density(np.array(2.0), lambda_, 1.0))  # at |q - 1| = φ


def _density(f: Activation, lambda_: float, x: Array, heights: Array) -> Array:
    """The density of g_q(x) between ``heights``, a column an x, each relative to its maximum; from draws of q."""
    ops, rng, layer = _numpy(), np.random.default_rng(0), QActivation(f, lambda_)
    q = draw_q(rng, lambda_, layer.phi, (DRAWS, 1))
    columns = []
    for value in x:
        Y, _ = layer.feedforward(ops, (), ops.matrix(np.full((DRAWS, 1), value)), ops.matrix(q))
        counts, _ = np.histogram(Y, heights)
        columns.append(counts / max(1, counts.max()))
    result: Array = np.array(columns).T
    return result


@functools.cache
def _numpy() -> Backend:
    return backend("numpy", "float64")
