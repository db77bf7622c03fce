"""Checks before training: network, loss, data and memory fit together, or a NervaError says what to change."""

from __future__ import annotations

import numpy as np

from nerva_core.algebra.errors import NervaError, counted
from nerva_core.algebra.matrix import Shape
from nerva_core.algebra.memory import Array, require_memory
from nerva_core.algebra.numeric_backend import DType, computed_in
from nerva_core.algebra.trees import leaves, map_shapes, named_leaves
from nerva_core.data import Dataset
from nerva_core.data.streamed import chunks
from nerva_core.equations.activations import ReLU, Sigmoid, Tanh
from nerva_core.equations.losses import (
    CTC,
    LOSSES,
    CosineDistance,
    Hinge,
    LogisticCrossEntropy,
    Loss,
    SequenceCrossEntropy,
    SoftmaxCrossEntropy,
)
from nerva_core.interpreters.shapes import MisfitError, ShapeOps
from nerva_core.interpreters.traced import Traced
from nerva_core.layers import ActivationLayer, BatchNormalization, Layer, Linear, LogSoftmax, Sequential, Softmax, SparseLinear, SReLU
from nerva_core.training.config import Config
from nerva_core.training.evaluation import evaluation_batch


def check_run(config: Config, network: Sequential, data: Dataset) -> None:
    """NervaError unless the parts of a configuration fit together and fit in memory, before anything large is made."""
    sizes = config.model.sizes
    if config.model.items() is None and sizes[0] != data.inputs:
        raise NervaError(f"the first of model.sizes must be the number of features, {data.inputs}, got {sizes[0]}")
    if config.loss.classification and data.classes is None:
        raise NervaError(f"the loss {type(config.loss).__name__} is for classes, but the data are a regression; use SquaredError")
    if config.training.prune is not None and not network.has_pattern():
        raise NervaError(
            f"prune = {config.training.prune} moves weights of sparse layers, but the network has none; "
            "give overall_density, densities, or SparseLinear layers"
        )
    if config.training.prune is not None and data.streamed:
        raise NervaError(f"prune = {config.training.prune} needs the training data in memory; they are read from files as they are needed")
    check_range(computed_in(config.dtype), data)
    check_batches(network, config.training.batch_size, len(data.Xtrain))
    check_memory(config, network, data)
    check_shapes(network, min(config.training.batch_size, len(data.Xtrain)), data.inputs)
    check_task(config.loss, network, data, network.outputs_for(data.inputs))


def check_shapes(network: Sequential, N: int, D: int) -> None:
    """NervaError unless the equations of each layer fit for N examples with D columns, and give the shapes that the layer states.

    A framework would repeat a single column, or refuse in words of its own, without the name of the layer.
    """
    for layer, n, d in zip(network.layers, network.heights(N), network.widths(D), strict=False):
        try:
            _check_shapes_of(layer, n, d)
        except MisfitError as error:
            hint = (
                "; nothing broadcasts: what is added to a shortcut must make as many columns as it" if str(error).startswith("add:") else ""
            )
            raise NervaError(f"{type(layer).__name__}, whose input has {counted(d, 'column')}: {error}{hint}") from error
        except Exception:  # it asks for more than shapes, such as a value: that is found, or not, when it runs
            continue


def _check_shapes_of(layer: Layer, n: int, d: int) -> None:
    """MisfitError unless Y, DX and the gradients of the parameters have the shapes that the layer states."""
    ops = ShapeOps()

    def require(what: str, found: Traced[Shape], rows: int, columns: int) -> None:
        if ops.shape(found) != (rows, columns):
            raise MisfitError(f"{what} must have the shape {(rows, columns)}, got {ops.shape(found)}")

    params, given = (map_shapes(ops.matrix, shapes) for shapes in (layer.shapes(d), layer.given_shapes(n, d)))
    Y, cache = layer.feedforward(ops, params, ops.matrix((n, d)), *given)
    require("Y, by outputs_for and rows_for,", Y, layer.rows_for(n), layer.outputs_for(d))
    DX, gradients = layer.backpropagate(ops, params, cache, Y)
    require("DX", DX, n, d)
    for (name, theta), gradient in zip(named_leaves(params), leaves(gradients), strict=True):
        require(f"D{name}", gradient, *ops.shape(theta))


