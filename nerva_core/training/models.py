"""Networks in files: safetensors with everything a network is, and Nerva's ``.npz`` archives of weights."""

from __future__ import annotations

import hashlib
import json
import math
import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nerva_core.algebra.errors import NervaError, counted, did_you_mean, not_there
from nerva_core.algebra.memory import Array, archive
from nerva_core.algebra.numeric_backend import Backend, backend
from nerva_core.algebra.trees import Tree, leaves, map_shapes, named_leaves, with_leaves
from nerva_core.data.encoding import Encoding
from nerva_core.data.formats import read_npz
from nerva_core.data.preparation import columns_from
from nerva_core.layers import Linear, Sequential, SparseLinear
from nerva_core.training.config import Config, parse_config

METADATA, DIGEST = "nerva", "sha256"
"""The keys of the metadata in a safetensors file, and of the checksum in the metadata."""

Arrays = dict[str, Array]


class InputScaling(NamedTuple):
    """The arrays of an ``Encoding``, as they stand in a file."""

    shift: Any
    spread: Any


@dataclass(frozen=True)
class _Shaped:
    """Stands for an array of which only the shape is known."""

    shape: tuple[int, int]


@dataclass(frozen=True)
class Model:
    """A network with its parameters and running statistics (NumPy arrays), and the configuration and the data it was trained with."""

    config: Config
    network: Sequential
    inputs: int
    params: Tree
    state: Tree
    encoding: Encoding = Encoding()
    """How its inputs are made from raw examples, and the names of features and classes."""

    def without_patterns(self) -> Model:
        """The same function with all weights, zeros where none was: for formats that know no pattern."""
        network, params, state = self.network.dense(self.inputs, self.params, self.state)
        return replace(self, network=network, params=params, state=state)

    def predict(self, X: Any, ops: Backend | None = None) -> Array:
        """The outputs at inference, N x K, for raw examples in the rows of X: they are scaled as the training data were.

        On NumPy in float64 unless ``ops`` is given.
        """
        ops = backend("numpy", dtype="float64") if ops is None else ops
        X = np.array(X, ndmin=2)
        if X.dtype.kind not in "fiub":
            raise NervaError(f"X must hold real numbers, got dtype {X.dtype}")
        X = X.reshape(len(X), math.prod(X.shape[1:]))
        X = X if X.dtype.kind == "f" else X.astype(float)
        if X.shape[1] != self.inputs:
            raise NervaError(
                f"the network has {counted(self.inputs, 'input')}, but X has {counted(X.shape[1], 'column')}; give those of the training"
            )
        if not len(X):
            raise NervaError(f"there must be at least one example to predict, got none (X has shape {X.shape})")
        inputs = ops.matrix(self.encoding.inputs(X))
        return ops.to_numpy(self.network.evaluate(ops, ops.matrices(self.params), ops.matrices(self.state), inputs))


def write_atomically(path: Path, content: bytes, previous: Path | None = None) -> None:
    """Write a file so that a reader sees the old content or the new, never a part, also after a loss of power.

    The old content is kept as ``previous`` if that is given. NervaError if writing fails; the old file is then as it was.
    """
    temporary = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", suffix=".partial", delete=False) as file:
            temporary = file.name
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        if previous is not None and path.exists():
            os.replace(path, previous)
        os.replace(temporary, path)
        temporary = None
        _sync_directory(path.parent)
    except OSError as error:
        raise NervaError(f"cannot write {path}: {error.strerror}") from None
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def _umask() -> int:
    """What the user lets nobody else do; the system tells it only when it is set."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _sync_directory(directory: Path) -> None:
    """Write the names of the files in a directory to the disk, where the system can do that."""
    if os.name == "posix":
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def pack(trees: dict[str, Any], metadata: dict[str, str]) -> bytes:
    """Trees of NumPy arrays as safetensors, with a checksum; a leaf's name is ``tree/path``. The same content gives the same bytes."""
    from safetensors.numpy import save

    arrays = {f"{name}/{path}": np.ascontiguousarray(leaf) for name, tree in trees.items() for path, leaf in named_leaves(tree)}
    metadata = {**metadata, DIGEST: _digest(arrays, metadata)}
    return save(arrays, {METADATA: json.dumps(metadata, sort_keys=True)})  # one key, as the order of several would vary


