"""A trace on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nerva_core.algebra.memory import Array
from nerva_core.figures.terminal import console as terminal

if TYPE_CHECKING:
    from nerva_core.inspection.trace_data import Trace, TracedMatrix

ROWS, COLUMNS = 8, 8
"""How much of a matrix is printed."""


def print_trace(trace: Trace, console: Any = None, digits: int = 4) -> None:
    """Print every matrix with its name, equation and shape; of a large one, a corner."""
    from rich.text import Text

    console = console or terminal(highlight=False)
    for part in trace.parts:
        console.rule(Text(part.title, style="bold"), align="left")
        for matrix in part.matrices:
            _print_matrix(matrix, console, digits)
    console.print(f"loss before the step: {trace.loss:.6g}")


def _print_matrix(matrix: TracedMatrix, console: Any, digits: int) -> None:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    m, n = matrix.values.shape
    head = Text(matrix.name, style="bold cyan" if matrix.given else "bold green")
    head.append(f"  {matrix.right}" if matrix.given else f" = {matrix.right}", style="dim" if matrix.given else "default")
    shape = f"  ({matrix.shape})" if matrix.shape == f"{m} × {n}" else f"  ({matrix.shape} = {m} × {n})"
    console.print(head.append(shape, style="dim"))
    if matrix.right.startswith("from "):  # it was printed there
        return
    grid = Table.grid(padding=(0, 2))
    for row in shown(matrix.values, digits):
        grid.add_row(*row)
    for column in grid.columns:
        column.justify = "right"
        column.no_wrap = True
    console.print(Padding(grid, (0, 0, 0, 4), expand=False))


def shown(values: Array, digits: int = 4) -> list[list[str]]:
    """The elements as text, rounded; of a large matrix the first rows and columns, followed by dots."""
    corner = values[:ROWS, :COLUMNS]
    largest = float(np.abs(corner[np.isfinite(corner)]).max(initial=0))
    kind = "f" if largest == 0 or 10.0 ** (1 - digits) <= largest < 1e5 else "e"
    rows = [[f"{x:z.{digits}{kind}}" for x in row] + ["…"] * (values.shape[1] > COLUMNS) for row in corner.tolist()]
    return rows + [["…"] * len(rows[0])] * (len(values) > ROWS)
