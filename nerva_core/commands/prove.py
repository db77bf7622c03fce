"""``nerva prove [NAME ...]``: run the proofs, show the verdicts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def prove(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="What to prove: Linear, layers, errata.004-16, my_layer.py:MyLayer; without it, everything.", show_default=False
        ),
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write the verdicts to this file.", show_default=False)] = None,
    html: Annotated[
        Path | None, typer.Option(help="Write the theorems, their equations and the verdicts as a page.", show_default=False)
    ] = None,
    coq: Annotated[
        Path | None,
        typer.Option(help="Write the theorems into this folder as statements of Coq, and have its kernel check them.", show_default=False),
    ] = None,
    audit: Annotated[bool, typer.Option("--audit", help="Also make every one-operation mutant of the code and refuse it.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only show what is not as expected.")] = False,
    time_limit: Annotated[
        float, typer.Option(help="The seconds after which a theorem is open; concrete sizes and numbers are still tried.")
    ] = 60.0,
    memory_limit: Annotated[float, typer.Option(help="The memory, in GiB, that a proof may take.")] = 4.0,
    jobs: Annotated[int, typer.Option("--jobs", "-j", help="The number of processes.")] = 1,
) -> None:
    """Prove the backward equations by running the code that trains.

    Exit status: 0 if every theorem has its expected status and is proved for all sizes; 1 if one is refuted; 3 if one is open; 4
    if a theorem about your own layer is proved at some sizes only.
    """
    from nerva_core.algebra.numeric_backend import require

    require("sympy", "proofs")
    from sympy_validation.limits import Limits
    from sympy_validation.report import show_proofs

    if status := show_proofs(names or [], json, html, audit, quiet, Limits(time_limit, memory_limit), jobs, coq):
        raise typer.Exit(int(status))
