"""Our networks as ``torch.nn.Sequential`` of PyTorch's own modules: the other direction of ``from_torch``.

    theirs = to_torch_nn(network, params, state, inputs=3, positions=(32, 32))     # takes N x 3 x 32 x 32
    theirs.state_dict()                                                            # 0.weight, 0.bias, 1.weight, ...

Images have the channels first there, so weights are turned, those after a Flatten too.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.memory import Array
from nerva_core.algebra.numeric_backend import require
from nerva_core.algebra.trees import Tree
from nerva_core.interoperability.common import on_positions
from nerva_core.interoperability.from_torch import ACTIVATIONS_OF_TORCH
from nerva_core.layers import ActivationLayer, Layer, Sequential
from nerva_core.layers.positions import PositionsOfExamples


@dataclass
class _Writing:
    """Where in the network the next layer stands."""

    nn: Any
    channels: int
    positions: tuple[int, ...]
    flattened: int = 0
    """After a Flatten of images, the channels that they had: the order of the columns differs there."""
    modules: list[Any] = field(default_factory=list)

    def module(self, name: str, *arguments: Any, **keywords: Any) -> Any:
        """A module of torch.nn for as many dimensions as there are positions; for rows, that of one."""
        return getattr(self.nn, f"{name}{max(len(self.positions), 1)}d")(*arguments, **keywords)


def to_torch_nn(
    network: Layer, params: Tree, state: Tree, inputs: int, positions: tuple[int, ...] | None = None, dtype: str = "float32"
) -> Any:
    """The network as a ``torch.nn.Sequential`` with these parameters and running statistics, in evaluation mode.

    Its inputs are N x C x H x W, of C = ``inputs`` channels, where ``positions`` are two, N x C x L where they are one, and rows where
    there are none. NervaError for a layer that torch.nn does not have.
    """
    torch = require("torch", "torch")
    bound = on_positions(Sequential((network,)) if not isinstance(network, Sequential) else network, positions).layer
    layers = _flat(bound, bound)
    first, rest = layers[0], zip(layers, *(_flat(bound, tree) for tree in (params, state)), strict=True)
    w = _Writing(torch.nn, inputs, tuple(positions or ()))
    if isinstance(first, PositionsOfExamples):
        w.channels, w.positions = inputs // first.count, first.positions
    for layer, own, statistics in rest:
        _write(layer, own, statistics, w)
    return torch.nn.Sequential(*w.modules).to(getattr(torch, dtype)).eval()


def _flat(network: Layer, tree: Tree) -> list[Any]:
    """What belongs to each of the layers of networks in networks: in the tree of parameters, of the state, or of the layers themselves."""
    if not isinstance(network, Sequential):
        return [tree]
    parts = tree.layers if tree is network else tree
    return [own for layer, part in zip(network.layers, parts, strict=True) for own in _flat(layer, part)]


def _write(layer: Layer, params: Tree, state: Tree, w: _Writing) -> None:
    if isinstance(layer, PositionsOfExamples):
        return
    kind = type(layer.activation).__name__ if isinstance(layer, ActivationLayer) else type(layer).__name__
    if kind not in WRITERS:
        raise NervaError(
            f"torch.nn has no {kind} that to_torch_nn knows; it writes {', '.join(sorted(WRITERS))}. Of any layer "
            "nerva_core.interoperability.torch.module makes a module"
        )
    module, *arrays = WRITERS[kind](layer, params, state, w)
    module.double()
    tensors = [*module.parameters(), *(buffer for buffer in module.buffers() if buffer.is_floating_point())]
    for tensor, array in zip(tensors, arrays, strict=True):
        tensor.data.copy_(require("torch", "torch").tensor(np.array(array)).reshape(tensor.shape))
    w.modules.append(module)


def _linear(layer: Any, params: Tree, state: Tree, w: _Writing) -> list[Any]:
    _rows_only(layer, w)
    W: Array = np.asarray(params.W)
    if w.flattened > 1:  # K x (P · C) here, K x (C · P) there
        W = W.reshape(len(W), -1, w.flattened).swapaxes(1, 2)
    inputs, w.channels, w.flattened = w.channels, layer.outputs, 0
    return [w.nn.Linear(inputs, layer.outputs), W, params.b]


def _convolution(layer: Any, params: Tree, state: Tree, w: _Writing) -> list[Any]:
    C, K = w.channels, layer.outputs_for(w.channels)
    G = layer.groups_of(C)
    made = w.module("Conv", C, K, groups=G, **_windows(layer))
    w.channels, w.positions = K, layer.windows.out
    return [made, _kernels_first(params.W, layer, C // G, K), params.b]


def _transposed_convolution(layer: Any, params: Tree, state: Tree, w: _Writing) -> list[Any]:
    C, K = w.channels, layer.outputs
    G = layer.groups_of(C)
    made = w.module("ConvTranspose", C, K, groups=G, output_padding=layer.output_padding, **_windows(layer))
    w.channels, w.positions = K, layer.windows.size
    return [made, _kernels_first(params.W, layer, K // G, C), params.b]


def _windows(layer: Any) -> dict[str, int]:
    return {"kernel_size": layer.kernel, "stride": layer.stride, "padding": layer.padding, "dilation": layer.dilation}


def _kernels_first(W: Any, layer: Any, m: int, n: int) -> Array:
    """(kernel · m) x n here, n x m x kernel there."""
    return np.moveaxis(np.asarray(W).reshape(layer.windows.offsets, m, n), 0, -1).swapaxes(0, 1)


def _pooling(name: str) -> Callable[..., list[Any]]:
    def write(layer: Any, params: Tree, state: Tree, w: _Writing) -> list[Any]:
        made, w.positions = w.module(name, layer.kernel, layer.stride), layer.windows.out
        return [made]

    return write


def _global_pooling(layer: Any, params: Tree, state: Tree, w: _Writing) -> list[Any]:
    w.modules.append(w.module("AdaptiveAvgPool", 1))
    w.positions = ()
    return [w.nn.Flatten()]


def _upsampling(layer: Any, params: Tree, state: Tree, w: _Writing) -> list[Any]:
    w.positions = layer.windows.size
    return [w.nn.Upsample(scale_factor=layer.factor)]


def _flatten(layer: Any, params: Tree, state: Tree, w: _Writing) -> list[Any]:
    count = math.prod(w.positions)
    if count > 1:
        w.flattened = w.channels
    w.channels, w.positions = w.channels * count, ()
    return [w.nn.Flatten()]


def _batch_normalization(layer: Any, params: Tree, state: Tree, w: _Writing) -> list[Any]:
    _same_order(layer, w)
    made = w.module("BatchNorm", w.channels, eps=layer.epsilon, momentum=1 - layer.momentum)
    return [made, params.gamma, params.beta, state.mean, state.Sigma]


def _normalization(name: str) -> Callable[..., list[Any]]:
    def write(layer: Any, params: Tree, state: Tree, w: _Writing) -> list[Any]:
        _same_order(layer, w)
        if name == "GroupNorm":
            return [w.nn.GroupNorm(layer.groups, w.channels, eps=layer.epsilon), *params]
        _rows_only(layer, w)
        return [getattr(w.nn, name)(w.channels, eps=layer.epsilon), *params]

    return write


def _activation(layer: Any, params: Tree, state: Tree, w: _Writing) -> list[Any]:
    activation, name = layer.activation, type(layer.activation).__name__
    return [getattr(w.nn, name)(**{theirs: getattr(activation, ours) for ours, theirs in ACTIVATIONS_OF_TORCH[name].items()})]


def _softmax(layer: Any, params: Tree, state: Tree, w: _Writing) -> list[Any]:
    _rows_only(layer, w)
    return [getattr(w.nn, type(layer).__name__)(-1)]


def _rows_only(layer: Layer, w: _Writing) -> None:
    """NervaError where the channels are not the last axis."""
    if w.positions:
        raise NervaError(
            f"{layer!r} acts on the channels of each position, which are not the last axis in PyTorch; put a Flatten before it"
        )


def _same_order(layer: Layer, w: _Writing) -> None:
    if w.flattened > 1:
        raise NervaError(f"{layer!r}: after a Flatten of images the order of the columns differs; put a Linear layer between them")


WRITERS: dict[str, Callable[..., list[Any]]] = {
    "Linear": _linear,
    **dict.fromkeys(("Convolution", "DepthwiseConvolution"), _convolution),
    "TransposedConvolution": _transposed_convolution,
    "MaxPool": _pooling("MaxPool"),
    "AveragePool": _pooling("AvgPool"),
    "GlobalAveragePool": _global_pooling,
    "Upsample": _upsampling,
    "Flatten": _flatten,
    "BatchNormalization": _batch_normalization,
    **{name: _normalization(name) for name in ("LayerNorm", "RMSNorm", "GroupNorm")},
    "Dropout": lambda layer, params, state, w: [w.nn.Dropout(layer.p)],
    **dict.fromkeys(("Softmax", "LogSoftmax"), _softmax),
    **dict.fromkeys(ACTIVATIONS_OF_TORCH, _activation),
    "Identity": lambda layer, params, state, w: [w.nn.Identity()],
}
"""How a layer is written, by its name: the module of torch.nn, and its parameters and statistics in the order of torch.nn."""
