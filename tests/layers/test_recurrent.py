"""RNN, LSTM and GRU against torch's own modules, whose names and order of parameters and gates they have, on every backend."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.numeric_backend import Backend
from nerva_core.algebra.trees import leaves, map_shapes, with_leaves
from nerva_core.equations.activations import ReLU
from nerva_core.layers import GRU, LSTM, RNN, Last, Layer, parse_layers
from nerva_core.layers.recurrence import Recurrent
from tests.conftest import installed
from tests.helpers import to_numpy, to_ops

torch: Any = pytest.importorskip("torch") if installed("torch") else None
N, L, D, K = 3, 5, 4, 6
LAYERS = [RNN(K), RNN(K, activation=ReLU()), LSTM(K), GRU(K)]


def torch_module(layer: Recurrent) -> Any:
    """torch's module of the same name, with weights of its own."""
    torch.manual_seed(0)
    relu = {"nonlinearity": "relu"} if isinstance(getattr(layer, "activation", None), ReLU) else {}
    make = getattr(torch.nn, type(layer).__name__)
    return make(D, K, batch_first=True, bidirectional=layer.bidirectional, **relu).double()


def parameters_of(layer: Layer, module: Any) -> Any:
    """The parameters of torch's module: weight_ih, weight_hh, bias_ih, bias_hh of each direction."""
    arrays = [p.detach().numpy().reshape(p.shape if p.ndim == 2 else (1, -1)) for p in module.parameters()]
    return with_leaves(map_shapes(lambda _: None, layer.shapes(D)), arrays)


@pytest.mark.skipif(torch is None, reason="torch is not installed")
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_outputs_and_gradients_are_those_of_torch(ops: Backend, layer: Recurrent, bidirectional: bool) -> None:
    layer = replace(layer, bidirectional=bidirectional, length=L)
    module, rng = torch_module(layer), np.random.default_rng(1)
    X, DY = rng.normal(size=(N * L, D)), rng.normal(size=(N * L, (1 + bidirectional) * K))
    x = torch.tensor(X.reshape(N, L, D), requires_grad=True)
    expected, _ = module(x)
    (expected * torch.tensor(DY).reshape(N, L, -1)).sum().backward()
    params, x_ops, dy = to_ops(ops, (parameters_of(layer, module), X, DY))
    Y, cache = layer.feedforward(ops, params, x_ops)
    DX, gradients = layer.backpropagate(ops, params, cache, dy)
    assert type(gradients) is type(params)
    found = [Y, DX, *leaves(gradients)]
    exact = [expected.detach(), x.grad, *(p.grad for p in module.parameters())]
    for value, wanted in zip(to_numpy(ops, tuple(found)), exact, strict=True):
        np.testing.assert_allclose(value, wanted.numpy().reshape(value.shape), rtol=0, atol=1e-12)


def test_the_last_position(ops: Backend) -> None:
    X = np.arange(24.0).reshape(6, 4)
    layer, left = Last().bind((3,))
    assert left == ()
    Y, cache = layer.feedforward(ops, (), ops.matrix(X))
    np.testing.assert_array_equal(ops.to_numpy(Y), X[[2, 5]])
    DX, _ = layer.backpropagate(ops, (), cache, Y)
    expected = np.zeros((6, 4))
    expected[[2, 5]] = X[[2, 5]]
    np.testing.assert_array_equal(ops.to_numpy(DX), expected)


def test_a_network() -> None:
    network = parse_layers(["Sequences(8)", "LSTM(16)", "GRU(8)", "Last", "Linear(3)"])
    assert network.heights(2) == [2, 16, 16, 16, 2, 2]
    assert network.widths(64) == [64, 8, 16, 8, 8, 3]
