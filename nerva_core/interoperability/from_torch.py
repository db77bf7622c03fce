"""Networks of PyTorch as networks of ours, with the same outputs, and with backward passes that are shown, traced and proved.

    found = from_torch(torch_network, shape=(3, 32, 32))      # the shape of one example, without the batch
    found.predict(images)                                     # N x 3 x 32 x 32, as PyTorch takes them
    nerva_core.show(found.network)

Images of PyTorch have the channels first, those of ours have them last; ``rows`` turns examples, and the weights after a Flatten are turned
when they are read. That both compute the same is checked on random inputs before anything is returned.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.memory import Array
from nerva_core.algebra.numeric_backend import Backend, backend, require
from nerva_core.algebra.trees import Tree, leaves, with_leaves
from nerva_core.equations.activations import ACTIVATIONS
from nerva_core.interoperability import from_torch_attention
from nerva_core.layers import LAYERS, ActivationLayer, Add, Layer, Residual, Sequential

ROWS = ("Linear", "LayerNorm", "RMSNorm", "Embedding", "Multihead", "Transformer")
"""Modules that take the positions as rows; the others take the channels first."""

TOLERANCE = 1e-4
"""How far outputs may be apart, relative to the largest."""


@dataclass(frozen=True)
class FromTorch:
    """A network with its parameters and running statistics, as NumPy arrays."""

    network: Sequential
    params: Tree
    state: Tree
    shape: tuple[int, ...]
    """Of one example, as PyTorch has it."""
    channels_first: bool

    @property
    def inputs(self) -> int:
        """The number of columns of X."""
        return math.prod(self.shape)

    def rows(self, X: Any) -> Array:
        """Examples as PyTorch takes them, N x C x ..., as rows, the channels last. NervaError for another shape, or numbers of no token."""
        X = _array(X)
        if X.shape[1:] != self.shape:
            raise NervaError(f"examples must have the shape {self.shape}, got {X.shape[1:]}")
        below = self.network.numbers_below()
        if below is not None and not (known := np.isin(X, np.arange(below))).all():
            raise NervaError(f"the network looks up numbers 0, 1, ..., {below - 1}, got {X[~known][0]:g}")
        rows: Array = (np.moveaxis(X, 1, -1) if self.channels_first else X).reshape(len(X), -1)
        return rows

    def predict(self, X: Any, ops: Backend | None = None) -> Array:
        """The outputs at inference, one row for each of ours: examples, or positions of examples."""
        ops = backend("numpy", dtype="float64") if ops is None else ops
        return ops.to_numpy(self.network.evaluate(ops, ops.matrices(self.params), ops.matrices(self.state), ops.matrix(self.rows(X))))


@dataclass
class _Reading:
    """What is known after the modules that are read."""

    channels_first: bool
    channels: int = 0
    """Before a Flatten, the columns of a row; their order differs after it."""
    flattened: bool = False
    layers: list[Layer] = field(default_factory=list)
    arrays: list[list[Array]] = field(default_factory=list)
    statistics: list[list[Array]] = field(default_factory=list)

    def add(self, layer: Layer, arrays: list[Any] = [], statistics: list[Any] = []) -> None:  # noqa: B006, they are not changed
        """A layer with its parameters and running statistics, in the order of ours."""
        self.layers.append(layer)
        self.arrays.append([_array(tensor) for tensor in arrays])
        self.statistics.append([_array(tensor) for tensor in statistics])


def from_torch(module: Any, shape: tuple[int, ...]) -> FromTorch:
    """Our network for a ``torch.nn.Sequential`` of layers that have an equal here; ``shape`` is that of one example.

    NervaError for a module that has none, or if the outputs on random examples differ.
    """
    modules = list(_flat(module))
    first = next((type(m).__name__ for m in modules if type(m).__name__ in READERS), "")
    reading = _Reading(channels_first=len(shape) > 1 and not first.startswith(ROWS))
    positions = (shape[1:] if reading.channels_first else shape[:-1]) or (shape if first == "Embedding" else ())
    if positions:
        reading.add(LAYERS.build("Images" if len(positions) == 2 else "Sequences", *positions))
        reading.channels = shape[0] if reading.channels_first else 1 if first == "Embedding" else shape[-1]
    for m in modules:
        _read(m, reading)
    network = Sequential(tuple(reading.layers))
    inputs = math.prod(shape)
    templates = network.init(np.random.default_rng(0), inputs), network.initial_state(inputs)
    params, state = (_filled(*pair) for pair in zip(templates, (reading.arrays, reading.statistics), strict=True))
    result = FromTorch(network, params, state, tuple(shape), reading.channels_first)
    _check(module, result, first == "Embedding")
    return result


def _no_equal(m: Any, why: str) -> NervaError:
    """That a module of a kind that is read is one that cannot be."""
    return NervaError(f"{m}: {why}; keep it in PyTorch, and read the modules before it and after it, each as a Sequential")


def _flat(module: Any) -> Iterator[Any]:
    if type(module).__name__ == "Sequential":
        for part in module:
            yield from _flat(part)
    elif type(module).__name__ != "Identity":
        yield module


def _read(module: Any, reading: _Reading) -> None:
    name = type(module).__name__
    if name not in READERS:
        raise NervaError(
            f"{name} of torch.nn has no equal that from_torch knows; it reads a Sequential of {', '.join(sorted(READERS))}. "
            "For a layer of your own write its two methods, and see nerva_core.interoperability.torch for the other direction"
        )
    READERS[name](module, reading)


def _linear(m: Any, r: _Reading) -> None:
    W = _array(m.weight)
    if r.flattened and r.channels > 1 and r.channels_first:  # K x (C · P) there, K x (P · C) here
        W = W.reshape(len(W), r.channels, -1).swapaxes(1, 2).reshape(len(W), -1)
    r.flattened = False
    r.channels = m.out_features
    r.add(LAYERS.build("Linear", m.out_features), [W, _bias(m, m.out_features)])


def _convolution(m: Any, r: _Reading) -> None:
    W = np.moveaxis(_array(m.weight), (0, 1), (-1, -2)).reshape(-1, m.out_channels)  # K x C/G x kernel there, (kernel · C/G) x K here
    r.channels = m.out_channels
    r.add(LAYERS.build("Convolution", m.out_channels, groups=m.groups, **_windows(m)), [W, _bias(m, m.out_channels)])


def _transposed_convolution(m: Any, r: _Reading) -> None:
    W = np.moveaxis(_array(m.weight), (0, 1), (-1, -2)).reshape(-1, m.in_channels)  # C x K/G x kernel there, (kernel · K/G) x C here
    r.channels = m.out_channels
    more = _side(m, m.output_padding)
    r.add(
        LAYERS.build("TransposedConvolution", m.out_channels, groups=m.groups, output_padding=more, **_windows(m)),
        [W, _bias(m, m.out_channels)],
    )


def _windows(m: Any) -> dict[str, int]:
    if m.padding_mode != "zeros" or isinstance(m.padding, str):
        raise _no_equal(m, "convolutions with padding that is no number of zeros have no equal here")
    numbers = {"kernel": m.kernel_size, "stride": m.stride, "padding": m.padding, "dilation": m.dilation}
    return {name: _side(m, sizes) for name, sizes in numbers.items()}


def _upsampling(m: Any, r: _Reading) -> None:
    factor = m.scale_factor and _side(m, m.scale_factor)
    if m.mode != "nearest" or factor is None or factor != m.scale_factor:
        raise _no_equal(m, "of upsampling the nearest, by a whole factor, has an equal here")
    r.add(LAYERS.build("Upsample", factor))


def _residual_block(m: Any, r: _Reading) -> None:
    """The blocks of torchvision's ResNets: convolutions, each with its normalization, with ReLU between them, and a shortcut around."""
    count = 3 if hasattr(m, "conv3") else 2
    inside = [part for k in range(1, count + 1) for part in (getattr(m, f"conv{k}"), getattr(m, f"bn{k}"), m.relu)][:-1]
    f, g = _inside(inside, r), _inside(_flat(m.downsample) if m.downsample is not None else [], r)
    layers = [Sequential(tuple(part.layers)) for part in (f, g)]
    block = Add(*layers) if g.layers else Residual(layers[0])
    arrays, statistics = ([a for part in (f, g) for own in getattr(part, of) for a in own] for of in ("arrays", "statistics"))
    r.add(block, arrays, statistics)
    r.channels = f.channels
    _read(m.relu, r)