def _digest(arrays: Arrays, metadata: dict[str, str]) -> str:
    """A checksum of all content, in an order that does not depend on the file."""
    result = hashlib.sha256(json.dumps({key: value for key, value in metadata.items() if key != DIGEST}, sort_keys=True).encode())
    for name in sorted(arrays):
        result.update(f"{name} {arrays[name].dtype} {arrays[name].shape}".encode())
        result.update(np.ascontiguousarray(arrays[name]).data)
    return result.hexdigest()


def unpack(path: Path, templates: dict[str, Any]) -> dict[str, Any]:
    """The trees that ``pack`` wrote, in the form of the templates; NervaError if a name or a shape differs."""
    arrays, _ = read_safetensors(path)
    return {name: fill(path, name, template, arrays) for name, template in templates.items()}


def read_safetensors(path: Path) -> tuple[Arrays, dict[str, str]]:
    """The arrays of a safetensors file and the metadata that ``pack`` put in it (empty in a file from elsewhere)."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            metadata = json.loads((file.metadata() or {}).get(METADATA, "{}"))
        if not (isinstance(metadata, dict) and all(isinstance(value, str) for value in metadata.values())):
            raise ValueError("its description is not a table of text")
        if DIGEST in metadata and metadata[DIGEST] != _digest(arrays, metadata):
            raise ValueError("its content does not have the checksum that was written with it")
        return arrays, metadata
    except FileNotFoundError:
        raise NervaError(not_there(path)) from None
    except (SafetensorError, OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise NervaError(f"cannot read {path}: it is no safetensors file, or it is damaged ({error})") from None


def save_model(path: Path, model: Model) -> None:
    """Write every parameter and running statistic, with the configuration and the scaling of the inputs."""
    encoding = model.encoding
    names = {key: json.dumps(value) for key, value in (("features", encoding.features), ("classes", encoding.classes)) if value}
    names |= {"columns": json.dumps([column.as_table() for column in encoding.columns])} if encoding.columns else {}
    metadata = {"config": model.config.to_toml(), "inputs": str(model.inputs), **names}
    scaling = {} if encoding.shift is None else {"scaling": InputScaling(encoding.shift, encoding.spread)}
    write_atomically(path, pack({"params": model.params, "state": model.state, **scaling}, metadata))


def load_model(path: Path) -> Model:
    """Read a network that ``save_model`` wrote."""
    if path.is_dir():
        raise NervaError(f"{path} is a directory; the model of a run is the file {path / 'model.safetensors'}")
    arrays, metadata = read_safetensors(path)
    if "epoch" in metadata:
        raise NervaError(f"{path} is a checkpoint, not a model; give the directory of its run, or the model.safetensors that it ends with")
    if "config" not in metadata or not metadata.get("inputs", "").isdecimal():
        raise NervaError(f"{path} was not written by nerva: it has no configuration")
    config = parse_config(metadata["config"], f"the configuration in {path}")
    network, inputs = config.model.build(), int(metadata["inputs"])
    # The shapes first, and the state only when the parameters are there: a file cannot make us allocate what it does not hold.
    params = fill(path, "params", map_shapes(_Shaped, network.shapes(inputs)), arrays)
    state = checked_patterns(network, inputs, fill(path, "state", network.initial_state(inputs), arrays))
    return Model(config, network, inputs, params, state, _encoding(path, inputs, arrays, metadata))


def _encoding(path: Path, inputs: int, arrays: Arrays, metadata: dict[str, str]) -> Encoding:
    shift, spread = None, None
    if "scaling/shift" in arrays:
        shift, spread = fill(path, "scaling", InputScaling(_Shaped((1, inputs)), _Shaped((1, inputs))), arrays)
    try:
        names = [json.loads(metadata.get(key, "[]")) for key in ("features", "classes")]
        if not all(isinstance(items, list) and all(isinstance(item, str) for item in items) for items in names):
            raise ValueError
        columns = columns_from(json.loads(metadata.get("columns", "[]")))
        if columns and sum(len(column.inputs) for column in columns) != inputs:
            raise ValueError
    except ValueError:
        raise NervaError(f"{path} is damaged: its names are not lists of text, or its columns are not those of the inputs") from None
    features, classes = map(tuple, names)
    return Encoding(shift, spread, features, classes, columns)


def save_npz(path: Path, network: Sequential, params: Tree) -> None:
    """Write the weights as Nerva does: W1, b1, W2, ... of the layers with weights. Other trained parameters are refused, not lost."""
    for layer, p in zip(network.layers, params, strict=True):
        if not isinstance(layer, Linear) and any(True for _ in leaves(p)):
            raise NervaError(
                f"Nerva's .npz format holds only the weights and biases of linear layers, and would lose the parameters of "
                f"{type(layer).__name__}; save as .safetensors"
            )
    arrays: Arrays = {}
    for k, p in enumerate(_affine(network, params), 1):
        arrays[f"W{k}"], arrays[f"b{k}"] = p.W, np.reshape(p.b, -1)
    write_atomically(path, archive(arrays))


def checked_patterns(network: Sequential, inputs: int, state: Tree) -> Any:
    """The state. NervaError unless its patterns are those of the network."""
    (state,) = network.map_patterns(inputs, SparseLinear.check_pattern, state)
    return state


def load_npz(path: Path, network: Sequential, inputs: int, params: Tree, state: Tree) -> tuple[Any, Any]:
    """(params, state) with the weights and biases of linear layers replaced by W1, b1, W2, ... of a Nerva archive.

    A sparse layer takes the pattern from the weights that are not 0.
    """
    arrays = read_npz(path)
    result, patterns, k = list(params), list(state), 0
    for i, (layer, D) in enumerate(zip(network.layers, network.widths(inputs), strict=False)):
        if isinstance(layer, (Linear, SparseLinear)):
            k += 1
            K = int(layer.outputs)
            W, b = _array(path, arrays, f"W{k}", (K, D)), _array(path, arrays, f"b{k}", (1, K))
            if isinstance(layer, SparseLinear):
                result[i], patterns[i] = layer.from_dense(W, b)
            else:
                result[i] = type(params[i])(W, b)
    extra = sorted(arrays.keys() - {f"{letter}{i}" for letter in "Wb" for i in range(1, k + 1)})
    if extra:
        raise NervaError(f"{path} holds {extra[0]!r}, but the network has only {k} layers with weights")
    return tuple(result), tuple(patterns)


def load_weights(path: Path, network: Sequential, inputs: int, params: Tree, state: Tree) -> tuple[Any, Any]:
    """(params, state) with the weights in a file: an .npz archive of Nerva, or a model.safetensors of a network of the same shape.

    Of the state only the patterns are taken.
    """
    if path.is_dir():
        path = path / "model.safetensors"  # of the run in it
    if path.suffix == ".npz":
        if not path.is_file():
            raise NervaError(not_there(path))
        return load_npz(path, network, inputs, params, state)
    if not network.has_pattern():
        return unpack(path, {"params": params})["params"], state
    trees = unpack(path, {"params": params, "state": state})
    loaded = checked_patterns(network, inputs, trees["state"])
    state, _ = network.map_patterns(inputs, lambda layer, D, old, new: (new, new), state, loaded)
    return trees["params"], state


def _affine(network: Sequential, params: Tree) -> list[Any]:
    return [p for layer, p in zip(network.layers, params, strict=True) if isinstance(layer, Linear)]


def _array(path: Path, arrays: Arrays, name: str, shape: tuple[int, int]) -> Array:
    if name not in arrays:
        raise NervaError(f"{path} has no array {name!r}; {did_you_mean(name, arrays)}")
    array = arrays[name]
    if array.dtype.kind not in "fiu":
        raise NervaError(f"{path}: {name} must hold numbers, got dtype {array.dtype}")
    row = shape[0] == 1 and name.startswith("b") and array.shape in {(shape[1],), (shape[1], 1)}
    if array.shape != shape and not row:
        raise NervaError(f"{path}: {name} has shape {array.shape}, the network needs {shape}")
    return array.reshape(shape).astype(float)


def fill(path: Path, prefix: str, template: Tree, arrays: Arrays) -> Any:
    """The arrays ``prefix/name`` of a file in the form of the template; NervaError if a name, a shape or a type differs."""
    new = []
    for name, leaf in named_leaves(template):
        key = f"{prefix}/{name}"
        if key not in arrays:
            raise NervaError(f"{path} has no array {key!r}; it belongs to another network")
        if arrays[key].shape != leaf.shape:
            raise NervaError(f"{path}: {key} has shape {arrays[key].shape}, the network needs {leaf.shape}")
        if arrays[key].dtype.kind != "f":
            raise NervaError(f"{path}: {key} must hold floating-point numbers, got dtype {arrays[key].dtype}")
        new.append(arrays[key])
    return with_leaves(template, new)
