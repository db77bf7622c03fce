"""The command ``nerva trace``. What it needs is imported when it runs."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from nerva_core.algebra.errors import NervaError


class TraceFormat(StrEnum):
    """The form in which a step is written."""

    text = "text"
    html = "html"
    latex = "latex"
    json = "json"


def trace(
    config: Annotated[Path | None, typer.Argument(help="A TOML file; without it, scikit-learn's digits.", show_default=False)] = None,
    step: Annotated[int, typer.Option(min=1, help="Which step; those before it are trained.")] = 1,
    settings: Annotated[list[str] | None, typer.Option("--set", help="A setting, such as training.batch_size=4; may be repeated.")] = None,
    format: Annotated[TraceFormat, typer.Option(help="What is written.")] = TraceFormat.text,
    output: Annotated[Path | None, typer.Option(help="A new file; by default it is printed.")] = None,
) -> None:
    """Show every matrix of a training step, forward, backward and update, with its equation: on the terminal, as a page, LaTeX or JSON."""
    from nerva_core.figures.terminal import console
    from nerva_core.inspection.trace_printing import print_trace
    from nerva_core.inspection.trace_writing import WRITERS
    from nerva_core.inspection.traced_run import trace_run
    from nerva_core.training.config import load_config, make_config, override, parse_settings
    from nerva_core.training.models import write_atomically

    if output is not None and os.path.lexists(output):
        raise NervaError(f"{output} is already there; choose another --output")
    if output is not None and format is TraceFormat.text:
        raise NervaError("--output is for --format html, latex or json; text is printed")
    given = parse_settings(settings or [])
    found = trace_run(load_config(config, given) if config else make_config(override({}, given), "command line"), step)
    if format is TraceFormat.text:
        print_trace(found, console(highlight=False))
        return
    text = WRITERS[format](found)
    if output is None:
        print(text, end="")
    else:
        write_atomically(output, text.encode())
