"""The parameters of recurrent layers under the names of PyTorch's ``nn.RNN``, ``nn.LSTM`` and ``nn.GRU``, written and read.

    torch.nn.LSTM(4, 6, batch_first=True).load_state_dict(to_state_dict(LSTM(6), params))
    params = from_state_dict(LSTM(6), module.state_dict())

The k-th of the layers that one module of PyTorch stacks has the number k.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import require
from nerva_core.algebra.trees import Tree
from nerva_core.layers.recurrence import BothDirections, Recurrent, RecurrentParameters

NAMES: RecurrentParameters = RecurrentParameters(W="weight_ih", U="weight_hh", b="bias_ih", c="bias_hh")


def names(layer: Recurrent, k: int = 0) -> Any:
    """PyTorch's names of the parameters, in their structure."""

    def of_direction(end: str) -> RecurrentParameters:
        return RecurrentParameters(*(f"{name}_l{k}{end}" for name in NAMES))

    return BothDirections(of_direction(""), of_direction("_reverse")) if layer.bidirectional else of_direction("")


def to_state_dict(layer: Recurrent, params: Tree, k: int = 0) -> dict[str, Any]:
    """The parameters, NumPy matrices, as tensors of float64 by PyTorch's names; biases are vectors there."""
    torch = require("torch", "torch")
    directions = zip(names(layer, k), params, strict=True) if layer.bidirectional else [(names(layer, k), params)]
    arrays = {name: np.array(matrix) for named, of_direction in directions for name, matrix in zip(named, of_direction, strict=True)}
    return {name: torch.tensor(array.reshape(-1) if name.startswith("bias") else array) for name, array in arrays.items()}


def from_state_dict(layer: Recurrent, state: Mapping[str, Any], k: int = 0) -> Any:
    """The parameters, NumPy matrices, from tensors or arrays by PyTorch's names. NervaError for one that is missing or does not fit.

    A module without biases has biases 0.
    """

    def read(named: RecurrentParameters, shapes: RecurrentParameters) -> RecurrentParameters:
        return RecurrentParameters(*(_read(state, name, shape) for name, shape in zip(named, shapes, strict=True)))

    named = names(layer, k)
    first = named.forward.W if layer.bidirectional else named.W
    if first not in state:
        raise NervaError(f"expected the parameter {first!r} of torch.nn.{type(layer).__name__}, got {', '.join(state) or 'none'}")
    if not layer.bidirectional and f"{first}_reverse" in state:
        raise NervaError(f"the weights are those of two directions: {type(layer).__name__}({layer.outputs}, bidirectional=True)")
    shapes = layer.shapes(np.shape(state[first])[1])
    return BothDirections(*map(read, named, shapes)) if layer.bidirectional else read(named, shapes)


def _read(state: Mapping[str, Any], name: str, shape: tuple[int, int]) -> np.ndarray[Any, Any]:
    if name not in state and name.startswith("bias"):
        return np.zeros(shape)
    if name not in state:
        raise NervaError(f"expected the parameter {name!r}, got {', '.join(state)}")
    tensor = state[name]
    array = np.asarray(tensor.detach().cpu() if hasattr(tensor, "detach") else tensor)
    expected = shape[1:] if name.startswith("bias") else shape
    if array.shape != expected:
        raise NervaError(f"{name!r} should have the shape {tuple(expected)}, has {array.shape}: is the number of outputs another?")
    return array.reshape(shape)
