"""A trace as HTML, LaTeX and JSON."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from nerva_core.figures.html import document
from nerva_core.inspection.trace_printing import shown

if TYPE_CHECKING:
    from nerva_core.inspection.trace_data import Trace, TracedMatrix

STYLE = """
.trace .matrix { margin: .5rem 0; overflow-x: auto; } .trace .given { opacity: .75; } .trace .shape { opacity: .6; font-size: .85em; }
.trace table { width: auto; border-collapse: collapse; border-left: 2px solid; border-right: 2px solid; margin: .2rem 1rem; }
.trace td { padding: 0 .6rem; text-align: right; border: none; font-variant-numeric: tabular-nums; font-size: .9em; }
"""


def trace_html(trace: Trace, digits: int = 4) -> str:
    """A piece of HTML with every part, each to be folded; of a large matrix a corner."""
    parts = []
    for part in trace.parts:
        matrices = "".join(_matrix_html(matrix, digits) for matrix in part.matrices)
        parts.append(f"<details open=''><summary><b>{escape(part.title)}</b></summary>{matrices}</details>")
    return f'<div class="trace"><style>{STYLE}</style>{"".join(parts)}<p>loss before the step: {trace.loss:.6g}</p></div>'


def trace_page(trace: Trace, title: str) -> str:
    """A whole page of it, with nothing that is loaded from elsewhere."""
    return document(title, f"<h1>{escape(title)}</h1>\n{trace_html(trace)}")


def _matrix_html(matrix: TracedMatrix, digits: int) -> str:
    head = f"<math>{matrix.mathml}</math>" if matrix.mathml else f"{escape(matrix.name)} = {escape(matrix.right)}"
    origin = f", {escape(matrix.right)}" if matrix.given else ""
    cells = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in shown(matrix.values, digits))
    table = "" if matrix.right.startswith("from ") else f"<table>{cells}</table>"
    return f'<div class="matrix{" given" * matrix.given}">{head} <span class="shape">({escape(_shape(matrix))}{origin})</span>{table}</div>'


def _shape(matrix: TracedMatrix) -> str:
    numbers = " × ".join(map(str, matrix.values.shape))
    return numbers if matrix.shape == numbers else f"{matrix.shape} = {numbers}"


def trace_latex(trace: Trace, digits: int = 4) -> str:
    """Sections with an equation for every matrix, for a document with amsmath."""
    lines: list[str] = []
    for part in trace.parts:
        lines += [f"\\paragraph{{{_escaped(part.title)}}}", ""]
        for matrix in part.matrices:
            head = matrix.latex or f"\\text{{{_escaped(f'{matrix.name} = {matrix.right}')}}}"
            if matrix.right.startswith("from "):
                lines.append(f"\\[ {head} \\quad\\text{{({matrix.right})}} \\]")
            else:
                lines.append(f"\\[ {head} = {_matrix_latex(matrix, digits)} \\]")
    return "\n".join([*lines, "", f"Loss before the step: ${trace.loss:.6g}$", ""])


def _matrix_latex(matrix: TracedMatrix, digits: int) -> str:
    rows = [" & ".join({"…": r"\dots"}.get(cell, cell) for cell in row) for row in shown(matrix.values, digits)]
    return "\\begin{bmatrix} " + r" \\ ".join(rows) + " \\end{bmatrix}"


def _escaped(text: str) -> str:
    return "".join(f"\\{c}" if c in "&%$#_{}" else {"→": r"$\to$"}.get(c, c) for c in text)


def trace_json(trace: Trace) -> str:
    """An object with the loss and the parts; every matrix has its name, equation, shape and all values."""
    parts = [
        {
            "number": part.number,
            "title": part.title,
            "matrices": [
                {"name": m.name, "right": m.right, "shape": m.shape, "given": m.given, "values": _values(m.values)} for m in part.matrices
            ],
        }
        for part in trace.parts
    ]
    return json.dumps({"loss": trace.loss, "parts": parts}, ensure_ascii=False, indent=1) + "\n"


def _values(values: np.ndarray) -> list[list[float | str]]:
    """Numbers, and those that JSON does not have as text."""
    return [[x if np.isfinite(x) else str(x) for x in row] for row in values.tolist()]


WRITERS = {"html": lambda trace: trace_page(trace, "A training step"), "latex": trace_latex, "json": trace_json}
"""How a trace is written."""