def _inside(modules: Iterable[Any], r: _Reading) -> _Reading:
    """What is read of modules inside another, from the same input."""
    reading = _Reading(r.channels_first, r.channels)
    for m in modules:
        _read(m, reading)
    return reading


def _side(m: Any, sizes: Any) -> int:
    """The number that all directions have; NervaError if they differ."""
    sides = set(sizes) if isinstance(sizes, tuple) else {sizes}
    if len(sides) > 1:
        raise _no_equal(m, "windows that are not as wide as high have no equal here")
    return int(sides.pop())


def _pooling(name: str) -> Callable[[Any, _Reading], None]:
    def read(m: Any, r: _Reading) -> None:
        plain = getattr(m, "padding", 0) in (0, (0,), (0, 0)) and getattr(m, "dilation", 1) in (1, (1,), (1, 1)) and not m.ceil_mode
        if not plain:
            raise _no_equal(m, "pooling with padding, dilation or ceil_mode has no equal here")
        r.add(LAYERS.build(name, _side(m, m.kernel_size), _side(m, m.stride)))

    return read


def _global_pooling(m: Any, r: _Reading) -> None:
    if m.output_size not in (1, (1,), (1, 1), (1, 1, 1)):
        raise _no_equal(m, "of adaptive pooling the one to a single position has an equal here")
    r.add(LAYERS.build("GlobalAveragePool"))


