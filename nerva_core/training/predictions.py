"""Predictions of a trained network for new examples in a file."""

from __future__ import annotations

import csv
import dataclasses
import io
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nerva_core.algebra.errors import NervaError, counted, did_you_mean, not_there
from nerva_core.algebra.memory import Array, archive
from nerva_core.algebra.numeric_backend import Backend, backend
from nerva_core.data import CSV, ImageFolder
from nerva_core.data.dataset import features
from nerva_core.data.files import existing
from nerva_core.data.formats import CSVTable, read_csv, read_idx, read_npz
from nerva_core.data.images import SUFFIXES as IMAGES
from nerva_core.data.preparation import prepare
from nerva_core.data.tables import read_table
from nerva_core.equations.activations import Sigmoid
from nerva_core.layers import ActivationLayer, Layer, Sequential, Softmax
from nerva_core.training.models import Model

ARRAYS = ("X", "Xtest")
"""The arrays that are looked for in an archive, in this order."""


class Predictions(NamedTuple):
    """One row an example."""

    outputs: Array
    """Of the network, N x K."""
    probabilities: Array | None
    """Of the classes, if the loss takes the outputs as such, or as their logits."""
    classes: Array | None
    """The most probable class, as a number; None for a regression."""
    names: tuple[str, ...]
    """Of the classes."""


def predict(model: Model, X: Array, ops: Backend | None = None) -> Predictions:
    """The predictions for raw examples, N x D; on NumPy in float64 unless ``ops`` is given."""
    ops = backend("numpy", dtype="float64") if ops is None else ops
    loss = model.config.loss
    with np.errstate(all="ignore"):  # NumPy would warn of what is refused
        Y = model.predict(X, ops)
    bad = ~np.isfinite(Y).all(axis=1)
    if bad.any():
        raise NervaError(
            f"the outputs for {counted(int(bad.sum()), 'example')}, the first in row {int(np.argmax(bad))} counted from 0, are no finite "
            f"numbers in {ops.dtype}: its inputs are too large"
        )
    if not _has_classes(model):
        return Predictions(Y, None, None, ())
    probabilities = loss.probabilities(ops, ops.matrix(Y))
    P = None if probabilities is None else ops.to_numpy(probabilities)
    classes = loss.classes_of(Y)
    if Y.shape[1] == 1:  # two classes, of which the output is the second
        P = None if P is None else np.hstack([1 - P, P])
    return Predictions(Y, P, classes, class_names(model, Y.shape[1]))


def _has_classes(model: Model) -> bool:
    return bool(model.config.loss.classification or model.encoding.classes)


def class_names(model: Model, outputs: int) -> tuple[str, ...]:
    """The names of the classes of a network with so many outputs, or their numbers; none for a regression."""
    if not _has_classes(model):
        return ()
    count, names = max(2, outputs), model.encoding.classes
    return names if len(names) == count else tuple(map(str, range(count)))


def with_probabilities(model: Model) -> Model:
    """The network with the layer that makes probabilities of its outputs, as its loss takes them, if they are not such already.

    With one output it is that of the second class. NervaError if the loss says nothing of probabilities.
    """
    ops, loss, K = backend("numpy", dtype="float64"), model.config.loss, int(model.network.outputs_for(model.inputs))
    Y = ops.matrix(np.linspace(-2, 3, 3 * K).reshape(3, K))
    P = loss.probabilities(ops, Y) if _has_classes(model) else None
    choices: tuple[tuple[Layer, ...], ...] = ((), (Softmax(),), (ActivationLayer(Sigmoid()),))
    for layers in choices if P is not None else ():
        none: tuple[Any, ...] = ((),) * len(layers)
        if np.allclose(Sequential(layers).evaluate(ops, none, none, Y), np.asarray(P), rtol=1e-12, atol=0):
            network = Sequential((*model.network.layers, *layers))
            return dataclasses.replace(model, network=network, params=(*model.params, *none), state=(*model.state, *none))
    raise NervaError(f"the loss {type(loss).__name__} takes the outputs neither as probabilities nor as logits of classes")


