"""Layers along one sequence, position by position: the outputs are those for the whole sequence, on every backend."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.numeric_backend import Backend
from nerva_core.layers import parse_layers
from nerva_core.layers.continuation import Place
from tests.helpers import as_one
from tests.layers.check import random_parameters

L, V = 5, 4
NETWORKS = {
    "learned": ["Sequences(5)", "Embedding(8, 4)", "PositionEmbedding", "Block(2)", "Block(2, norm_first=false)", "LayerNorm", "Linear(3)"],
    "rotary": ["Sequences(5)", "Embedding(8, 4)", "SinusoidalPositions", "Block(2, positions='rotary', dropout=0.5)", "GLU(3)"],
    "tied": [
        "Sequences(5)",
        {"name": "Tied", "width": 8, "vocabulary": 4, "layers": ["Block(4)", "Tanh"]},
    ],
    "grouped": ["Sequences(5)", "Embedding(8, 4)", "Linear(16)", "GroupedQueryAttention(2)", "Linear(15)", "GroupedQueryAttention(1, 3)"],
    "recurrent": ["Sequences(5)", "Embedding(3, 4)", "LSTM(4)", "GRU(2)", "RNN(2)"],
}


@pytest.mark.parametrize("name", NETWORKS)
def test_outputs(ops: Backend, rng: np.random.Generator, name: str) -> None:
    network = parse_layers(NETWORKS[name])
    params, x = ops.matrices(random_parameters(rng, network, L)), rng.integers(V, size=(1, L)).astype(float)
    state = ops.matrices(network.initial_state(L))
    expected = ops.to_numpy(as_one(ops, functools.partial(network.evaluate, ops))(params, state, ops.matrix(x)))
    past, go_on = network.past(ops, L), as_one(ops, functools.partial(network.go_on, ops))
    for l in range(L):  # noqa: E741
        place = Place(ops.matrix(np.eye(L)[:, l : l + 1]), ops.matrix(np.tri(L)[l : l + 1]))
        y, past = go_on(params, state, past, ops.matrix(x[:, l : l + 1]), place)
        np.testing.assert_allclose(ops.to_numpy(y)[0], expected[l], atol=1e-12)


@pytest.mark.parametrize(
    "layers",
    [
        ["Sequences(4)", "Embedding(2, 3)", "Block(1, causal=false)"],
        ["Sequences(4)", "LSTM(2, bidirectional=true)"],
        ["Sequences(4)", "Convolution(2, 3, padding=1)"],
        ["Sequences(4)", "Linear(2)", "Flatten"],
        ["Sequences(4)", "InstanceNorm"],
        ["Sequences(4)", "MultiHeadCrossAttention(1, 2)"],
        ["Sequences(4)", {"name": "Repeat", "layers": ["Attention(1, causal=true)"], "times": 1}],
        ["Sequences(4)", {"name": "Padded", "layers": ["Embedding(2, 3)", "Block(1)"]}],
        ["Sequences(4)", {"name": "Add", "f": ["Block(1)"], "g": ["Linear(1)"]}],
    ],
    ids=str,
)
def test_what_sees_other_positions_does_not_go_on(layers: Any) -> None:
    network = parse_layers(layers).bind(None)[0]
    assert not network.can_go_on()
