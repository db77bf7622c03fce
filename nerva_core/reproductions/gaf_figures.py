"""The figures of the Activated Gradients paper: equivalent losses (Fig. 1), the saddle (Fig. 2), gradients (Fig. 5), and the comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nerva_core.equations.gradient_activations import Arctan, Elementwise, Identity, Log, Tanh, ValueClipping, at
from nerva_core.figures.plots import COLOURS, band, curve, legend, name_axes, panels, png
from nerva_core.reproductions.gaf_toys import OPTIMIZERS, SADDLE, path
from nerva_core.reproductions.runs import Trained, curves
from nerva_core.reproductions.verdicts import Statistic
from nerva_core.theory.gradient_theory import equivalent_loss, norm_clipped, norm_clipping_curl

Array = np.ndarray[Any, Any]

SURFACES: Mapping[str, Elementwise] = {
    "original": Identity(),
    "arctan (0.1, 20)": Arctan(),
    "tanh (0.1, 20)": Tanh(),
    "log (0.1, 20)": Log(),
    "value clipping (0.1)": ValueClipping(),
}
REACH = 2.0
TRAINED = 75
"""A test accuracy (%) that is worth a place in a figure."""


def equivalent_surfaces() -> bytes:
    """Figure 1: the losses whose gradient is G(k ⊙ w), as surfaces and contours; norm clipping has none, but a field with a curl."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    figure = Figure(figsize=(10.5, 13.0), layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1), facecolor="white")
    w = np.linspace(-REACH, REACH, 61)
    W1, W2 = np.meshgrid(w, w)
    for k, (name, G) in enumerate(SURFACES.items()):
        L = equivalent_loss(G, np.column_stack([W1.ravel(), W2.ravel()])).reshape(W1.shape)
        place = 6 * (k // 3) + k % 3 + 1
        surface: Any = figure.add_subplot(4, 3, place, projection="3d")
        surface.plot_surface(W1, W2, L, cmap="cividis", linewidth=0, rcount=40, ccount=40)
        surface.set_xlabel("$w_1$")
        surface.set_ylabel("$w_2$")
        surface.set_title(name, fontsize=10)
        surface.tick_params(labelsize=7)
        contours: Any = figure.add_subplot(4, 3, place + 3)
        contours.contour(W1, W2, L, levels=12, cmap="cividis")
        name_axes(contours, "$w_1$", "$w_2$", f"{name}: contours")
        contours.set_aspect("equal")
    _norm_clipping(figure.add_subplot(4, 3, 9), "field")
    _norm_clipping(figure.add_subplot(4, 3, 12), "curl")
    return png(figure)


def _norm_clipping(axis: Any, what: str) -> None:
    """The descent directions of the clipped gradient, or the curl that shows that no loss has it for a gradient."""
    if what == "field":
        w = np.linspace(-REACH, REACH, 11)
        points = np.array([(x, y) for x in w for y in w])
        field = np.array([norm_clipped(point, 0.1) for point in points])
        axis.quiver(*points.T, *-field.T, color=COLOURS[0], scale=2.2, width=0.004)
        name_axes(axis, "$w_1$", "$w_2$", "norm clipping (0.1): −gradient, no surface")
    else:
        w = np.linspace(-REACH, REACH, 80)  # an even number: the origin, where the curl jumps, is not among them
        values = np.array([[norm_clipping_curl((x, y), 0.1) for x in w] for y in w])
        image = axis.pcolormesh(w, w, values, cmap="RdBu_r", vmin=-0.2, vmax=0.2, shading="nearest", rasterized=True)
        axis.figure.colorbar(image, ax=axis, shrink=0.85, label="curl", extend="both")
        name_axes(axis, "$w_1$", "$w_2$", "norm clipping: its curl is not 0")
    axis.set_aspect("equal")


def saddle(steps: int = 100) -> bytes:
    """Figure 2: gradient descent at rate 0.1 from (1, 10⁻⁶) on w₁² - w₂², with and without gradient activations."""
    figure, (axes,) = panels(1, 2, width=4.6, height=3.4)
    w = np.linspace(-1.2, 1.2, 61)
    W1, W2 = np.meshgrid(w, w)
    axes[0].contour(W1, W2, W1**2 - W2**2, levels=15, cmap="Greys", linewidths=0.8)
    for k, (name, optimizer) in enumerate(OPTIMIZERS.items()):
        points = path(optimizer, SADDLE, (1.0, 1e-6), 0.1, steps)
        shown = points[np.abs(points[:, 1]) <= 1.2]
        curve(axes[0], shown[:, 0], shown[:, 1], k, name, marker=None)
        beyond = np.argmax(np.abs(points[:, 1]) > 1.2) or steps
        curve(axes[1], np.arange(beyond + 1), np.abs(points[: beyond + 1, 1]), k, name, marker=None)
    axes[1].set_yscale("log")
    axes[1].axhline(0.05, color="black", linewidth=0.8, alpha=0.6)
    axes[1].annotate("|$w_2$| = 0.05", (1, 0.06), fontsize=8)
    name_axes(axes[0], "$w_1$", "$w_2$", "paths on $w_1^2 - w_2^2$")
    name_axes(axes[1], "step", "|$w_2$|", "distance from the saddle")
    legend(figure, columns=6)
    return png(figure)


def largest_gradients(runs: Mapping[str, Sequence[Trained]]) -> bytes:
    """Figure 5: the largest |Dθ| of every epoch, before the optimizer changes it."""
    figure, ((axis,),) = panels(1, 1, width=5.4, height=3.4)
    for k, (kind, trained) in enumerate(runs.items()):
        epochs = list(range(1, trained[0].config.training.epochs + 1))
        band(axis, epochs, curves(trained, lambda m: m.largest_gradient), k, kind)
    axis.set_yscale("log")
    axis.axhline(0.1, color="black", linewidth=0.8, alpha=0.6)
    name_axes(axis, "epoch", "largest |gradient| of an epoch", "before the gradient activation; line: 0.1", integers=True)
    legend(figure, columns=3)
    return png(figure)


def trained(statistic: Statistic) -> bool:
    """Whether every run was trained, to TRAINED % in the mean: what is below would flatten the differences of the others."""
    return len(statistic.finite) == len(statistic.values) and statistic.mean >= TRAINED


def left_out(table: Mapping[str, Mapping[float, Statistic]]) -> str:
    """The points that ``accuracies`` does not show, as a sentence of its caption."""
    points = [f"{kind} at {rate:g} ({s.text()})" for kind, found in table.items() for rate, s in found.items() if not trained(s)]
    return f". Not shown, as a run diverged or the mean is below {TRAINED} %: {'; '.join(points)}" if points else ""


def accuracies(table: Mapping[str, Mapping[float, Statistic]]) -> bytes:
    """The test accuracy over the learning rate, mean and deviation over the seeds, of what was trained; ``left_out`` says what was not."""
    figure, (axes,) = panels(1, 2, width=4.6, height=3.6, sharey=True)
    activations = [kind for kind in table if "(" in kind]
    members = (["none", *activations], [kind for kind in table if kind not in activations] + activations[:1])
    places = {kind: k for k, kind in enumerate(table)}
    ticks = sorted({rate for found in table.values() for rate in found})
    for axis, kinds, title in zip(axes, members, ("gradient activations", "where G acts, and clipping"), strict=True):
        for kind in kinds:
            k, found = places[kind], table[kind]
            shown = {rate: s for rate, s in found.items() if trained(s)}
            if not shown:  # the caption tells of it
                continue
            means = [s.mean for s in shown.values()]
            curve(axis, list(shown), means, k, kind)
            spread = [s.deviation if len(s.values) > 1 else 0.0 for s in shown.values()]
            axis.errorbar(list(shown), means, spread, fmt="none", ecolor=COLOURS[k % len(COLOURS)], elinewidth=1, capsize=2)
        axis.set_xscale("log")
        axis.set_xticks(ticks, [f"{rate:g}" for rate in ticks])
        axis.minorticks_off()
        name_axes(axis, "learning rate", "test accuracy (%)", title)
    legend(figure)
    return png(figure)


def gradient_activations() -> bytes:
    """The functions G: small gradients are enlarged, large ones restrained."""
    figure, (axes,) = panels(1, 2)
    g = np.linspace(0, 0.5, 201)
    for k, (name, G) in enumerate(SURFACES.items()):
        curve(axes[0], g, at(G.value, g), k, name)
        curve(axes[1], g, at(G.derivative, g), k, name)
    name_axes(axes[0], "gradient g", "G(g)")
    name_axes(axes[1], "gradient g", "G′(g)")
    legend(figure, columns=3)
    return png(figure)
