"""The command ``nerva generate``. What it needs is imported when it runs."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer


def generate(
    model: Annotated[Path, typer.Argument(help="A model.safetensors, or the directory of the run that wrote it.")],
    prompt: Annotated[str | None, typer.Option(help="What the text begins with; by default a new line.", show_default=False)] = None,
    length: Annotated[int, typer.Option(help="How many characters (or bytes) follow it.")] = 200,
    temperature: Annotated[float, typer.Option(help="1 draws as the network says, 0 takes the most probable, more is wilder.")] = 1.0,
    top_k: Annotated[int | None, typer.Option(help="Draw from so many of the most probable ones; by default from all.")] = None,
    seed: Annotated[int, typer.Option(help="Determines what is drawn.", min=0)] = 0,
    backend: Annotated[str, typer.Option(help="numpy, jax, torch or tensorflow.")] = "numpy",
    dtype: Annotated[str, typer.Option(help="float32 or float64.")] = "float64",
    cache: Annotated[bool, typer.Option(help="Keep the keys and values of attention, so that a character costs one position.")] = True,
) -> None:
    """Write text with a network that was trained on a text file: the prompt, and what follows it, one character after the other.

    The same seed gives the same text on every backend.
    """
    from nerva_core.algebra import numeric_backend
    from nerva_core.algebra.errors import NervaError
    from nerva_core.training.generation import generate
    from nerva_core.training.runs import model_of

    trained = model_of(model)
    ops = numeric_backend.backend(backend, dtype)
    known = trained.encoding.classes
    if prompt is None and known and "\n" not in known:
        raise NervaError(f"the text of the training has no new line to begin with; give --prompt, such as --prompt {shlex.quote(known[0])}")
    print(generate(trained, "\n" if prompt is None else prompt, length, temperature, top_k, seed, ops, cache))
