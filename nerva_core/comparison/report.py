"""The results as tables in the terminal, as JSON, and as a heat map."""

from __future__ import annotations

import dataclasses
import io
import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from nerva_core.comparison.bounds import FLUSHING
from nerva_core.comparison.measure import Result

Column = tuple[str, str]
"""Backend and dtype."""
Row = tuple[str, str]
"""Kind and subject."""


def worst_by_subject(results: Sequence[Result]) -> dict[Row, dict[Column, Result]]:
    """The result that comes nearest to its bound, or exceeds it most, for every subject, backend and dtype."""
    worst: dict[Row, dict[Column, Result]] = {}
    for result in results:
        cells = worst.setdefault((result.kind, result.subject), {})
        column = (result.backend, result.dtype)
        if column not in cells or _badness(result) > _badness(cells[column]):
            cells[column] = result
    return worst


def _badness(result: Result) -> tuple[bool, float]:
    return bool(result.problem), result.error / result.bound.value


def columns_of(results: Sequence[Result]) -> list[Column]:
    """The backends and dtypes, in the order in which they appear."""
    return list(dict.fromkeys((result.backend, result.dtype) for result in results))


def to_json(results: Sequence[Result]) -> str:
    """One object a result. Infinite errors are the text "inf", as JSON has no infinity."""
    objects = [{**dataclasses.asdict(result), "error": result.error, "within": result.within} for result in results]
    return json.dumps(_finite(objects), indent=1, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def print_results(results: Sequence[Result], console: Console) -> None:
    """The largest error of every subject; the sums beside their classical bounds; the exceptions made; what is out of bounds."""
    columns = columns_of(results)
    table = Table("", "what", "bound", *(f"{name}\n{dtype}" for name, dtype in columns), title="largest error, for every backend")
    previous = ""
    for (kind, subject), cells in worst_by_subject(results).items():
        bounds = ", ".join(sorted({f"{cell.bound.value:g} {_unit(cell)}" for cell in cells.values()}))
        texts = [_cell(cells[column]) if column in cells else "" for column in columns]
        table.add_row(kind if kind != previous else "", subject, bounds, *texts)
        previous = kind
    console.print(table)
    _print_sums(results, columns, console)
    _print_exceptions(results, console)
    for result in results:
        if not result.within:
            console.print(Text.assemble(("out of bounds", "red"), " ", _failure(result)), highlight=False)
    failures = sum(not result.within for result in results)
    console.print(f"{len(results)} quantities compared with their exact values, {failures} out of bounds")


def _unit(result: Result) -> str:
    return {"ulp": "ulp", "terms": "ulp of terms", "relative": "relative"}[result.bound.measure]


def _cell(result: Result) -> str | Text:
    text = f"{result.error:.2g}"
    return text if result.within else Text(text, style="red")


def _failure(result: Result) -> str:
    what = f"{result.backend} {result.dtype} {result.mode}: {result.kind} {result.quantity}"
    return f"{what}: error {result.error:.3g} {_unit(result)}, bound {result.bound.value:g}, case {result.case!r}. {result.problem}"


def _print_sums(results: Sequence[Result], columns: Sequence[Column], console: Console) -> None:
    sums = [result for result in results if result.norm is not None]
    if not sums:
        return
    table = Table("sum", "classical bound, n", *(f"{name}\n{dtype}" for name, dtype in columns), title="sums: error / (eps |X| |Z|)")
    for subject in dict.fromkeys(result.subject for result in sums):
        of = [result for result in sums if result.subject == subject]
        cells = [max((r.norm or 0.0 for r in of if (r.backend, r.dtype) == column), default=math.nan) for column in columns]
        table.add_row(subject, str(max(r.count or 0 for r in of)), *(f"{cell:.2g}" for cell in cells))
    console.print(table)


def _print_exceptions(results: Sequence[Result], console: Console) -> None:
    for backend in dict.fromkeys(result.backend for result in results):
        if backend in FLUSHING:
            console.print(f"{backend}: compared with 0 for subnormal numbers, as {FLUSHING[backend]}", highlight=False)
    seen = dict.fromkeys((result.quantity, result.bound.reason) for result in results if result.bound.reason)
    for quantity, reason in seen:
        console.print(f"{quantity}: {reason}", highlight=False)


def heat_map(results: Sequence[Result]) -> bytes:
    """Backends by subjects: the largest error as a fraction of its bound, as a PNG."""
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    columns, rows = columns_of(results), worst_by_subject(results)
    fractions = np.array([[_fraction(cells.get(column)) for column in columns] for cells in rows.values()])
    figure = Figure(figsize=(4.2 + 0.75 * len(columns), 2.2 + 0.2 * len(rows)), layout="constrained")
    axes: Any = figure.subplots()
    colors = colormaps["Blues"].with_extremes(over="#d62728", bad="#eeeeee")
    image = axes.imshow(np.minimum(fractions, 2), vmin=0, vmax=1, cmap=colors, aspect="auto")  # an infinite number would be left blank
    axes.set_xticks(range(len(columns)), [f"{name}\n{dtype}" for name, dtype in columns], fontsize=7)
    axes.set_yticks(range(len(rows)), [f"{kind}  {_shorten(subject)}" for kind, subject in rows], fontsize=7)
    axes.xaxis.tick_top()
    for (i, j), fraction in np.ndenumerate(fractions):
        text = "" if math.isnan(fraction) else f"{fraction:.2g}"
        axes.text(j, i, text, ha="center", va="center", fontsize=6, color="white" if fraction > 0.6 else "black")
    bar = figure.colorbar(image, ax=axes, location="bottom", aspect=40, pad=0.01, extend="max")
    bar.set_label("largest error / stated bound; red: out of bounds; grey: not compared", fontsize=8)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=150, metadata={"Software": None})
    return buffer.getvalue()


def _fraction(result: Result | None) -> float:
    return math.nan if result is None else math.inf if result.problem else result.error / result.bound.value


def _shorten(text: str) -> str:
    """The beginning and the end, in which entries of one name differ."""
    return text if len(text) <= 40 else f"{text[:20]}...{text[-17:]}"
