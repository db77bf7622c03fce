"""The figures of the TMAF paper: what was learned (Fig. 1), training errors (Figs. 2, 3, 4b), approximations (4a, 5, 6), classes (7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nerva_core.algebra.numeric_backend import backend
from nerva_core.data.synthetic import three_frequencies
from nerva_core.figures.plots import band, curve, legend, name_axes, panels, png
from nerva_core.figures.step_functions import draw, step_functions
from nerva_core.reproductions.runs import Trained, curves


def learned(runs: Mapping[str, Trained]) -> bytes:
    """α(y) y of every hidden layer: one panel a network, one curve a layer."""
    figure, (axes,) = panels(1, len(runs), width=3.2, height=2.8)
    for axis, (title, run) in zip(axes, runs.items(), strict=True):
        layers = step_functions(run.config.model.build(), run.state.params)
        for k, (_, functions) in enumerate(layers):
            for _, grid, t in functions:
                draw(axis, grid, t, k, f"hidden layer {k + 1}")
        name_axes(axis, "y", "α(y) y", title)
    legend(figure)
    return png(figure)


def errors(experiments: Mapping[str, Mapping[str, Sequence[Trained]]]) -> bytes:
    """The training error over the epochs."""
    figure, (axes,) = panels(1, len(experiments), width=3.2, height=2.8)
    for axis, (title, runs) in zip(axes, experiments.items(), strict=True):
        for k, (kind, trained) in enumerate(runs.items()):
            epochs = list(range(1, trained[0].config.training.epochs + 1))
            band(axis, epochs, curves(trained, lambda m: m.train_loss), _NUMBERS.get(kind, k), kind)
        axis.set_yscale("log")
        name_axes(axis, "epoch", "mean squared error", title, integers=False)
    legend(figure)
    return png(figure)


def class_curves(runs: Mapping[str, Sequence[Trained]]) -> bytes:
    """The training loss and the test accuracy of a classification over the epochs (Figure 7)."""
    figure, (axes,) = panels(1, 2)
    for k, (kind, trained) in enumerate(runs.items()):
        number = _NUMBERS.get(kind, k)
        epochs = list(range(1, trained[0].config.training.epochs + 1))
        band(axes[0], epochs, curves(trained, lambda m: m.train_loss), number, kind)
        band(axes[1], epochs, curves(trained, lambda m: None if m.test_accuracy is None else 100 * m.test_accuracy), number, kind)
    name_axes(axes[0], "epoch", "training loss", integers=True)
    name_axes(axes[1], "epoch", "test accuracy (%)", integers=True)
    legend(figure)
    return png(figure)


_NUMBERS = {"ReLU": 0, "PReLU": 1, "TMAF": 2, "diagonal TMAF": 3, "tri-diagonal TMAF": 4}
"""One colour, line and marker an activation in all panels; each its own, as one legend stands for all."""


def approximations(runs: Mapping[str, Sequence[Trained]], low: float = 0.0, high: float = 0.1) -> bytes:
    """The function on a part of its domain, where its high frequency can be seen, and each network's output."""
    figure, (axes,) = panels(1, len(runs), width=3.2, height=2.8, sharey=True)
    ops, x = backend("numpy", "float64"), np.linspace(low, high, 801)
    X = ops.matrix(x[:, None])
    for axis, (kind, trained) in zip(axes, runs.items(), strict=True):
        state = trained[0].state
        Y = trained[0].config.model.build().evaluate(ops, ops.matrices(state.params), ops.matrices(state.statistics), X)
        curve(axis, x, three_frequencies(x), 4, "f(x)", linewidth=1.0)
        curve(axis, x, ops.to_numpy(Y)[:, 0], 1, "network", linewidth=1.4)
        name_axes(axis, "x", "y", kind)
    legend(figure)
    return png(figure)
