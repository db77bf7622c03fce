from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend, backend
from nerva_core.algebra.trees import leaves
from nerva_core.equations.activations import Tanh
from nerva_core.equations.hard_functions import Sort
from nerva_core.equations.initializers import He, NearIdentity
from nerva_core.layers import DAB, ActivationLayer, Linear, Repeat, Residual, Sequential, SparseLinear, multilayer_perceptron
from nerva_core.layers.base import Layer
from nerva_core.layers.sparse import Pattern
from tests.layers.check import check_layer, random_parameters
from tests.layers.test_linear import FORWARDS as LINEAR
from tests.patterns import random_pattern


def scattered_forwards(pattern: Pattern, K: int, D: int) -> dict[str, Any]:
    """The linear layer of each framework, with the weights put at their places by a constant matrix."""
    at = np.zeros((len(pattern.r), K * D))
    at[np.arange(len(at)), pattern.places(D)] = 1

    def torch_forward(X: Any, w: Any, b: Any) -> Any:
        import torch

        return LINEAR["torch"](X, (w @ torch.from_numpy(at)).reshape(K, D), b)

    def tensorflow_forward(X: Any, w: Any, b: Any) -> Any:
        import tensorflow as tf

        return LINEAR["tensorflow"](X, tf.reshape(w @ at, (K, D)), b)

    return {"torch": torch_forward, "jax": lambda X, w, b: LINEAR["jax"](X, (w @ at).reshape(K, D), b), "tensorflow": tensorflow_forward}


@pytest.mark.parametrize(("N", "D", "K", "density"), [(5, 6, 4, 0.2), (1, 1, 1, 1.0), (3, 4, 5, 1.0)])
def test_gradients(ops: Backend, rng: np.random.Generator, N: int, D: int, K: int, density: float) -> None:
    layer = SparseLinear(K, density)
    pattern = layer.first_state(rng, D)
    params = random_parameters(rng, layer, D)
    check_layer(ops, layer, scattered_forwards(pattern, K, D), rng.normal(size=(N, D)), params, tuple(pattern))


def test_initial_values_are_scaled_by_the_weights_that_are_there(rng: np.random.Generator) -> None:
    layer = SparseLinear(300, 0.1, He())
    w, _ = layer.init(rng, 200)
    assert w.shape == (1, 6000)
    assert abs(w.std() - np.sqrt(2 / 20)) < 0.01
    with pytest.raises(NervaError, match="choose another initializer"):
        SparseLinear(3, 0.5, NearIdentity()).init(rng, 3)


@pytest.mark.parametrize("density", [0.0, -0.5, 1.5])
def test_a_density_is_a_part(density: float) -> None:
    with pytest.raises(NervaError, match="density"):
        SparseLinear(3, density)


def network() -> Sequential:
    inside = Sequential((SparseLinear(6, 0.3), ActivationLayer(Tanh()), SparseLinear(6, 0.5)))
    return Sequential((SparseLinear(6, 0.4), Residual(inside), Repeat(Sequential((SparseLinear(6, 0.2),)), 2), Linear(2)))


def test_a_network_is_what_its_dense_form_is(rng: np.random.Generator) -> None:
    """Layers with a pattern inside others, too: the output, and the gradient at the places of each pattern."""
    ops, layers = backend("numpy", "float64"), network()
    params, state = layers.init(rng, 5), layers.first_state(rng, 5)
    dense, dense_params, _ = layers.dense(5, params, state)
    assert layers.has_pattern()
    assert not dense.has_pattern()
    X, DY = rng.normal(size=(4, 5)), rng.normal(size=(4, 2))
    Y, cache = layers.feedforward(ops, params, X, *layers.given(state))
    expected, dense_cache = dense.feedforward(ops, dense_params, X)
    np.testing.assert_allclose(Y, expected, atol=1e-12)
    np.testing.assert_allclose(layers.evaluate(ops, params, state, X), expected, atol=1e-12)
    DX, gradients = layers.backpropagate(ops, params, cache, DY)
    dense_DX, dense_gradients = dense.backpropagate(ops, dense_params, dense_cache, DY)
    np.testing.assert_allclose(DX, dense_DX, atol=1e-12)
    compared = []

    def compare(layer: SparseLinear, D: int, pattern: Pattern, sparse: Any, full: Any) -> Any:
        np.testing.assert_allclose(sparse.w[0], full.W.reshape(-1)[pattern.places(D)], atol=1e-12)
        compared.append(layer)
        return pattern, sparse, full

    layers.map_patterns(5, compare, state, gradients, dense_gradients)
    assert len(compared) == sum(isinstance(layer, SparseLinear) for layer in layers.walk()) == 4


def test_layers_of_one_shape_have_patterns_of_their_own(rng: np.random.Generator) -> None:
    first, second = Sequential((SparseLinear(9, 0.5), SparseLinear(9, 0.5))).first_state(rng, 9)
    assert not np.array_equal(first.c, second.c)


def test_a_layer_without_a_pattern_is_given_its_noise_alone() -> None:
    plain = Linear(2)
    assert plain.given((), (1, 2)) == (1, 2)
    assert Sequential((plain,)).given(((),)) == ()
    assert plain.dense(3, "params", "state") == (plain, "params", "state")
    assert type(plain).given is Layer.given


def test_dense_weights_become_a_pattern_and_back(rng: np.random.Generator) -> None:
    layer, W, b = SparseLinear(3, 0.5), np.zeros((3, 4)), rng.normal(size=(1, 3))
    W[[0, 2, 2], [1, 0, 3]] = 5, 6, 7
    params, pattern = layer.from_dense(W, b)
    assert params.w.shape == (1, 6)  # three of them are 0
    np.testing.assert_array_equal(layer.dense(4, params, pattern)[1].W, W)
    with pytest.raises(NervaError, match=r"3 of the 12 weights are not 0.*density must be at least 0\.25"):
        SparseLinear(3, 0.1).from_dense(W, b)


@pytest.mark.parametrize(("r", "c"), [([0, 0], [1, 1]), ([1, 0], [0, 0]), ([0, 2], [0, 0]), ([0, 0.5], [0, 1]), ([0, np.nan], [0, 1])])
def test_a_pattern_of_a_file_is_checked(r: list[float], c: list[float]) -> None:
    with pytest.raises(NervaError, match="pattern"):
        Pattern(np.array(r).reshape(-1, 1), np.array(c).reshape(-1, 1)).check(2, 2)
    random_pattern(np.random.default_rng(0), 2, 2, 3).check(2, 2)


def test_a_bridge_has_all_its_weights() -> None:
    with pytest.raises(NervaError, match="sparse one; use Linear"):
        DAB(Sort(), Sequential((SparseLinear(4, 0.5),)))


def test_notation_with_densities() -> None:
    found = multilayer_perceptron(
        "ReLU;Linear;SparseLinear;SparseLinear(density=0.5);Linear", [8, 7, 6, 5, 4, 3], densities=[0.1, 0.2, 0.3, 0.4, 1]
    )
    densities = [layer.density for layer in found.layers if isinstance(layer, SparseLinear)]
    assert densities == [0.1, 0.2, 0.3, 0.5]
    assert isinstance(found.layers[-1], Linear)
    assert len(list(leaves(found.init(np.random.default_rng(0), 8)))) == 10
    with pytest.raises(NervaError, match="there must be 1 densities"):
        multilayer_perceptron("Linear", [3, 2], densities=[0.1, 0.2])
    with pytest.raises(NervaError, match="LinearDropout has all its weights"):
        multilayer_perceptron("LinearDropout(0.5)", [3, 2], densities=[0.1])
