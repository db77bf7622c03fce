"""Curves and tables as text, for terminals and logs, and the console that prints text as it is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nerva_core.algebra.memory import Array

if TYPE_CHECKING:
    from rich.console import Console

MARKS = "•×+o"
LOGARITHMIC = 20
"""Positive values that span more than this factor are drawn on a logarithmic scale."""
MOST_CLASSES = 20
"""A larger table of confusions does not fit a terminal."""


def console(**options: Any) -> Console:
    """A rich console that changes nothing in a text: ``[training]`` is no style in it, and ``:snake:`` no picture."""
    from rich.console import Console

    return Console(markup=False, emoji=False, **options)


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells as lines of text, in columns, with a line below the first row."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * (sum(widths) + 2 * len(widths) - 2), *lines[1:]])


def curves(series: Mapping[str, Sequence[float]], first: int, name: str, width: int = 60, height: int = 12) -> str:
    """Curves over first, first + 1, ...: a grid of characters, one mark a curve, with a title and the ranges of both axes.

    Values that are not finite are left out.
    """
    values = np.array(list(series.values()), dtype=float)
    finite = values[np.isfinite(values)]
    if not finite.size:
        return "nothing to draw: no value is finite"
    low, high = float(finite.min()), float(finite.max())
    logarithmic = low > 0 and high / low > LOGARITHMIC
    scale = math.log if logarithmic else float
    bottom, top = scale(low), scale(high)
    count = values.shape[1]
    grid = [[" "] * width for _ in range(height)]
    for mark, curve in zip(MARKS, values, strict=False):
        for i, value in enumerate(curve):
            if math.isfinite(value):
                column = round(i / max(1, count - 1) * (width - 1))
                line = round((top - scale(value)) / ((top - bottom) or 1) * (height - 1))
                grid[line][column] = mark if grid[line][column] in (" ", mark) else "*"
    labels = {0: f"{high:.4g}", height - 1: f"{low:.4g}"}
    margin = max(map(len, labels.values()))
    lines = [f"{labels.get(i, ''):>{margin}} ┤{''.join(line).rstrip()}" for i, line in enumerate(grid)]
    title = ",  ".join(f"{mark} {key}" for mark, key in zip(MARKS, series, strict=False)) + (" (logarithmic)" if logarithmic else "")
    last = f"{first + count - 1}"
    foot = f"{' ' * margin} └{'─' * width}\n{' ' * margin}  {first:<{width - len(last)}}{last}  {name}"
    return "\n".join([f"{' ' * margin}  {title}", *lines, foot])


def confusion_table(confusion: Array, names: Sequence[str]) -> str:
    """A row for every class and a column for every prediction; zeros are dots. Only a remark for many classes."""
    if len(names) > MOST_CLASSES:
        return f"the table of confusions of {len(names)} classes is in the figure alone"
    cells = [[str(n) if n else "·" for n in row] for row in confusion]
    left = max(len("class"), *map(len, names))
    wide = max(max(map(len, names)), *(len(cell) for row in cells for cell in row))
    lines = [f"{'class':<{left}}  predicted", " " * left + "".join(f"  {name:>{wide}}" for name in names)]
    lines += [f"{name:<{left}}" + "".join(f"  {cell:>{wide}}" for cell in row) for name, row in zip(names, cells, strict=True)]
    return "\n".join(line.rstrip() for line in lines)
