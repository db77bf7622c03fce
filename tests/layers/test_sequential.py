from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend, backend
from nerva_core.algebra.trees import leaves
from nerva_core.equations.activations import Sigmoid, Tanh
from nerva_core.layers import ActivationLayer, BatchNormalization, Dropout, Layer, Linear, LogSoftmax, Sequential, Softmax
from tests.helpers import to_ops
from tests.layers.check import check_layer, random_parameters

NETWORK = Sequential(
    (Linear(6), ActivationLayer(Tanh()), BatchNormalization(0.01), Linear(5), ActivationLayer(Sigmoid()), Linear(3), LogSoftmax())
)


def chain(tanh: Any, sigmoid: Any, log_softmax: Any, standardize: Any, transpose: Any) -> Any:
    def forward(X: Any, W1: Any, b1: Any, gamma: Any, beta: Any, W2: Any, b2: Any, W3: Any, b3: Any) -> Any:
        H = gamma * standardize(tanh(X @ transpose(W1) + b1)) + beta
        return log_softmax(sigmoid(H @ transpose(W2) + b2) @ transpose(W3) + b3)

    return forward


def torch_forward(*args: Any) -> Any:
    import torch

    F = torch.nn.functional
    return chain(
        torch.tanh, torch.sigmoid, lambda Z: F.log_softmax(Z, 1), lambda X: F.batch_norm(X, None, None, training=True, eps=0.01), torch.t
    )(*args)


def jax_forward(*args: Any) -> Any:
    import jax

    standardize = lambda X: jax.nn.standardize(X, axis=0, epsilon=0.01)  # noqa: E731
    return chain(jax.numpy.tanh, jax.nn.sigmoid, jax.nn.log_softmax, standardize, jax.numpy.transpose)(*args)


def tensorflow_forward(*args: Any) -> Any:
    import tensorflow as tf

    standardize = lambda X: tf.nn.batch_normalization(X, *tf.nn.moments(X, [0]), None, None, 0.01)  # noqa: E731
    return chain(tf.tanh, tf.sigmoid, tf.nn.log_softmax, standardize, tf.transpose)(*args)


def test_gradients_of_a_chain(ops: Backend, rng: np.random.Generator) -> None:
    forwards = {"torch": torch_forward, "jax": jax_forward, "tensorflow": tensorflow_forward}
    check_layer(ops, NETWORK, forwards, rng.normal(size=(7, 4)), random_parameters(rng, NETWORK, 4))


def test_a_chain_of_chains_is_the_chain(ops: Backend, rng: np.random.Generator) -> None:
    nested = Sequential((Sequential(NETWORK.layers[:3]), Sequential(NETWORK.layers[3:])))
    params = random_parameters(rng, NETWORK, 4)
    X, DY = ops.matrix(rng.normal(size=(5, 4))), ops.matrix(rng.normal(size=(5, 3)))
    results = []
    for layer, p in ((NETWORK, params), (nested, (params[:3], params[3:]))):
        p = to_ops(ops, p)
        Y, cache = layer.feedforward(ops, p, X)
        results.append([ops.to_numpy(leaf) for leaf in leaves((Y, layer.backpropagate(ops, p, cache, DY)))])
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)


def test_widths_and_shapes() -> None:
    assert NETWORK.widths(4) == [4, 6, 6, 6, 5, 5, 3, 3]
    assert NETWORK.outputs_for(4) == 3
    assert NETWORK.shapes(4)[0] == ((6, 4), (1, 6))


def test_every_layer_gets_its_own_noise(ops: Backend, rng: np.random.Generator) -> None:
    network = Sequential((Dropout(0.5), Linear(3), Dropout(0.2)))
    assert network.noise_shapes(4, 2) == (((4, 2),), (), ((4, 3),))
    X, params, noise = rng.normal(size=(4, 2)), random_parameters(rng, network, 2), network.draw(rng, 4, 2)
    Y, _ = network.feedforward(ops, to_ops(ops, params), ops.matrix(X), *to_ops(ops, noise))
    W, b = params[1]
    np.testing.assert_allclose(ops.to_numpy(Y), ((X * noise[0][0]) @ W.T + b) * noise[2][0], rtol=0, atol=1e-13)


def test_state_is_kept_per_layer(ops: Backend, rng: np.random.Generator) -> None:
    network = Sequential((BatchNormalization(), Softmax(), BatchNormalization()))
    state = to_ops(ops, network.initial_state(3))
    params = to_ops(ops, network.init(rng, 3))
    X = ops.matrix(rng.normal(size=(4, 3)))
    _, cache = network.feedforward(ops, params, X)
    new = network.update_state(ops, state, cache)
    assert new[1] == ()
    for i in (0, 2):
        assert not np.allclose(ops.to_numpy(new[i].Sigma), ops.to_numpy(state[i].Sigma))
    assert ops.to_numpy(network.evaluate(ops, params, new, X)).shape == (4, 3)


def test_only_layers_compose() -> None:
    bad: Any = ("ReLU",)
    with pytest.raises(NervaError, match="made of layers, got 'ReLU'"):
        Sequential(bad)


def test_a_list_of_layers_becomes_a_tuple() -> None:
    layers: Any = [Linear(2), Softmax()]
    network: Layer = Sequential(layers)
    assert hash(network) == hash(Sequential((Linear(2), Softmax())))


def test_the_walk_goes_into_nested_layers() -> None:
    inner = Sequential((Linear(3), BatchNormalization()))
    names = [type(layer).__name__ for layer in Sequential((inner, Linear(2))).walk()]
    assert names.count("BatchNormalization") == 1


@pytest.mark.parametrize("spoil", [np.ravel, lambda X: np.stack([X] * 3)])
@pytest.mark.parametrize("layer", [ActivationLayer(Tanh()), Softmax()], ids=repr)
def test_what_is_not_a_matrix_is_refused(layer: Layer, spoil: Callable[[Any], Any]) -> None:
    """Layers without parameters took inputs of any shape, and gave as many dimensions."""
    network, ops, X = Sequential((layer,)), backend("numpy"), np.ones((2, 3))
    for name, call in {
        "X": lambda: network.feedforward(ops, ((),), spoil(X)),
        "X ": lambda: network.evaluate(ops, ((),), ((),), spoil(X)),
        "DY": lambda: network.backpropagate(ops, ((),), network.feedforward(ops, ((),), X)[1], spoil(X)),
    }.items():
        with pytest.raises(NervaError, match=f"Sequential: {name.strip()}: every value is a matrix"):
            call()
