"""Sums and products of branches, with the noise and state of both; wrong gradients are refuted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.equations.activations import Sigmoid, Tanh
from nerva_core.layers import (
    ActivationLayer,
    Add,
    BatchNormalization,
    Concatenate,
    Dropout,
    GlobalAveragePool,
    Layer,
    Linear,
    Multiply,
    Sequential,
    parse_layers,
)
from sympy_validation.layer_gradient import LayerGradient
from sympy_validation.theorem import Theorem, prove
from sympy_validation.theorems.layers import layer_of
from tests.helpers import to_ops
from tests.layers.check import check_layer, random_parameters

F = Sequential((Linear(3), ActivationLayer(Tanh())))
G = Sequential((Linear(3), ActivationLayer(Sigmoid())))


def torch_branches(combine: Any) -> Any:
    def forward(X: Any, W: Any, b: Any, V: Any, c: Any) -> Any:
        import torch

        linear = torch.nn.functional.linear
        return combine(linear(X, W, b[0]).tanh(), linear(X, V, c[0]).sigmoid())

    return forward


@pytest.mark.parametrize(("kind", "combine"), [(Add, lambda A, B: A + B), (Multiply, lambda A, B: A * B)])
def test_gradients(ops: Backend, rng: np.random.Generator, kind: Any, combine: Any) -> None:
    layer = kind(F, G)
    check_layer(ops, layer, {"torch": torch_branches(combine)}, rng.normal(size=(4, 2)), random_parameters(rng, layer, 2))


def beside(A: Any, B: Any) -> Any:
    import torch

    return torch.cat([A, B], dim=1)


def test_branches_of_two_widths_side_by_side(ops: Backend, rng: np.random.Generator) -> None:
    layer = Concatenate(F, Sequential((Linear(2), ActivationLayer(Sigmoid()))))
    assert layer.outputs_for(4) == 5
    check_layer(ops, layer, {"torch": torch_branches(beside)}, rng.normal(size=(4, 2)), random_parameters(rng, layer, 2))


def test_a_dense_block() -> None:
    """What a layer makes is put beside what it has seen, so that the channels grow (Huang et al. 2017)."""
    unit = {"name": "Concatenate", "f": ["Identity"], "g": ["BatchNorm", "ReLU", "Conv(12,1)", "BatchNorm", "ReLU", "Conv(3,3,padding=1)"]}
    network = parse_layers(["Images(4,4)", "Conv(6,3,padding=1)", unit, unit, "Conv(6,1)", "AvgPool(2)", "GlobalAveragePool", "Linear(2)"])
    assert network.widths(32) == [32, 2, 6, 9, 12, 6, 6, 6, 2]
    assert network.heights(5) == [5, 80, 80, 80, 80, 80, 20, 5, 5]


@pytest.mark.parametrize("kind", [Add, Multiply])
def test_noise_and_state_of_both_branches(ops: Backend, rng: np.random.Generator, kind: Any) -> None:
    """Each branch has its own; at inference the dropout is nothing, and the running statistics are used."""
    layer = kind(Sequential((Dropout(0.5),)), Sequential((BatchNormalization(),)))
    X = rng.normal(size=(4, 3))
    noise = layer.draw(rng, 4, 3)
    params, state, x, r = to_ops(ops, (layer.init(rng, 3), layer.initial_state(3), X, noise))
    Y, cache = layer.feedforward(ops, params, x, *r)
    Z = (X - X.mean(axis=0)) / np.sqrt(X.var(axis=0) + 1e-5)
    masked = X * noise[0][0][0]
    np.testing.assert_allclose(ops.to_numpy(Y), masked + Z if kind is Add else masked * Z, atol=1e-5)
    assert any(np.any(ops.to_numpy(new) != ops.to_numpy(old)) for new, old in zip(*changed(layer, ops, state, cache), strict=True))
    before = ops.to_numpy(layer.evaluate(ops, params, state, x))
    np.testing.assert_allclose(before, 2 * X if kind is Add else X * X, atol=1e-4)


def changed(layer: Layer, ops: Backend, state: Any, cache: Any) -> tuple[Any, Any]:
    from nerva_core.algebra.trees import leaves

    return tuple(leaves(layer.update_state(ops, state, cache))), tuple(leaves(state))


def test_a_residual_block_whose_shortcut_is_a_projection() -> None:
    block = {"name": "Add", "f": ["Conv(4,3,stride=2,padding=1)", "ReLU", "Conv(4,3,padding=1)"], "g": ["Conv(4,1,stride=2)"]}
    network = parse_layers(["Images(6,6)", block, "ReLU", "GlobalAveragePool", "Linear(2)"])
    assert network.heights(5) == [5, 180, 45, 45, 5, 5]
    assert network.widths(72) == [72, 2, 4, 4, 4, 2]


def wrong_backward(change: str) -> Any:
    def backpropagate(ops: Any, layer: Any, params: Any, cache: Any, DY: Any) -> Any:
        _, D = layer.backpropagate(ops, params, cache, DY)
        if change == "columns of the other":
            swapped = ops.join_columns(ops.column_range(DY, cache.K_f, cache.K_g), ops.column_range(DY, 0, cache.K_f))
            return layer.backpropagate(ops, params, cache, swapped)
        if change == "one branch":
            return layer.f.backpropagate(ops, params.f, layer.caches(cache).f, DY)[0], D
        swapped = cache._replace(A=cache.B, B=cache.A)
        return layer.backpropagate(ops, params, swapped, DY)

    return backpropagate


@pytest.mark.parametrize(
    ("kind", "change"), [(Add, "one branch"), (Multiply, "one branch"), (Multiply, "A for B"), (Concatenate, "columns of the other")]
)
def test_wrong_gradients_are_refuted(kind: Any, change: str) -> None:
    claim = LayerGradient(layer_of(kind), wrong_backward(change))
    (verdict,) = prove([Theorem("branches", "DX", "", claim, "all sizes", expected="refuted")])
    assert verdict.status == "refuted"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (lambda: Add(F, Sequential((Linear(2),))).outputs_for(5), "f makes 3 columns and g 2"),
        (lambda: Concatenate(F, Sequential((GlobalAveragePool(),))).bind((4, 4)), r"those of f are \(4, 4\), of g \(\)"),
        (lambda: Multiply(F, Sequential((GlobalAveragePool(),))).bind((4, 4)), r"those of f are \(4, 4\), of g \(\)"),
    ],
)
def test_what_does_not_fit_is_refused(code: Any, message: str) -> None:
    with pytest.raises(NervaError, match=message):
        code()
