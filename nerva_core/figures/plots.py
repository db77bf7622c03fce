"""Figures, all in one style. matplotlib is imported when one is drawn.

A figure is a PNG with an opaque white ground and wide margins, so that it reads in print and as a card on a dark page. Curves
differ by colour (Okabe and Ito's palette, then four of Tol's, safe for the colour-blind), by line and by marker; a legend stands
below the panels, covers no data and is as wide as the figure at most.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nerva_core.algebra.memory import Array

if TYPE_CHECKING:
    from nerva_core.inspection.landscape import LossCurve
    from nerva_core.training.results import Metrics

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000", "#e69f00", "#56b4e9", "#882255", "#999933", "#44aa99", "#999999")
DASHES: tuple[Any, ...] = ("-", (0, (6, 2)), (0, (6, 2, 1.5, 2)), (0, (1.5, 1.5)), (0, (8, 2, 1, 2, 1, 2)), (0, (3, 1)))
MARKERS = "osv^Dx+P*"
MARKED = 30
"""Curves of fewer points than this have markers."""


def panels(rows: int = 1, columns: int = 1, width: float = 4.2, height: float = 3.2, **options: Any) -> tuple[Any, Array]:
    """A figure with rows x columns axes of the given size in inches, and the array of its axes. ``options`` are those of ``subplots``."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    layout: Any = ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08, wspace=0.02, hspace=0.02)
    figure = Figure(figsize=(width * columns, height * rows), layout=layout, facecolor="white")
    return figure, np.asarray(figure.subplots(rows, columns, squeeze=False, **options))


def curve(axis: Any, x: Sequence[float] | Array, y: Sequence[float] | Array, k: int, label: str | None = None, **options: Any) -> None:
    """The k-th curve of a panel, k = 0, 1, 2, ..., in its colour, line and marker."""
    style: dict[str, Any] = {"color": COLOURS[k % len(COLOURS)], "linestyle": DASHES[k % len(DASHES)], "linewidth": 1.6}
    if len(x) < MARKED:
        style |= {"marker": MARKERS[k % len(MARKERS)], "markersize": 4}
    axis.plot(x, y, label=label, **style | options)


def band(axis: Any, x: Sequence[float] | Array, runs: Sequence[Sequence[float]], k: int, label: str | None = None) -> None:
    """The mean of several runs as the k-th curve, and the range they span as a band. Runs that end early count as far as they go."""
    length = max((len(run) for run in runs), default=0)
    columns = [[run[i] for run in runs if i < len(run)] for i in range(length)]
    curve(axis, x[:length], [float(np.mean(column)) for column in columns], k, label)
    if len(runs) > 1:
        low, high = [min(column) for column in columns], [max(column) for column in columns]
        axis.fill_between(x[:length], low, high, color=COLOURS[k % len(COLOURS)], alpha=0.15, linewidth=0)


def name_axes(axis: Any, x: str, y: str, title: str | None = None, integers: bool = False) -> None:
    """Label the axes, with units; ``integers`` for a horizontal axis that counts."""
    axis.set_xlabel(x)
    axis.set_ylabel(y)
    if title is not None:
        axis.set_title(title, fontsize=10)
    if integers:
        axis.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    axis.grid(alpha=0.3, linewidth=0.6)
    axis.set_axisbelow(True)


def legend(figure: Any, columns: int = 4) -> None:
    """One legend of all panels, below them: the figure grows by its height. A label that stands in several panels is listed once."""
    entries: dict[str, Any] = {}
    for axis in figure.axes:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    for ncols in range(columns, 0, -1):  # as many columns as the figure is wide enough for
        drawn = figure.legend(
            entries.values(), entries.keys(), loc="outside lower center", ncols=ncols, frameon=False, fontsize=9, handlelength=3.2
        )
        extent = drawn.get_window_extent()
        if ncols == 1 or extent.width <= figure.bbox.width:
            figure.set_figheight(figure.get_figheight() + extent.height / figure.dpi)
            return
        drawn.remove()


