"""The command ``nerva export``."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nerva_core.algebra.errors import NervaError, did_you_mean

if TYPE_CHECKING:
    from nerva_core.training.models import Model

SUFFIXES = {".npz": "npz", ".onnx": "onnx", ".keras": "keras"}
FORMATS = (*SUFFIXES.values(), "torch", "jax")


def export(
    model: Annotated[Path, typer.Argument(help="A model.safetensors, or the directory of the run that wrote it.")],
    file: Annotated[Path, typer.Argument(help="The new file: weights.npz (Nerva's W1, b1, ...), net.onnx, net.keras; or a directory.")],
    format: Annotated[str | None, typer.Option(help="npz, onnx, keras; torch, jax: model.py and model.safetensors.")] = None,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="The outputs are probabilities of classes, as nerva predict gives them, not logits.")
    ] = False,
) -> None:
    """Write a trained network for other programs: Nerva's .npz, ONNX, Keras, or Python for PyTorch or JAX alone.

    The names of classes and features are properties of the ONNX file, or constants of the Python file.
    """
    from nerva_core.training.predictions import with_probabilities
    from nerva_core.training.runs import model_of

    chosen = format or SUFFIXES.get(file.suffix)
    if chosen is None:
        raise NervaError(
            f"the format is known by its suffix, {', '.join(SUFFIXES)}, or for a directory it is --format torch or jax; got {file.name!r}"
        )
    if chosen not in FORMATS:
        raise NervaError(f"unknown format {chosen!r}; {did_you_mean(chosen, FORMATS)}")
    if SUFFIXES.get(file.suffix, chosen) != chosen:
        raise NervaError(f"{file.name!r} names a file of format {SUFFIXES[file.suffix]}, but --format says {chosen}; give one of them")
    if chosen in ("torch", "jax") and file.suffix in (".py", ".pt", ".pth", ".safetensors"):
        raise NervaError(f"--format {chosen} writes a directory with model.py and model.safetensors: give it a name such as {file.stem!r}")
    if os.path.lexists(file):
        raise NervaError(f"{file} is already there; choose another name")
    if chosen == "keras" and file.suffix != ".keras":
        raise NervaError(f"a model of Keras is a file that ends in .keras, got {file.name!r}")
    if chosen == "npz" and probabilities:
        raise NervaError("an .npz holds the weights alone, so it takes no --probabilities")
    trained = model_of(model)
    write(with_probabilities(trained) if probabilities else trained, file, chosen)
    if trained.encoding.columns and chosen in ("npz", "keras"):
        inputs = ", ".join(trained.encoding.features)
        print(f"{file} holds the network alone, not how its inputs are made from the columns of a table: {inputs}", file=sys.stderr)


def write(model: Model, file: Path, format: str) -> None:
    """Write the model in a format; what a format cannot hold is refused."""
    from nerva_core.algebra.numeric_backend import backend
    from nerva_core.training.models import save_npz, write_atomically

    model = model.without_patterns()
    if format == "npz":
        save_npz(file, model.network, model.params)
    elif format == "onnx":
        from nerva_core.interoperability.onnx import to_onnx

        properties = {name: json.dumps(value, ensure_ascii=False) for name, value in names(model).items()}
        if model.encoding.columns:
            properties["nerva.columns"] = json.dumps([column.as_table() for column in model.encoding.columns])
        write_atomically(file, to_onnx(graph(model), metadata=properties).SerializeToString())
    elif format == "keras":
        from nerva_core.interoperability.keras import to_keras

        if os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow":
            with contextlib.suppress(NervaError):
                backend("tensorflow")  # started so, it writes no notes to stderr
        try:
            to_keras(model).save(file)
        except OSError as error:
            raise NervaError(f"cannot write {file}: {error.strerror or error}") from None
    else:
        write_source(model, file, format)


def write_source(model: Model, directory: Path, framework: str) -> None:
    """Write model.py, which needs the framework and safetensors alone, and model.safetensors."""
    import numpy as np
    from safetensors.numpy import save

    from nerva_core.interoperability.preparation import preparation_source
    from nerva_core.interoperability.source import python_source
    from nerva_core.training.models import write_atomically

    made = graph(model)
    try:
        directory.mkdir(parents=True)
    except OSError as error:
        raise NervaError(f"cannot make the directory {directory}: {error.strerror}") from None
    arrays = {name: np.ascontiguousarray(array, dtype=model.config.dtype) for name, array in made.parameters.items()}
    write_atomically(directory / "model.safetensors", save(arrays))
    write_atomically(directory / "model.py", python_source(made, framework, names(model)).encode())
    if model.encoding.columns:
        write_atomically(directory / "prepare.py", preparation_source(model.encoding.columns).encode())


def names(model: Model) -> dict[str, list[str]]:
    """The names of the classes and of the features, as far as there are any."""
    from nerva_core.training.predictions import class_names

    classes = class_names(model, int(model.network.outputs_for(model.inputs)))
    return {name: list(known) for name, known in (("classes", classes), ("features", model.encoding.features)) if known}


def graph(model: Model) -> Any:
    """The graph of ``model.predict``, with the scaling of the inputs."""
    from nerva_core.interpreters.graph import graph_of

    encoding = model.encoding
    shifts = () if encoding.shift is None else encoding.offsets()
    return graph_of(model.network, model.inputs, model.params, model.state, shifts, encoding.spread)
