"""``nerva show NAME``: the equations of a layer, activation, loss, optimizer or schedule, with shapes and operation counts."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class Format(StrEnum):
    """The form in which equations are written."""

    text = "text"
    latex = "latex"


def show(
    name: Annotated[
        str,
        typer.Argument(
            help="A layer, activation, loss, optimizer or schedule, such as Linear, 'LeakyReLU(alpha=0.1)' or my_layer.py:MyLayer."
        ),
    ],
    format: Annotated[Format, typer.Option(help="Plain text, or LaTeX for a paper.")] = Format.text,
) -> None:
    """Show the equations, read from the running code, with shapes and operation counts for all N, D, K."""
    from nerva_core.algebra.user_files import own_entry
    from nerva_core.interpreters.description import describe

    for number, (heading, text) in enumerate(describe(own_entry(name), latex=Format(format) is Format.latex).items()):
        typer.secho(f"\n{heading}" if number else heading, bold=True)
        typer.echo(text)
