"""Squeeze and excitation against the frameworks; blocks of SE-ResNet in the notation; wrong gradients are refuted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.equations.initializers import He
from nerva_core.layers import GroupNorm, SqueezeExcitation, parse_layers
from sympy_validation.layer_gradient import LayerGradient
from sympy_validation.theorem import Theorem, prove
from sympy_validation.theorems.layers import layer_of
from tests.layers.check import check_layer, random_parameters


def torch_gate(X: Any, W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
    """As it is written for images in NCHW, with convolutions of one position."""
    import torch

    images = X.reshape(-1, 3, 2, X.shape[1]).permute(0, 3, 1, 2)
    squeezed = torch.nn.functional.adaptive_avg_pool2d(images, 1)
    hidden = torch.nn.functional.conv2d(squeezed, W1[:, :, None, None], b1[0]).relu()
    scale = torch.nn.functional.conv2d(hidden, W2[:, :, None, None], b2[0]).sigmoid()
    return (scale * images).permute(0, 2, 3, 1).reshape(X.shape)


def test_gradients(ops: Backend, rng: np.random.Generator) -> None:
    layer, left = SqueezeExcitation(2).bind((3, 2))
    assert left == (3, 2)
    check_layer(ops, layer, {"torch": torch_gate}, rng.normal(size=(4 * 6, 4)), random_parameters(rng, layer, 4))


def test_rows_without_positions_are_gated_one_by_one(ops: Backend, rng: np.random.Generator) -> None:
    layer = SqueezeExcitation(1)
    params = layer.init(rng, 3)
    X = rng.normal(size=(5, 3))
    Y, _ = layer.feedforward(ops, type(params)(*map(ops.matrix, params)), ops.matrix(X))
    hidden = np.maximum(X @ params.W1.T + params.b1, 0)
    np.testing.assert_allclose(ops.to_numpy(Y), X / (1 + np.exp(-hidden @ params.W2.T - params.b2)), rtol=1e-12)


def test_initial_values_are_those_of_two_linear_layers(rng: np.random.Generator) -> None:
    params = SqueezeExcitation(4, weights=He()).init(rng, 400)
    assert [W.shape for W in params] == [(100, 400), (1, 100), (400, 100), (1, 400)]
    assert abs(params.W1.std() - np.sqrt(2 / 400)) < 1e-3
    assert abs(params.W2.std() - np.sqrt(2 / 100)) < 2e-3


def test_a_block_of_se_resnet() -> None:
    block = {"name": "Residual", "layers": ["Conv(4,3,padding=1)", "BatchNorm", "ReLU", "Conv(4,3,padding=1)", "BatchNorm", "SE(2)"]}
    network = parse_layers(["Images(6,6)", "Conv(4,3,padding=1)", block, "ReLU", "GlobalAveragePool", "Linear(2)"])
    assert network.heights(5) == [5, 180, 180, 180, 180, 5, 5]
    (gate,) = (layer for layer in network.walk() if isinstance(layer, SqueezeExcitation))
    assert gate.positions == 36


def mistaken(change: str) -> Any:
    def backpropagate(ops: Any, layer: Any, params: Any, cache: Any, DY: Any) -> Any:
        if change == "the sum of the positions for their mean":
            DX, D = layer.backpropagate(ops, params, cache, DY)
            through_gate = DX - ops.hadamard(layer._at_positions(ops, cache.S), DY)
            return DX - through_gate + ops.scale(layer.positions, through_gate), D
        if change == "the gate is a constant":
            return ops.hadamard(layer._at_positions(ops, cache.S), DY), layer.backpropagate(ops, params, cache, DY)[1]
        return layer.backpropagate(ops, params, cache._replace(S=ops.full(0.5, *ops.shape(cache.S))), DY)

    return backpropagate


@pytest.mark.parametrize("change", ["the sum of the positions for their mean", "the gate is a constant", "the slope of the gate at 0"])
def test_wrong_gradients_are_refuted(change: str) -> None:
    claim = LayerGradient(layer_of(SqueezeExcitation), mistaken(change))
    (verdict,) = prove([Theorem("gate", "DX", "", claim, "all sizes", expected="refuted")])
    assert verdict.status == "refuted"


@pytest.mark.parametrize("layer", [SqueezeExcitation(3), GroupNorm(3)])
def test_channels_that_do_not_divide_are_refused(layer: Any) -> None:
    with pytest.raises(NervaError, match=r"the number of channels must be a multiple of 3, the (reduction|groups), got 4"):
        replace(layer, positions=2).outputs_for(4), layer.shapes(4)
