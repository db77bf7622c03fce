"""Figures of learned step functions: σ(y) = α(y) y for every layer of a trained network (TMAF, Figure 1).

model = load_model(Path("runs/1/model.safetensors"))
Path("activations.png").write_bytes(learned_activations(model.network, model.params))
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.memory import Array
from nerva_core.algebra.trees import Tree, leaves
from nerva_core.equations.step_functions import Grid, Points
from nerva_core.figures.plots import COLOURS, DASHES, curve, legend, name_axes, panels, png
from nerva_core.layers import Sequential
from nerva_core.layers.tmaf import Diagonals, MatrixActivation, TridiagonalTMAF
from nerva_core.layers.trained_activations import PReLU


def pieces(grid: Grid, t: Array) -> list[tuple[Array, Array]]:
    """(y, α(y) y) on each interval, with both of its ends, so that a jump is a gap. The unbounded ones are drawn in part."""
    s = np.array(grid.points(), dtype=float)
    reach = max(1.0, (s[-1] - s[0]) / 4)
    ends = np.concatenate([[s[0] - reach], s, [s[-1] + reach]])
    return [(ends[j : j + 2], t[j] * ends[j : j + 2]) for j in range(len(t))]


def step_functions(network: Sequential, params: Tree) -> list[tuple[str, list[tuple[str, Grid, Array]]]]:
    """For every layer with step functions its name, and the name, grid and values of each function."""
    found: list[tuple[str, list[tuple[str, Grid, Array]]]] = []
    for number, (layer, values, width) in enumerate(zip(network.layers, params, network.widths(1), strict=False), 1):
        title = f"layer {number}, {type(layer).__name__}"
        if isinstance(layer, PReLU):
            found.append((title, [("σ", Points((0.0,)), np.array([float(np.ravel(values.a)[0]), 1.0]))]))
        elif isinstance(layer, MatrixActivation):
            names = _names(layer, width)
            tables = zip(names, layer.step_functions(width), leaves(values), strict=True)
            found.append((title, [(name, grid, np.asarray(t)) for name, (grid, _), t in tables]))
    return found


def _names(layer: MatrixActivation, width: int) -> Sequence[str]:
    if isinstance(layer, Diagonals):
        return [f"diagonal {o}" for o in layer.offsets_for(width)]
    return ("α", "β", "γ") if isinstance(layer, TridiagonalTMAF) else ("α",)


def draw(axis: Any, grid: Grid, t: Array, k: int, label: str | None, **options: Any) -> None:
    """σ(y) = α(y) y as the k-th curve of a panel; of a function for every neuron, with the mean of their values."""
    style = {"marker": None, "linestyle": DASHES[k // len(COLOURS) % len(DASHES)]} | options
    for j, (y, sigma) in enumerate(pieces(grid, t if t.ndim == 1 else t.mean(axis=1))):
        curve(axis, y, sigma, k, label if j == 0 else None, **style)


def _draw_many(axis: Any, functions: Sequence[tuple[str, Grid, Array]]) -> None:
    """More functions than there are colours, such as all diagonals: shades in their order, of which the ends are named."""
    from matplotlib import colormaps

    last = len(functions) - 1
    for k, (name, grid, t) in enumerate(functions):
        draw(axis, grid, t, 0, name if k in (0, last) else None, color=colormaps["viridis"](0.95 * k / last))


def learned_activations(network: Sequential, params: Tree) -> bytes:
    """One panel a layer, with σ(y) = α(y) y of each of its step functions, as a PNG. NervaError if the network has none.

    Functions of one name have one style in all panels, and no two names have the same.
    """
    layers = step_functions(network, params)
    if not layers:
        raise NervaError("the network has no trained activation functions: no layer is a TMAF or a PReLU (those of SReLU are not drawn)")
    names = list(dict.fromkeys(name for _, functions in layers if len(functions) <= len(COLOURS) for name, _, _ in functions))
    figure, (axes,) = panels(1, len(layers), width=3.4, height=3.0)
    for axis, (title, functions) in zip(axes, layers, strict=True):
        if len(functions) > len(COLOURS):
            _draw_many(axis, functions)
        else:
            for name, grid, t in functions:
                draw(axis, grid, t, names.index(name), name)
        name_axes(axis, "y", "α(y) y", title)
    legend(figure)
    return png(figure)
