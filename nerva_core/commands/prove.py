"""``nerva prove [NAME ...]``: run the proofs, show the verdicts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def _option(help: str, *names: str, show_default: bool = False) -> Any:
    return typer.Option(*names, help=help, show_default=show_default)


NAMES = typer.Argument(
    help="What to prove: Linear, layers, errata.004-16, my_layer.py:MyLayer; without it, everything. With --shapes a function of any "
    "file, and a pyproject.toml for its table [tool.nerva.prove].",
    show_default=False,
)
COQ = "Write the theorems into this folder as statements of Coq, and have its kernel check them."


def prove(
    names: Annotated[list[str] | None, NAMES] = None,
    shapes: Annotated[str, _option("The shapes of a function's inputs, to prove its gradient: 'x: B T C, w: C, eps=1e-5'.")] = "",
    different: Annotated[str, _option("With --shapes: why the backward is not to be the gradient, as of a straight-through one.")] = "",
    annotations: Annotated[bool, _option("With --shapes: also print annotations for GitHub.", "--annotations")] = False,
    json: Annotated[Path | None, _option("Write the verdicts to this file.")] = None,
    html: Annotated[Path | None, _option("Write the theorems, their equations and the verdicts as a page.")] = None,
    coq: Annotated[Path | None, _option(COQ)] = None,
    audit: Annotated[bool, _option("Also make every one-operation mutant of the code and refuse it.", "--audit")] = False,
    quiet: Annotated[bool, _option("Only show what is not as expected.", "--quiet", "-q")] = False,
    time_limit: Annotated[
        float, _option("The seconds after which a theorem is open; concrete sizes and numbers are still tried.", show_default=True)
    ] = 60.0,
    memory_limit: Annotated[float, _option("The memory, in GiB, that a proof may take.", show_default=True)] = 4.0,
    jobs: Annotated[int, _option("The number of processes.", "--jobs", "-j", show_default=True)] = 1,
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