def check_range(dtype: DType, data: Dataset) -> None:
    """NervaError for inputs, or targets of a regression, that are beyond the largest number of the dtype."""
    limit, parts = float(np.finfo(dtype).max), {"inputs": (data.Xtrain, data.Xtest)}
    if data.classes is None:
        parts["targets"] = (data.Ttrain, data.Ttest)
    for what, arrays in parts.items():
        wide = [array for array in arrays if array.dtype.itemsize > np.dtype(dtype).itemsize]
        largest = max((float(np.abs(part).max()) for array in wide for part in chunks(array)), default=0.0)
        if largest > limit:
            wider = "use dtype = 'float64', or " if dtype == "float32" else ""
            raise NervaError(f"the {what} go up to {largest:.3g}, but {dtype} ends at {limit:.3g}; {wider}scale the data")


def precision_warning(dtype: DType, data: Dataset) -> str:
    """What to say of columns whose numbers differ, but not in the dtype; nothing else."""
    X = data.Xtrain
    if X.dtype.itemsize <= np.dtype(dtype).itemsize:
        return ""
    ranges = [(part.min(axis=0), part.max(axis=0)) for part in chunks(X)]
    low, high = np.min([low for low, _ in ranges], axis=0), np.max([high for _, high in ranges], axis=0)
    lost = (low < high) & (low.astype(dtype) == high.astype(dtype))
    if not lost.any():
        return ""
    names, first = data.encoding.features, int(np.argmax(lost))
    column = repr(names[first]) if names else first
    return (
        f"{counted(int(lost.sum()), 'column')} of the inputs, such as {column}, which is near {low[first]:.6g}, is constant in {dtype}, "
        "though its numbers differ; use scaling = 'standard', or dtype = 'float64'"
    )


def batch_warning(batch_size: int, data: Dataset) -> str:
    """What to say of batches that cannot be filled: each step takes all examples; nothing else."""
    examples = len(data.Xtrain)
    if batch_size <= examples:
        return ""
    return f"batches of {batch_size:,} cannot be filled: there are {counted(examples, 'training example')}, and each step takes all of them"


def check_memory(config: Config, network: Sequential, data: Dataset) -> None:
    """NervaError for a network, or a batch of its values, that cannot fit, before any of it is made."""
    examples, count = len(data.Xtrain), network.parameter_count(data.inputs)
    require_memory(4 * 4 * count, f"a network with {count:,} parameters")  # themselves, gradients, two moments
    rows = min(examples, max(config.training.batch_size, evaluation_batch(data)))
    values = sum(n * d for n, d in zip(network.heights(rows), network.widths(data.inputs), strict=True))
    require_memory(4 * 2 * values, f"the values of {counted(rows, 'example')} in all layers")
    if data.classes is not None and not data.per_position:
        require_memory(8 * (examples + len(data.Xtest)) * data.classes, f"the targets of {counted(data.classes, 'class')}")


def check_task(loss: Loss, network: Sequential, data: Dataset, outputs: int) -> None:
    """NervaError unless the loss, the last layer, the outputs and the data make sense together: others train something else in silence."""
    name, last = type(loss).__name__, network.layers[-1]
    data.check_outputs(outputs)
    if data.per_position:
        if not loss.skips_padding:
            known = ", ".join(entry.__name__ for entry in LOSSES if entry.skips_padding)
            raise NervaError(
                f"the data have a class at each position, and padding, which the loss {name} counts as data; use SoftmaxCrossEntropy "
                f"(or another that skips it: {known})"
            )
        rows = network.rows_for(1)
        if rows != data.positions:
            raise NervaError(
                f"the data have a class at each of {data.positions} positions, but the network gives {counted(rows, 'row')} of an example"
            )
        _check_last(loss, last)
        return
    _check_one_row(network)
    if isinstance(loss, CTC):
        _check_labels(loss, data)
        return
    if data.positions > 1 or isinstance(loss, SequenceCrossEntropy):
        if (loss.classification and data.positions > 1) or getattr(loss, "classes", data.classes) != data.classes:
            needed = f"SequenceCrossEntropy(classes={data.classes})" if data.classes else "SquaredError"
            kind = f"{counted(data.positions, 'position')} of {data.classes} classes" if data.classes else "numbers as targets"
            raise NervaError(f"the data have {kind}, but the loss is {loss}; use {needed}")
        return
    if outputs == 1:
        _check_single_output(loss, last, data.classes is not None)
    if data.classes is None:
        _check_reach(last, data)
    else:
        _check_last(loss, last)


