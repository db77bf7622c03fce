"""Rows for numbers and for positions, against torch's embedding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.layers import Embedding, PositionEmbedding, parse_layers
from tests.layers.check import check_layer, random_parameters, run


def test_gradients(ops: Backend, rng: np.random.Generator) -> None:
    import torch

    layer = Embedding(3, vocabulary=5)
    (E,) = params = random_parameters(rng, layer, 1)
    x, DY = rng.integers(5, size=(7, 1)).astype(float), rng.normal(size=(7, 3))
    Y, Dx, gradients = run(ops, layer, x, params, DY)
    e = torch.tensor(E, requires_grad=True)
    y = torch.nn.functional.embedding(torch.tensor(x[:, 0]).long(), e)
    y.backward(torch.tensor(DY))
    np.testing.assert_array_equal(Y, y.detach().numpy())
    np.testing.assert_allclose(gradients.E, e.grad.numpy(), atol=1e-12)
    assert not Dx.any()


def test_positions(ops: Backend, rng: np.random.Generator) -> None:
    layer, _ = PositionEmbedding().bind((4,))

    def forward(X: Any, P: Any) -> Any:
        return (X.reshape(-1, 4, 3) + P).reshape(-1, 3)

    check_layer(ops, layer, {"torch": forward}, rng.normal(size=(8, 3)), random_parameters(rng, layer, 3))


def test_a_network_of_numbers() -> None:
    network = parse_layers(["Sequences(6)", "Embedding(8, vocabulary=5)", "PositionEmbedding", "Block(heads=2)", "LayerNorm", "Linear(5)"])
    assert network.heights(2) == [2, 12, 12, 12, 12, 12, 12]
    assert network.widths(6) == [6, 1, 8, 8, 8, 8, 5]


def test_an_embedding_takes_one_number_in_a_row() -> None:
    with pytest.raises(NervaError, match=r"one number in a row, got 3 columns; begin the network with Sequences\(3\)"):
        parse_layers(["Embedding(4, 10)"]).outputs_for(3)
