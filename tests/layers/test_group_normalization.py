"""Group and instance normalisation against torch's own; wrong gradients are refuted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.layers import GroupNorm, Images, InstanceNorm, Layer, Sequential, parse_layers
from sympy_validation.layer_gradient import LayerGradient
from sympy_validation.theorem import Theorem, prove
from sympy_validation.theorems.layers import layer_of
from tests.layers.check import check_layer, random_parameters

N, C = 3, 6


def torch_norm(name: str, positions: tuple[int, ...], groups: int) -> Any:
    def forward(X: Any, gamma: Any, beta: Any) -> Any:
        import torch

        F = torch.nn.functional
        images = X.reshape(N, *positions, C).movedim(-1, 1)
        Y = F.instance_norm(images) if name == "instance" else F.group_norm(images, groups)
        return Y.movedim(1, -1).reshape(-1, C) * gamma + beta

    return forward


@pytest.mark.parametrize("positions", [(5,), (2, 3)])
@pytest.mark.parametrize(
    ("layer", "name", "groups"),
    [(GroupNorm(1), "group", 1), (GroupNorm(3), "group", 3), (GroupNorm(6), "group", 6), (InstanceNorm(), "instance", 6)],
)
def test_gradients(ops: Backend, rng: np.random.Generator, layer: Layer, name: str, groups: int, positions: Any) -> None:
    bound, left = layer.bind(positions)
    assert left == positions
    X = 2 * rng.normal(size=(N * int(np.prod(positions)), C)) + 1
    check_layer(ops, bound, {"torch": torch_norm(name, positions, groups)}, X, random_parameters(rng, layer, C))


def test_examples_that_are_rows_have_one_position(ops: Backend, rng: np.random.Generator) -> None:
    layer, _ = GroupNorm(2).bind(())
    check_layer(ops, layer, {"torch": torch_norm("group", (), 2)}, rng.normal(size=(N, C)), random_parameters(rng, layer, C))


def wrong_backward(change: str) -> Any:
    """The backward pass with one of the faults that are made in it."""

    def backpropagate(ops: Any, layer: Any, params: Any, cache: Any, DY: Any) -> Any:
        Z, inv = cache
        (P, A), (NP, _) = ops.shape(Z), ops.shape(DY)
        DZ = ops.split(DY if change == "no gamma" else ops.hadamard(ops.row_repeat(params.gamma, NP), DY), P, A)

        def mean(F: Any) -> Any:
            return ops.fill(ops.rows_mean(ops.columns_mean(F)), P, A)

        along = ops.hadamard(Z, mean(ops.hadamard(Z, DZ)))
        DF = DZ - mean(DZ) - along
        if change == "mean twice":
            DF = DF - mean(DZ)
        if change == "variance held fixed":
            DF = DF + along
        DX = ops.join(ops.hadamard(ops.fill(inv, P, A), DF), NP // P)
        return DX, type(params)(ops.columns_sum(ops.hadamard(ops.join(Z, NP // P), DY)), ops.columns_sum(DY))

    return backpropagate


@pytest.mark.parametrize("change", ["no gamma", "mean twice", "variance held fixed"])
def test_wrong_gradients_are_refuted(change: str) -> None:
    claim = LayerGradient(layer_of(InstanceNorm), wrong_backward(change))
    (verdict,) = prove([Theorem("instance norm", "DX", "", claim, "all sizes", expected="refuted")])
    assert verdict.status == "refuted"


def test_in_a_network_the_positions_are_known() -> None:
    network = parse_layers(["Images(4, 4)", "GroupNorm(2)", "InstanceNorm2d"])
    assert isinstance(network, Sequential)
    assert [getattr(layer, "positions", None) for layer in network.layers[1:]] == [16, 16]
    assert isinstance(network.layers[0], Images)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(NervaError, match="the number of channels must be a multiple of 3, the groups, got 8"):
        GroupNorm(3).outputs_for(8)
    with pytest.raises(NervaError, match="groups must be >= 1"):
        GroupNorm(0)