def _check_last(loss: Loss, last: Layer) -> None:
    """NervaError if the last layer gives something else than the loss takes."""
    name, given = type(loss).__name__, _given_by(last)
    if loss.takes == "probabilities" and given not in ("probabilities", None):
        instead = "BinaryCrossEntropy after a Linear layer" if given == "fractions" else "SoftmaxCrossEntropyOneHot after a Linear layer"
        raise NervaError(
            f"the loss {name} takes probabilities that sum to 1, but the last layer, {last}, gives {_MEANING[given or '']}; "
            f"make it Softmax, or use {instead}"
        )
    if loss.takes == "logits" and (given in ("probabilities", "fractions") or (given == "logarithms" and not _is_softmax(loss))):
        instead = ", or use CrossEntropy" if given == "probabilities" else ""
        raise NervaError(
            f"the loss {name} turns logits into probabilities itself, but the last layer, {last}, gives {_MEANING[given or '']}; "
            f"make it Linear{instead}"
        )


def _check_labels(loss: CTC, data: Dataset) -> None:
    """NervaError for targets that are no labels, one after the other, from the first position on."""

    def are_labels(T: Array) -> bool:
        if T.shape[1] % loss.classes:
            return False
        each = T.reshape(len(T), -1, loss.classes)
        there = each.sum(axis=2)
        return bool(np.isin(each, (0, 1)).all() and (there <= 1).all() and (np.diff(there) <= 0).all() and not each[:, :, 0].any())

    if data.classes is not None or not (are_labels(data.Ttrain) and are_labels(data.Ttest)):
        raise NervaError(
            f"the targets of {loss} are the labels one after the other, each one-hot in {loss.classes} columns, of which the first, "
            "that of the blank, is 0, and then zeros; an NPZ or CSV has them as task = 'regression'"
        )


def _check_one_row(network: Sequential) -> None:
    """NervaError if an example comes out as several rows, where the targets have one."""
    rows = network.rows_for(1)
    if rows != 1:
        raise NervaError(
            f"the network gives {counted(int(rows), 'row')} of every example, one a position, but the targets have one; "
            "put Flatten, GlobalAveragePool or Last before the layer that gives the outputs"
        )


def check_batches(network: Sequential, batch: int, examples: int) -> None:
    """NervaError for a batch of one example in a network that normalises batches."""
    if 1 not in (batch, examples, examples % batch) or not any(isinstance(layer, BatchNormalization) for layer in network.walk()):
        return
    last = "" if batch == 1 else f", of which the last of {examples:,} examples has one"
    raise NervaError(
        f"BatchNormalization needs at least two examples in every batch, as the variance of one is 0; got batches of {batch}{last}: "
        "choose another training.batch_size"
    )


_MEANING = {
    "numbers": "any numbers",
    "fractions": "numbers in (0, 1) that do not sum to 1",
    "probabilities": "probabilities already",
    "logarithms": "logarithms of probabilities",
}


def _given_by(last: Layer) -> str | None:
    """What a last layer gives; None for one that is not known."""
    if isinstance(last, Softmax):
        return "probabilities"
    if isinstance(last, LogSoftmax):
        return "logarithms"
    if isinstance(last, ActivationLayer) and isinstance(last.activation, Sigmoid):
        return "fractions"
    return "numbers" if isinstance(last, (ActivationLayer, BatchNormalization, Linear, SparseLinear, SReLU)) else None


def _is_softmax(loss: Loss) -> bool:
    return isinstance(loss, SoftmaxCrossEntropy)


def _check_single_output(loss: Loss, last: Layer, classes: bool) -> None:
    """With one output a softmax is 1, and a loss without a term for the class 0 is least where everything is class 1."""
    constant = _is_softmax(loss) or isinstance(last, (Softmax, LogSoftmax)) or isinstance(loss, (CosineDistance, Hinge))
    if constant or (classes and (loss.takes == "probabilities" or isinstance(loss, LogisticCrossEntropy))):
        what = "the softmax or the direction or rank of one number is constant" if constant else "it has no term for the class 0"
        instead = "BinaryCrossEntropy after a Linear layer, or two outputs" if classes else "SquaredError after a Linear layer"
        raise NervaError(f"with one output the loss {type(loss).__name__} after {last} trains nothing: {what}; use {instead}")


def _check_reach(last: Layer, data: Dataset) -> None:
    """NervaError for targets of a regression that the last layer never gives."""
    activation = last.activation if isinstance(last, ActivationLayer) else last
    ranges = {Sigmoid: (0, 1), Softmax: (0, 1), Tanh: (-1, 1), ReLU: (0, np.inf), LogSoftmax: (-np.inf, 0)}
    low, high = ranges.get(type(activation), (-np.inf, np.inf))
    if data.Ttrain.min() < low or data.Ttrain.max() > high:
        raise NervaError(
            f"the last layer, {last}, gives numbers from {low} to {high}, but the targets go from {data.Ttrain.min():g} to "
            f"{data.Ttrain.max():g}; make the last layer Linear, or scale the targets"
        )
