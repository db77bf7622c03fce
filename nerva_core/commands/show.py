"""``nerva show NAME``: the equations of a layer, activation, loss, optimizer or schedule, with shapes and operation counts.

Of a configuration, or of a network as text, it shows the table of its layers and the equations of each.
"""

from __future__ import annotations

from enum import StrEnum
from html import escape
from typing import Annotated

import typer

from nerva_core.algebra.errors import NervaError
from nerva_core.commands.completion import names_of


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
            "or a network: net.toml, or 'Linear(64);ReLU;Linear(10)' with --inputs.",
            autocompletion=names_of(),
        ),
    ],
    format: Annotated[Format, typer.Option(help="Plain text, LaTeX for a paper, or a page.")] = Format.text,
    inputs: Annotated[int | None, typer.Option(min=1, help="The number of inputs of a network that is given as text.")] = None,
    standalone: Annotated[bool, typer.Option("--standalone", help="With --format latex: a whole document, not a part of one.")] = False,
) -> None:
    """Show the equations, read from the running code, with shapes and operation counts for all N, D, K; of a network, its layers."""
    if standalone and Format(format) is not Format.latex:
        raise NervaError("--standalone belongs to --format latex")
    whole = name.endswith(".toml") or ";" in name
    if whole or Format(format) is Format.html:
        typer.echo(_whole(name, inputs, Format(format), standalone))
        return
    from nerva_core.algebra.user_files import own_entry
    from nerva_core.interpreters.description import describe, fragment
    from nerva_core.interpreters.tex import document

    if Format(format) is Format.latex:
        written = fragment(own_entry(name))
        typer.echo(document([written]) if standalone else written)
        return
    for number, (heading, text) in enumerate(describe(own_entry(name)).items()):
        typer.secho(f"\n{heading}" if number else heading, bold=True)
        typer.echo(text)


def _whole(what: str, inputs: int | None, format: Format, standalone: bool) -> str:
    """A network, or anything else as a page: the table of the layers, and the equations of each kind of layer."""
    from nerva_core.figures.html import document
    from nerva_core.inspection.showing import show
    from nerva_core.interpreters import tex

    if ";" in what and inputs is None:
        raise NervaError(f"the network {what!r} needs its number of inputs: add --inputs 64, or give a configuration, net.toml")
    found = show(what, inputs)
    if format is Format.html:
        return document(what, f"<h1>{escape(what)}</h1>\n{found.html}").rstrip("\n")
    if format is Format.text:
        return found.text
    return tex.document([found.latex or ""]) if standalone else found.latex or ""