def png(figure: Any) -> bytes:
    """The figure as a PNG; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120, metadata={"Software": None})
    return buffer.getvalue()


def learning_curves(history: Sequence[Metrics], title: str) -> bytes:
    """Loss and accuracy over the epochs, on the training set and that which is watched, as a PNG."""
    epochs = [m.epoch for m in history]
    classified = any(m.train_accuracy is not None for m in history)
    figure, axes = panels(1, 2 if classified else 1, width=4.5, height=3.6)
    quantities: list[tuple[str, Callable[[Metrics], float], Callable[[Metrics], float]]] = [
        ("loss (mean of the examples)", lambda m: m.train_loss, lambda m: m.held_out[1] or 0),
        ("accuracy (%)", lambda m: 100 * (m.train_accuracy or 0), lambda m: 100 * (m.held_out[2] or 0)),
    ]
    for axis, (label, train, held_out) in zip(axes[0], quantities, strict=False):
        curve(axis, epochs, [train(m) for m in history], 0, "training set")
        if all(m.held_out[1] is not None for m in history):
            curve(axis, epochs, [held_out(m) for m in history], 1, f"{history[0].held_out[0]} set")
        name_axes(axis, "epoch", label, integers=True)
    figure.suptitle(title, fontsize=10)
    legend(figure)
    return png(figure)


def overlaid_curves(groups: Mapping[str, Sequence[Sequence[Metrics]]]) -> bytes:
    """The loss and the accuracy of several groups of runs on the set that is watched: the mean of each, and a band over its runs (PNG)."""
    histories = [history for runs in groups.values() for history in runs]
    classified = all(m.held_out[2] is not None for history in histories for m in history)
    figure, axes = panels(1, 2 if classified else 1, width=4.8, height=3.8)
    longest = max(histories, key=len)
    for k, (label, runs) in enumerate(groups.items()):
        epochs = [m.epoch for m in longest]
        band(axes[0, 0], epochs, [[m.held_out[1] or 0 for m in history] for history in runs], k, label)
        if classified:
            band(axes[0, 1], epochs, [[100 * (m.held_out[2] or 0) for m in history] for history in runs], k, label)
    name = " or ".join(sorted({history[0].held_out[0] for history in histories}))
    name_axes(axes[0, 0], "epoch", f"{name} loss (mean of the examples)", integers=True)
    if classified:
        name_axes(axes[0, 1], "epoch", f"{name} accuracy (%)", integers=True)
    legend(figure, columns=2)
    return png(figure)


def confusion_matrix(confusion: Array, names: Sequence[str], title: str) -> bytes:
    """How often each class is predicted as each (PNG). A colour is a fraction of the class; for up to 20 classes the counts are written."""
    small = len(names) <= 20
    size = max(3.6, 0.42 * len(names) + 1.2) if small else 6.0
    figure, axes = panels(width=size, height=size)
    axis = axes[0, 0]
    fractions = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    axis.imshow(fractions, cmap="Blues", vmin=0, vmax=1)
    axis.set_xlabel("predicted class")
    axis.set_ylabel("class")
    axis.set_title(title, fontsize=10)
    if small:
        axis.set_xticks(range(len(names)), names, rotation=0 if max(map(len, names)) < 4 else 90)
        axis.set_yticks(range(len(names)), names)
        for (i, j), count in np.ndenumerate(confusion):
            if count:
                axis.text(j, i, str(count), ha="center", va="center", fontsize=8, color="white" if fractions[i, j] > 0.5 else "black")
    return png(figure)


def loss_along_directions(curves: Mapping[str, LossCurve]) -> bytes:
    """The loss along random directions around an optimum, a panel a network, each with the parabola that rises as its mean does."""
    figure, (axes,) = panels(1, len(curves), sharey=True)
    for axis, (name, found) in zip(axes, curves.items(), strict=True):
        for k, losses in enumerate(found.losses):
            curve(axis, found.t, losses, k, f"direction {k + 1}", marker=None)
        centre = found.mean()
        curve(axis, found.t, found.parabola(), 4, "parabola", marker=None, linewidth=1.0, linestyle=(0, (2, 2)))
        top = centre[np.abs(found.t).argmin()] + 3 * np.median(found.losses.max(axis=1) - centre.min())
        axis.set_ylim(0, min(top, 1.05 * found.losses.max()))
        name_axes(axis, "distance t (1: as long as the weights)", "training loss", name)
    legend(figure)
    return png(figure)
