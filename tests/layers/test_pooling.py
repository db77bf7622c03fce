"""Pooling against torch's own; ties; the positions that are left."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.numeric_backend import Backend
from nerva_core.layers import AveragePool, GlobalAveragePool, Images, Linear, MaxPool, Sequential
from tests.layers.check import check_layer

SHAPES = [((8,), 2, None), ((6, 4), 2, None), ((5, 5), 3, 2), ((4, 4), 2, 1)]


def torch_pooling(kind: str, positions: tuple[int, ...], kernel: int, stride: int | None) -> Any:
    def forward(X: Any) -> Any:
        import torch

        images = X.reshape(-1, *positions, X.shape[1]).movedim(-1, 1)
        pool = getattr(torch.nn.functional, f"{kind}_pool{len(positions)}d")
        return pool(images, kernel, stride).movedim(1, -1).reshape(-1, X.shape[1])

    return forward


@pytest.mark.parametrize(("positions", "kernel", "stride"), SHAPES)
@pytest.mark.parametrize(("kind", "layer"), [("max", MaxPool), ("avg", AveragePool)])
def test_gradients(ops: Backend[Any], rng: np.random.Generator, kind: str, layer: Any, positions: Any, kernel: int, stride: Any) -> None:
    bound, _ = layer(kernel, stride).bind(positions)
    X = rng.normal(size=(2 * int(np.prod(positions)), 3))
    check_layer(ops, bound, {"torch": torch_pooling(kind, positions, kernel, stride)}, X, ())


def test_the_mean_of_all_positions(ops: Backend[Any], rng: np.random.Generator) -> None:
    bound, left = GlobalAveragePool().bind((3, 2))
    assert left == ()
    X = rng.normal(size=(4 * 6, 3))
    check_layer(ops, bound, {"torch": lambda X: X.reshape(-1, 6, 3).mean(dim=1)}, X, ())
    network = Sequential((Images(3, 2), GlobalAveragePool(), Linear(5)))
    assert (network.heights(4), network.outputs_for(18)) == ([4, 24, 4, 4], 5)


def test_of_equal_elements_the_first_has_the_gradient(ops: Backend[Any]) -> None:
    layer, _ = MaxPool(2).bind((4,))
    X = ops.matrix([[1.0], [1.0], [0.0], [2.0]])
    Y, cache = layer.feedforward(ops, (), X)
    np.testing.assert_array_equal(ops.to_numpy(Y), [[1], [2]])
    DX, _ = layer.backpropagate(ops, (), cache, ops.matrix([[3.0], [5.0]]))
    np.testing.assert_array_equal(ops.to_numpy(DX), [[3], [0], [0], [5]])