def _flatten(m: Any, r: _Reading) -> None:
    if (m.start_dim, m.end_dim) != (1, -1):
        raise _no_equal(m, "the Flatten of everything but the batch has an equal here")
    if r.layers and type(r.layers[-1]).__name__ != "GlobalAveragePool":
        if any(type(layer).__name__ in ("Images", "Sequences") for layer in r.layers):
            r.add(LAYERS.build("Flatten"))
        r.flattened = True


def _batch_normalization(m: Any, r: _Reading) -> None:
    if m.running_mean is None or not m.affine or m.momentum is None:
        raise NervaError(f"{m}: batch normalization needs running statistics, a momentum, and trained weights here")
    if r.flattened:
        raise NervaError(f"{m}: after a Flatten of images the order of the columns differs; put a Linear layer between them")
    layer = LAYERS.build("BatchNormalization", epsilon=m.eps, momentum=1 - m.momentum)
    r.add(layer, [m.weight[None], m.bias[None]], [m.running_mean[None], m.running_var[None]])


def _normalization(m: Any, r: _Reading) -> None:
    name = type(m).__name__
    if len(getattr(m, "normalized_shape", (1,))) != 1 or m.weight is None or r.flattened:
        raise _no_equal(m, f"{name} over the last axis, with trained weights, has an equal here")
    epsilon = require("torch", "torch").finfo(m.weight.dtype).eps if m.eps is None else m.eps
    arrays = [m.weight[None]] + ([] if name == "RMSNorm" else [np.zeros((1, len(m.weight))) if m.bias is None else m.bias[None]])
    r.add(LAYERS.build(name, epsilon=epsilon, **({"groups": m.num_groups} if name == "GroupNorm" else {})), arrays)


def _embedding(m: Any, r: _Reading) -> None:
    r.channels = m.embedding_dim
    r.add(LAYERS.build("Embedding", m.embedding_dim, m.num_embeddings), [m.weight])


def _activation(name: str, **fields: str) -> Callable[[Any, _Reading], None]:
    """That of our name; ``fields`` are theirs for ours."""

    def read(m: Any, r: _Reading) -> None:
        if getattr(m, "beta", 1) != 1:
            raise _no_equal(m, "its exact form has an equal here")
        ours = "TanhGELU" if getattr(m, "approximate", "none") == "tanh" else name
        r.add(ActivationLayer(ACTIVATIONS.build(ours, **{own: float(getattr(m, theirs)) for own, theirs in fields.items()})))

    return read


def _softmax(m: Any, r: _Reading) -> None:
    if m.dim not in (1, -1) or (m.dim == 1 and r.channels_first and not any(type(x).__name__ == "Linear" for x in r.layers)):
        raise _no_equal(m, "a softmax over the last axis has an equal here")
    r.add(LAYERS.build(type(m).__name__))


