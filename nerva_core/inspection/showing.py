"""Representations, for a notebook or a terminal, of a layer, a network, another entry of a table, or a traced step."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.user_files import own_entry
from nerva_core.inspection.layer_table import LayerRow, layer_table, table_text
from nerva_core.inspection.trace_data import Trace
from nerva_core.inspection.trace_writing import trace_html, trace_latex
from nerva_core.interpreters.costs import costs
from nerva_core.interpreters.latex import Equation, Equations, equations
from nerva_core.interpreters.subjects import find, kind_of
from nerva_core.layers import ActivationLayer, Layer, Sequential
from nerva_core.layers.notation import parse_layers, plain_items


@dataclass(frozen=True, repr=False)
class Shown:
    """The same as text, HTML and LaTeX; a notebook takes what it can show best. HTML and LaTeX are None where there is nothing."""

    text: str
    html: str | None = None
    latex: str | None = None

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str | None:
        return self.html

    def _repr_latex_(self) -> str | None:
        return self.latex


def show(what: Any, inputs: int | None = None) -> Shown:
    """What there is to see of ``what``: a layer or another entry, its name, a network with its number of inputs, a TOML file, or a trace.

    At the end of a cell of a notebook it is typeset; elsewhere ``print(nerva.show(...))``.
    """
    if isinstance(what, Path) or (isinstance(what, str) and what.endswith(".toml")):
        return _of_file(Path(what))
    if isinstance(what, str) and (";" in what or inputs is not None):
        items = plain_items(what)
        if items is None:
            raise NervaError(f"the layers of {what!r} have no sizes: write them in brackets, as in 'Linear(64);ReLU;Linear(10)'")
        return of_network(parse_layers(items), inputs)
    if isinstance(what, str):
        what = find(own_entry(what))[0]
    if isinstance(what, Sequential):
        return of_network(what, inputs)
    if isinstance(what, Trace):
        return Shown(f"a step with the loss {what.loss:.6g}", trace_html(what), trace_latex(what))
    found = shown(what)
    if found.html is None:
        raise NervaError(f"{what!r} has no equations to show")
    return found


def shown(entry: Any) -> Shown:
    """An entry as its equations; as its text alone if it has none."""
    if isinstance(entry, Sequential):
        return of_network(entry, None)
    try:
        found, kind = equations(entry), kind_of(entry)
    except (NervaError, TypeError, ValueError, AttributeError, AssertionError, NotImplementedError):
        return Shown(repr(entry))  # what is not shown by equations, such as data; and hyper-parameters that are only for numbers
    if not found.forward:
        return Shown(repr(entry))
    _, _, first, second = kind
    parts = {first: found.forward, second: found.backward, "Where": found.where}
    text = "\n".join(f"{title}\n" + "\n".join(f"  {e.text()}" for e in part) for title, part in parts.items() if part)
    html = "".join(_section(title, part) for title, part in parts.items() if part)
    whole = f"<div><b>{escape(repr(entry))}</b>{html}{_costs(entry, found)}</div>"
    return Shown(f"{entry!r}\n{text}", whole, _aligned([e for part in parts.values() for e in part]))


SOFT = 'style="opacity:.65;font-size:85%"'


def _section(title: str, part: list[Equation]) -> str:
    return f"<div {SOFT}>{escape(title.lower())}</div>{''.join(e.mathml() for e in part)}"


def _costs(entry: Any, found: Equations) -> str:
    if not found.given:
        return ""
    counts = costs(entry)
    return f"<div {SOFT}>operations on numbers: {escape(str(counts.forward))}; {escape(str(counts.backward))}</div>"


def _aligned(lines: list[Equation]) -> str:
    inside = " \\\\\n".join(f"{e.left.latex()} &= {e.right.latex()}" for e in lines)
    return f"\\begin{{align*}}\n{inside}\n\\end{{align*}}"


def of_network(network: Sequential, inputs: int | None) -> Shown:
    """The layers, with shapes, parameters and operations if the number of inputs is known, and the equations of each kind of layer."""
    table = [] if inputs is None else layer_table(network, inputs)
    names = " → ".join(repr(_subject(layer)) for layer in network.layers)
    kinds: dict[str, Shown] = {}
    for subject in map(_subject, network.flattened()):
        found = shown(subject)
        if found.latex is None or all(found.latex != kind.latex for kind in kinds.values()):  # layers of other sizes have the same
            kinds[type(subject).__name__ if found.latex else repr(subject)] = found
    head = _table_html(table) if table else f"<p><b>{escape(names)}</b></p>"
    details = "".join(f"<details><summary>{escape(name)}</summary>{kind.html}</details>" for name, kind in kinds.items() if kind.html)
    text = "\n\n".join([table_text(table) if table else names, *(kind.text for kind in kinds.values())])
    latex = "\n".join(kind.latex for kind in kinds.values() if kind.latex)
    return Shown(text, f"<div>{head}{details}</div>", latex or None)


def _table_html(table: list[LayerRow]) -> str:
    titles = "".join(f"<th>{title}</th>" for title in ("layer", "output", "parameters", "operations"))
    cells = [(row.name, " × ".join(map(str, row.output)), f"{row.parameters:,}", f"{row.operations:,}") for row in table]
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in cells)
    return f"<table><tr>{titles}</tr>{rows}</table>"


def _subject(layer: Layer) -> Any:
    """What stands for a layer: of one that applies an activation, the activation."""
    return layer.activation if isinstance(layer, ActivationLayer) else layer


def _of_file(path: Path) -> Shown:
    from nerva_core.training.config import load_config

    config = load_config(path)
    data = config.data.load()
    return of_network(config.completed(data).model.build(), data.inputs)
