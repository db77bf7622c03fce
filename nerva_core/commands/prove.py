"""``nerva prove [NAME ...]``: run the proofs, show the verdicts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def prove(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="What to prove: Linear, layers, errata.004-16, my_layer.py:MyLayer; without it, everything. With --shapes a function "
            "of any file, and a pyproject.toml for its table [tool.nerva.prove].",
            show_default=False,
        ),
    ] = None,
    shapes: Annotated[
        str, typer.Option(help="The shapes of a function's inputs, to prove its gradient: 'x: B T C, w: C, eps=1e-5'.", show_default=False)
    ] = "",
    different: Annotated[
        str,
        typer.Option(help="With --shapes: why the backward is not to be the gradient, as of a straight-through one.", show_default=False),
    ] = "",
    annotations: Annotated[bool, typer.Option("--annotations", help="With --shapes: also print annotations for GitHub.")] = False,
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
    if a theorem about your own layer is proved at some sizes only; and of a function with --shapes, 5 if its code is not captured, and 6
    if what was captured is not what it does.
    """
    from nerva_core.algebra.numeric_backend import require

    require("sympy", "proofs")
    from sympy_validation.limits import Limits

    if shapes or any(name.endswith(".toml") for name in names or []):
        from sympy_validation.foreign.requests import requests
        from sympy_validation.foreign.show import show

        if status := show(requests(names or [], shapes, different), json, annotations, quiet, Limits(time_limit, memory_limit)):
            raise typer.Exit(status)
        return
    from sympy_validation.report import show_proofs

    if status := show_proofs(names or [], json, html, audit, quiet, Limits(time_limit, memory_limit), jobs, coq):
        raise typer.Exit(int(status))