ACTIVATIONS_OF_TORCH: dict[str, dict[str, str]] = {
    **{name: {} for name in ("ReLU", "Tanh", "Sigmoid", "Softplus", "SiLU", "GELU", "Mish", "SELU", "Hardswish")},
    "LeakyReLU": {"alpha": "negative_slope"},
    "ELU": {"alpha": "alpha"},
    "Hardtanh": {"low": "min_val", "high": "max_val"},
}
"""The activations that torch.nn has too, by the same name; their parameters by ours."""

READERS: dict[str, Callable[[Any, _Reading], None]] = {
    "Linear": _linear,
    **dict.fromkeys(("Conv1d", "Conv2d", "Conv3d"), _convolution),
    **dict.fromkeys(("ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"), _transposed_convolution),
    **dict.fromkeys(("Upsample", "UpsamplingNearest2d"), _upsampling),
    **dict.fromkeys(("BasicBlock", "Bottleneck"), _residual_block),
    **dict.fromkeys(("MaxPool1d", "MaxPool2d"), _pooling("MaxPool")),
    **dict.fromkeys(("AvgPool1d", "AvgPool2d"), _pooling("AveragePool")),
    **dict.fromkeys(("AdaptiveAvgPool1d", "AdaptiveAvgPool2d"), _global_pooling),
    "Flatten": _flatten,
    **dict.fromkeys(("BatchNorm1d", "BatchNorm2d"), _batch_normalization),
    **dict.fromkeys(("LayerNorm", "RMSNorm", "GroupNorm"), _normalization),
    "Embedding": _embedding,
    "MultiheadAttention": from_torch_attention.attention,
    "TransformerEncoderLayer": from_torch_attention.encoder_layer,
    "TransformerEncoder": from_torch_attention.encoder,
    "Dropout": lambda m, r: r.add(LAYERS.build("Dropout", m.p)),
    **dict.fromkeys(("Softmax", "LogSoftmax"), _softmax),
    **{name: _activation(name, **fields) for name, fields in ACTIVATIONS_OF_TORCH.items()},
}
"""How a module of torch.nn is read, by its name."""


def _array(tensor: Any) -> Array:
    return np.array(tensor.detach().cpu().double().numpy() if hasattr(tensor, "detach") else tensor, dtype=np.float64)


def _bias(m: Any, outputs: int) -> Array:
    return np.zeros((1, outputs)) if m.bias is None else _array(m.bias).reshape(1, -1)


def _filled(templates: Any, arrays: list[list[Array]]) -> Any:
    result = []
    for template, given in zip(templates, arrays, strict=True):
        wanted = list(leaves(template))
        if [leaf.shape for leaf in wanted] != [array.shape for array in given]:
            raise NervaError(
                f"the parameters have the shapes {[a.shape for a in given]}, the layer needs {[leaf.shape for leaf in wanted]}"
            )
        result.append(with_leaves(template, given))
    return tuple(result)


def _called(module: Any, X: Any) -> Any:
    """The output of a module, or of attention of X to itself."""
    return module(X, X, X, need_weights=False)[0] if type(module).__name__ == "MultiheadAttention" else module(X)


def _check(module: Any, result: FromTorch, numbers: bool) -> None:
    """NervaError unless both compute the same, on four random examples."""
    torch = require("torch", "torch")
    rng = np.random.default_rng(0)
    below = result.network.numbers_below()
    X = rng.integers(0, int(below or 2), (4, *result.shape)) if numbers else rng.normal(size=(4, *result.shape))
    trains = module.training
    module.eval()
    with torch.no_grad():
        parameter = next(module.parameters(), torch.zeros(1))
        given = torch.as_tensor(X, device=parameter.device)
        theirs = _array(_called(module, given if numbers else given.to(parameter.dtype)))
    module.train(trains)
    ours = result.predict(X)
    if result.channels_first and theirs.ndim > 2:
        theirs = np.moveaxis(theirs, 1, -1)
    theirs = theirs.reshape(ours.shape) if theirs.size == ours.size else theirs
    if theirs.shape != ours.shape or np.abs(theirs - ours).max() > TOLERANCE * max(1.0, np.abs(theirs).max()):
        raise NervaError("the network was read, but its outputs are not those of PyTorch: this is a defect of from_torch, please report it")
