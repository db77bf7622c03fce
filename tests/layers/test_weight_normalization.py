"""Weight normalisation of linear layers and convolutions against torch's; wrong gradients are refuted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.layers import Convolution, Layer, Linear, WeightNorm, parse_layers
from nerva_core.layers.weight_normalization import WeightNormParameters
from sympy_validation.layer_gradient import LayerGradient
from sympy_validation.theorem import Theorem, prove
from sympy_validation.theorems.layers import MAKES
from tests.helpers import to_numpy, to_ops
from tests.layers.check import check_layer, random_parameters


def torch_linear(X: Any, V: Any, g: Any, b: Any) -> Any:
    return X @ (g * V / V.norm(dim=1, keepdim=True)).T + b


def torch_convolution(X: Any, V: Any, g: Any, b: Any) -> Any:
    import torch

    W = g * V / V.norm(dim=0, keepdim=True)
    images = X.reshape(-1, 5, 3).movedim(-1, 1)
    return torch.nn.functional.conv1d(images, W.reshape(2, 3, 4).permute(2, 1, 0), b[0]).movedim(1, -1).reshape(-1, 4)


@pytest.mark.parametrize(("layer", "forward"), [(Linear(4), torch_linear), (Convolution(4, 2), torch_convolution)], ids=["linear", "conv"])
def test_gradients(ops: Backend, rng: np.random.Generator, layer: Layer, forward: Any) -> None:
    normalized, _ = WeightNorm(layer).bind((5,))
    X = rng.normal(size=(10, 3))
    check_layer(ops, normalized, {"torch": forward}, X, random_parameters(rng, normalized, 3))


@pytest.mark.parametrize("layer", [Linear(4), Convolution(4, 2, groups=2)])
def test_in_the_beginning_it_is_the_layer_itself(ops: Backend, layer: Layer) -> None:
    plain, _ = layer.bind((5,))
    normalized, left = WeightNorm(layer).bind((5,))
    assert left == layer.bind((5,))[1]
    own, params = (each.init(np.random.default_rng(1), 6) for each in (plain, normalized))
    X = np.random.default_rng(2).normal(size=(10, 6))
    Y, Z = (each.feedforward(ops, to_ops(ops, p), ops.matrix(X))[0] for each, p in ((plain, own), (normalized, params)))
    np.testing.assert_allclose(to_numpy(ops, Z), to_numpy(ops, Y), rtol=1e-12, atol=1e-12)


def test_in_a_network() -> None:
    network = parse_layers(["Images(4,4)", "WeightNorm(Conv(6,3))", "ReLU", "Flatten", {"name": "WeightNorm", "layer": "Linear(2)"}])
    assert network.widths(32) == [32, 2, 6, 6, 24, 2]
    assert network.heights(3) == [3, 48, 12, 12, 3, 3]


def mistaken(change: str) -> Any:
    def backpropagate(ops: Any, layer: Any, params: Any, cache: Any, DY: Any) -> Any:
        DX, D = layer.backpropagate(ops, params, cache, DY)
        DW, Db = layer.layer.backpropagate(ops, (cache.W, params.b), cache.layer, DY)[1]
        scaled = ops.column_repeat(ops.hadamard(params.g, cache.S), ops.shape(DW)[1])
        if change == "the length is a constant":
            return DX, WeightNormParameters(ops.hadamard(scaled, DW), D.g, Db)
        return DX, WeightNormParameters(ops.hadamard(scaled, DW - D.V), D.g, Db)

    return backpropagate


@pytest.mark.parametrize("change", ["the length is a constant", "the direction twice"])
def test_wrong_gradients_are_refuted(change: str) -> None:
    claim = LayerGradient(MAKES[WeightNorm], mistaken(change))
    (verdict,) = prove([Theorem("lengths", "DV", "", claim, "all sizes", expected="refuted")])
    assert verdict.status == "refuted"


def test_a_layer_without_weights_is_refused() -> None:
    with pytest.raises(NervaError, match="WeightNorm is for a layer with weights for each output, such as Linear or Convolution, got"):
        WeightNorm(WeightNorm(Linear(2)))
