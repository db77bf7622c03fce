"""``nerva show NAME``: the equations of a layer, activation, loss, optimizer or schedule, with shapes and operation counts.

Of a configuration, or of a network as text, it shows the table of its layers.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from nerva_core.algebra.errors import NervaError


class Format(StrEnum):
    """The form in which equations are written."""

    text = "text"
    latex = "latex"


def show(
    name: Annotated[
        str,
        typer.Argument(
            help="A layer, activation, loss, optimizer or schedule, such as Linear, 'LeakyReLU(alpha=0.1)' or my_layer.py:MyLayer; "
            "or a network: net.toml, or 'Linear(64);ReLU;Linear(10)' with --inputs."
        ),
    ],
    format: Annotated[Format, typer.Option(help="Plain text, or LaTeX for a paper.")] = Format.text,
    inputs: Annotated[int | None, typer.Option(min=1, help="The number of inputs of a network that is given as text.")] = None,
    standalone: Annotated[bool, typer.Option("--standalone", help="With --format latex: a whole document, not a part of one.")] = False,
) -> None:
    """Show the equations, read from the running code, with shapes and operation counts for all N, D, K; of a network, its layers."""
    if standalone and Format(format) is not Format.latex:
        raise NervaError("--standalone belongs to --format latex")
    if name.endswith(".toml") or ";" in name:
        typer.echo(_table(name, inputs))
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


def _table(network: str, inputs: int | None) -> str:
    """The layers of a network, that of a configuration with the data that it names."""
    from nerva_core.inspection.layer_table import layer_table, table_text
    from nerva_core.layers.notation import parse_layers, plain_items

    if network.endswith(".toml"):
        from pathlib import Path

        from nerva_core.training.config import load_config

        config = load_config(Path(network))
        data = config.data.load()
        return table_text(layer_table(config.completed(data).model.build(), data.inputs))
    if inputs is None:
        raise NervaError(f"the network {network!r} needs its number of inputs: add --inputs 64, or give a configuration, net.toml")
    items = plain_items(network)
    if items is None:
        raise NervaError(f"the layers of {network!r} have no sizes: write them in brackets, as in 'Linear(64);ReLU;Linear(10)'")
    return table_text(layer_table(parse_layers(items), inputs))