def read_examples(path: Path, model: Model, array: str | None = None) -> tuple[Array, list[str]]:
    """The examples in a CSV file, NumPy archive or IDX file, and what the user should know of how it was read.

    A CSV file may have the target of the training data as a further column; columns with the names of the features may be in any
    order.
    """
    if isinstance(model.config.data, ImageFolder) and (path.is_dir() or path.suffix.lower() in IMAGES):
        return model.config.data.read_images(existing(str(path), "a directory" if path.is_dir() else "a file"), model.inputs), []
    if not path.is_file():
        raise NervaError(not_there(path) if not path.exists() else f"{path} is not a file")
    if array is not None and path.suffix.lower() != ".npz":
        raise NervaError(f"--array names an array of an .npz archive, but the data are {path.name}")
    notes: list[str] = []
    match path.suffix.lower():
        case ".csv" | ".parquet" | ".feather" | ".arrow" if model.encoding.columns:
            X, notes = prepare(read_table(path), model.encoding.columns)
        case ".csv":
            X, notes = _of_table(read_csv(path), model)
        case ".npz":
            arrays = read_npz(path)
            name = array if array is not None else next((name for name in ARRAYS if name in arrays), ARRAYS[0])
            if name not in arrays:
                raise NervaError(f"{path} has no array {name!r}; {did_you_mean(name, arrays)} (choose one with --array)")
            X = arrays[name]
        case ".gz" | "" | ".idx" | ".idx3-ubyte":
            X = read_idx(path)
        case suffix:
            raise NervaError(f"data are read from .csv, .npz or IDX files (MNIST's, also .gz), got {path.name!r} with suffix {suffix!r}")
    X = features(str(path), "X", X)
    if X.shape[1] != model.inputs:
        raise NervaError(f"the network has {counted(model.inputs, 'input')}, but {path} has {counted(X.shape[1], 'column')}")
    return X, notes


def _of_table(table: CSVTable, model: Model) -> tuple[Array, list[str]]:
    wanted, source = model.encoding.features, model.config.data
    if wanted and table.names:
        missing = [name for name in wanted if name not in table.names]
        if missing:
            raise NervaError(
                f"{table.path} has no column {missing[0]!r}, a feature of the training data; {did_you_mean(missing[0], table.names)}"
            )
        columns = [table.names.index(name) for name in wanted]
    elif isinstance(source, CSV) and table.width == model.inputs + 1:
        target = source.target_column(table)
        columns = [j for j in range(table.width) if j != target]
    else:
        columns = list(range(table.width))
        if table.width != model.inputs:
            raise NervaError(f"the network has {counted(model.inputs, 'input')}, but {table.path} has {counted(table.width, 'column')}")
    unused = [table.names[j] if table.names else f"number {j + 1}" for j in range(table.width) if j not in columns]
    return table.numbers(columns), [f"{table.path}: not used: column {', '.join(unused)}"] if unused else []


def to_csv(predictions: Predictions) -> str:
    """A table with a header: the class and the probabilities of all classes, or the outputs."""
    Y, P, classes, names = predictions
    header = ["class"] if classes is not None else []
    columns: list[list[str]] = [] if classes is None else [[names[k] for k in classes]]
    values, titles = (P, [f"probability_{name}" for name in names]) if P is not None else (Y, [f"output_{k}" for k in range(Y.shape[1])])
    columns += [[str(value) for value in column] for column in values.T]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header + titles, *zip(*columns, strict=True)])
    return text.getvalue()


def to_npz(predictions: Predictions) -> bytes:
    """An archive with ``outputs`` and, for a classification, ``classes``, ``names`` and ``probabilities``."""
    Y, P, classes, names = predictions
    arrays = {"outputs": Y, "probabilities": P, "classes": classes, "names": np.array(names) if names else None}
    return archive({name: array for name, array in arrays.items() if array is not None})
