"""Recurrent layers against torch's own modules, with torch's own parameters; the last position."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.algebra.trees import leaves
from nerva_core.layers import GRU, LSTM, RNN, Last, Sequences, Sequential, parse_layers
from nerva_core.layers.recurrent import Recurrent
from tests.layers.check import random_parameters, run

N, L, D, K = 3, 4, 2, 3


@pytest.mark.parametrize("kind", [RNN, LSTM, GRU])
def test_gradients(ops: Backend[Any], rng: np.random.Generator, kind: type[Recurrent]) -> None:
    import torch

    layer, _ = kind(K).bind((L,))
    params = random_parameters(rng, layer, D)
    X, DY = rng.normal(size=(N * L, D)), rng.normal(size=(N * L, K))
    Y, DX, gradients = run(ops, layer, X, params, DY)
    module: Any = getattr(torch.nn, kind.__name__)(D, K, batch_first=True).double()
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    module.load_state_dict(
        {name: torch.tensor(p.reshape(shape)) for name, p, shape in zip(names, leaves(params), shapes_of(kind), strict=True)}
    )
    x = torch.tensor(X.reshape(N, L, D), requires_grad=True)
    y, _ = module(x)
    y.backward(torch.tensor(DY.reshape(N, L, K)))
    np.testing.assert_allclose(Y, y.detach().numpy().reshape(N * L, K), atol=1e-12)
    np.testing.assert_allclose(DX, x.grad.numpy().reshape(N * L, D), atol=1e-11)  # type: ignore[union-attr]
    for name, gradient in zip(names, leaves(gradients), strict=True):
        expected = getattr(module, name).grad.numpy()
        np.testing.assert_allclose(gradient.reshape(expected.shape), expected, atol=1e-11, err_msg=name)


def shapes_of(kind: type[Recurrent]) -> list[tuple[int, ...]]:
    g = kind.gates
    return [(g * K, D), (g * K, K), (g * K,), (g * K,)]


def test_the_last_position(ops: Backend[Any]) -> None:
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


def test_the_length_must_be_known() -> None:
    with pytest.raises(NervaError, match="begin the network with Sequences"):
        Sequential((LSTM(3),)).layers[0].L  # type: ignore[attr-defined]  # noqa: B018
    assert Sequential((Sequences(4), RNN(3))).layers[1].L == 4  # type: ignore[attr-defined]
