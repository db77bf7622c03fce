"""The command ``nerva predict``. What it needs is imported when it runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from nerva_core.algebra.errors import NervaError


def predict(
    model: Annotated[Path, typer.Argument(help="A model.safetensors, or the directory of the run that wrote it.")],
    data: Annotated[Path, typer.Argument(help="A .csv, a NumPy archive .npz, or an IDX file, with raw examples.")],
    output: Annotated[Path | None, typer.Option(help="A new file, .csv or .npz; by default CSV on stdout.")] = None,
    array: Annotated[str | None, typer.Option(help="The array in an .npz; by default X, else Xtest.")] = None,
    backend: Annotated[str, typer.Option(help="numpy, jax, torch or tensorflow.")] = "numpy",
    dtype: Annotated[str, typer.Option(help="float32 or float64.")] = "float64",
) -> None:
    """Predict the class and the probabilities, or the outputs, of examples in a file.

    The examples are given as they were to the training: they are scaled by the numbers of the training data, which the model
    knows.
    """
    from nerva_core.algebra import numeric_backend
    from nerva_core.training import predictions
    from nerva_core.training.models import write_atomically
    from nerva_core.training.runs import model_of

    if output is not None and output.suffix not in (".csv", ".npz"):
        raise NervaError(f"the format is known by its suffix, .csv or .npz; got {output.name!r}")
    if output is not None and os.path.lexists(output):
        raise NervaError(f"{output} is already there; choose another --output")
    trained = model_of(model)
    X, notes = predictions.read_examples(data, trained, array)
    result = predictions.predict(trained, X, numeric_backend.backend(backend, dtype))
    for note in notes:
        print(note, file=sys.stderr)
    if output is None and sys.__stdout__ is None:
        raise NervaError("the standard output is closed; give a file with --output")
    if output is None:
        sys.stdout.write(predictions.to_csv(result))
    else:
        write_atomically(output, predictions.to_npz(result) if output.suffix == ".npz" else predictions.to_csv(result).encode())
