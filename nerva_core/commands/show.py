"""``nerva show NAME``: the equations of a layer, activation, loss, optimizer or schedule, with shapes and operation counts.

Of a configuration, or of a network as text, it shows the table of its layers and the equations of each.
"""

from __future__ import annotations

from enum import StrEnum
from html import escape
from typing import Annotated

import typer


class Format(StrEnum):
    """The form in which equations are written."""

    text = "text"
    latex = "latex"
    html = "html"


def show(
    name: Annotated[
        str,
        typer.Argument(
            help="A layer, activation, loss, optimizer or schedule, such as Linear, 'LeakyReLU(alpha=0.1)' or my_layer.py:MyLayer; "
            "or a network: net.toml, or 'Linear(64);ReLU;Linear(10)' with --inputs."
        ),
    ],
    format: Annotated[Format, typer.Option(help="Plain text, LaTeX for a paper, or a page.")] = Format.text,
    inputs: Annotated[int | None, typer.Option(min=1, help="The number of inputs of a network that is given as text.")] = None,
) -> None:
    """Show the equations, read from the running code, with shapes and operation counts for all N, D, K; of a network, its layers."""
    whole = name.endswith(".toml") or ";" in name
    if whole or Format(format) is Format.html:
        typer.echo(_whole(name, inputs, Format(format)))
        return
    from nerva_core.algebra.user_files import own_entry
    from nerva_core.interpreters.description import describe

    for number, (heading, text) in enumerate(describe(own_entry(name), latex=Format(format) is Format.latex).items()):
        typer.secho(f"\n{heading}" if number else heading, bold=True)
        typer.echo(text)


def _whole(what: str, inputs: int | None, format: Format) -> str:
    """A network, or anything else as a page: the table of the layers, and the equations of each kind of layer."""
    from nerva_core.algebra.errors import NervaError
    from nerva_core.figures.html import document
    from nerva_core.inspection.showing import show

    if ";" in what and inputs is None:
        raise NervaError(f"the network {what!r} needs its number of inputs: add --inputs 64, or give a configuration, net.toml")
    found = show(what, inputs)
    if format is Format.html:
        return document(what, f"<h1>{escape(what)}</h1>\n{found.html}").rstrip("\n")
    return found.text if format is Format.text else found.latex or ""
