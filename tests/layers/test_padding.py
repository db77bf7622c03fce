"""Networks that are told which positions are padding: what stands there changes nothing, and torch's key_padding_mask agrees."""

from __future__ import annotations

import numpy as np
import pytest

from nerva_core.algebra.numeric_backend import Backend
from nerva_core.algebra.trees import leaves
from nerva_core.layers import Layer, parse_layers
from tests.conftest import make_backend
from tests.helpers import tree_map
from tests.layers.check import random_parameters, run

L, V, D = 4, 5, 6
BLOCK = "Block(heads=2, causal=false, dropout={})"


def network(dropout: float = 0) -> Layer:
    inside = [f"Embedding({D}, {V})", "PositionEmbedding", BLOCK.format(dropout), BLOCK.format(dropout)]
    return parse_layers([f"Sequences({L})", {"name": "Padded", "layers": inside}])


def test_what_stands_beside_padding_is_as_if_it_were_alone(rng: np.random.Generator) -> None:
    """A sequence of 3 with one padded position is a sequence of 3 of a network for 3: outputs and gradients."""
    ops, layer = make_backend("numpy", "float64"), network()
    params = random_parameters(rng, layer, L)
    DY = rng.normal(size=(L, D))
    DY[3] = 0
    Y, _, gradients = run(ops, layer, np.array([[3.0, 1, 4, 0]]), params, DY)
    E, P, *rest = leaves(params)
    inside = [f"Embedding({D}, {V})", "PositionEmbedding", BLOCK.format(0), BLOCK.format(0)]
    shorter = parse_layers(["Sequences(3)", *inside])
    flat = iter([E, P[:3], *rest])
    short_params = tree_map(lambda _: next(flat), random_parameters(rng, shorter, 3))
    Y3, _, gradients3 = run(ops, shorter, np.array([[3.0, 1, 4]]), short_params, DY[:3])
    np.testing.assert_allclose(Y[:3], Y3, atol=1e-13)
    for long, short in zip(leaves(gradients), leaves(gradients3), strict=True):
        np.testing.assert_allclose(long[: len(short)], short, atol=1e-12)


def test_torch_agrees(ops: Backend, rng: np.random.Generator) -> None:
    import torch

    text = ["Sequences(4)", {"name": "Padded", "padding": 2, "layers": [f"Embedding({D}, {V})", "MultiHeadAttention(3)"]}]
    layer = parse_layers(text)
    x = np.array([[3.0, 2, 4, 1], [0, 1, 2, 2]])
    params, there = random_parameters(rng, layer, L), (x != 2).reshape(-1, 1)
    DY = rng.normal(size=(8, D)) * there
    Y, _, gradients = run(ops, layer, x, params, DY)
    E, W, b, U, c = (torch.tensor(p, requires_grad=True) for p in leaves(params))
    X = E[torch.tensor(x).long()].transpose(0, 1)
    y, _ = torch.nn.functional.multi_head_attention_forward(
        *(X, X, X, D, 3, W, b[0], None, None, False, 0.0, U, c[0]), key_padding_mask=torch.tensor(x == 2), need_weights=False
    )
    y = y.transpose(0, 1).reshape(8, D)
    y.backward(torch.tensor(DY))
    np.testing.assert_allclose(Y * there, y.detach().numpy() * there, atol=1e-12)
    for actual, exact in zip(leaves(gradients), (E, W, b, U, c), strict=True):
        np.testing.assert_allclose(actual, exact.grad.numpy(), atol=1e-11)


@pytest.mark.parametrize("dropout", [0, 0.3])
def test_outputs_do_not_depend_on_what_padding_receives(rng: np.random.Generator, dropout: float) -> None:
    """In training, with noise, and at inference."""
    ops, layer = make_backend("numpy", "float64"), network(dropout)
    params, X = random_parameters(rng, layer, L), np.array([[1.0, 0, 2, 0]])
    noise = layer.draw(rng, 1, L)
    E, *others = leaves(params)
    E2 = E.copy()
    E2[0] += 1  # the row of the padding
    flat = iter([E2, *others])
    other = tree_map(lambda _: next(flat), params)
    state = layer.initial_state(L)
    for one, two in (
        (layer.feedforward(ops, params, X, *noise)[0], layer.feedforward(ops, other, X, *noise)[0]),
        (layer.evaluate(ops, params, state, X), layer.evaluate(ops, other, state, X)),
    ):
        np.testing.assert_array_equal(one[[0, 2]], two[[0, 2]])
        assert (one[[1, 3]] != two[[1, 3]]).any()
