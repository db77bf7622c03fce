"""Small plots of functions of one number, as SVG in the colours of the page."""

from __future__ import annotations

import dataclasses
import io
import re
from typing import Any

import numpy as np

import nerva_core as nc
from nerva_core.algebra.registry import Table
from nerva_core.equations.activations import Activation
from nerva_core.equations.gradient_activations import Elementwise
from nerva_core.equations.schedules import Schedule
from nerva_core.interpreters.examples import examples

Curves = dict[str, Any]
COLOURS = {"#111111": "curve-1", "#222222": "curve-2", "#333333": "curve-3", "#000000": "ink"}
"""Placeholders that the style sheet replaces by the colours of a light or dark page."""


def plot(entries: Table[Any], name: str) -> str:
    """The function and its derivatives, as a section of its page; nothing for what is not a function of one number."""
    if not issubclass(entries.lookup(name), (Activation, Elementwise, Schedule)):
        return ""
    found = [entry for entry in examples(entries) if type(entry).__name__ == name]
    curves = curves_of(found[0]) if found else None
    if curves is None:
        return ""
    x, values, label = curves
    parameters = ", ".join(f"{f.name.rstrip('_')} = {getattr(found[0], f.name)}" for f in dataclasses.fields(found[0]))
    note = f"With {parameters}." if parameters else ""
    return f'## Plot\n\n<figure class="plot" markdown="0">{draw(name, x, values, label)}</figure>\n\n{note}'


def curves_of(entry: Any) -> tuple[Any, Curves, str] | None:
    """Arguments, values by name, and the name of the argument."""
    if isinstance(entry, Schedule):
        i = np.arange(0, 121)
        return i, {"η": np.array([entry(int(k)) for k in i])}, "i"
    ops = nc.backend("numpy", "float64")
    if isinstance(entry, Activation):
        x = np.linspace(-4, 4, 801)
        return x, {"f(x)": entry.value(ops, x[None])[0], "f′(x)": entry.gradient(ops, x[None])[0]}, "x"
    if isinstance(entry, Elementwise):
        x = np.linspace(-0.5, 0.5, 801)
        return x, {"G(x)": entry.value(ops, x[None])[0], "G′(x)": entry.derivative(ops, x[None])[0]}, "x"
    return None


def draw(name: str, x: Any, curves: Curves, label: str) -> str:
    """The curves as an SVG element; derivatives are dashed, and a jump is no line."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    style = {"svg.hashsalt": name, "svg.fonttype": "none", "font.size": 11, "font.family": "sans-serif"}
    with mpl.rc_context(style):
        figure = Figure(figsize=(6, 3.2), layout="constrained")
        figure.patch.set_alpha(0)
        axes: Any = figure.subplots()
        axes.patch.set_alpha(0)
        axes.axhline(0, color="#000000", linewidth=0.6, alpha=0.4)
        if x[0] < 0:
            axes.axvline(0, color="#000000", linewidth=0.6, alpha=0.4)
        for k, (curve, values) in enumerate(curves.items()):
            line = list(COLOURS)[k]
            axes.plot(x, with_gaps(np.asarray(values, float)), label=curve, color=line, linewidth=2, linestyle="--" if k else "-")
        axes.set_xlabel(label)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return themed(buffer.getvalue(), name)


def with_gaps(values: Any) -> Any:
    """Not a number where the values jump, so that no line is drawn there."""
    steps = np.abs(np.diff(values))
    height = np.ptp(values)
    jumps = steps > 0.1 * height if height > 0 else steps > 0
    if jumps.sum() > 10:  # a schedule of steps, or something steep
        return values
    return np.where(np.append(jumps, False), np.nan, values)


def themed(svg: str, name: str) -> str:
    """The SVG element alone, with colours as classes and ids that are unique on a page with several."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    for colour, css in COLOURS.items():
        svg = svg.replace(colour, f"var(--plot-{css})")
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(id="|url\(#|href="#)(\w+)', rf"\1plot-{name}-\2", svg)
    return re.sub(r"\n\s*", "\n", svg).replace("\n\n", "\n").strip()
