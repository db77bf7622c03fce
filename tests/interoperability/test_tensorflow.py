from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.trees import leaves, map_tree, with_leaves
from nerva_core.interoperability import tensorflow as interop
from nerva_core.layers import ChannelDropout, Dropout, Layer, Linear
from tests.conftest import load_frameworks, make_backend
from tests.helpers import assert_trees_equal
from tests.interoperability.cases import DIFFERENTIABLE, EVERY_LAYER, NETWORK, D, by_the_equations, inputs_of

pytest.importorskip("tensorflow")
load_frameworks()
import tensorflow as tf  # noqa: E402


@pytest.mark.sampled(2)
@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
@pytest.mark.parametrize("layer", EVERY_LAYER, ids=repr)
def test_the_gradients_are_those_of_the_equations(layer: Layer, compiled: bool) -> None:
    """Compiled for an unknown number of rows. The parameters are variables."""
    X, params, noise, DY = inputs_of(layer)
    params, state, noise = map_tree(tf.Variable, params), map_tree(tf.constant, layer.initial_state(D)), map_tree(tf.constant, noise)

    def gradients(X: Any, DY: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(X)
            Y, new = interop.function(layer)(params, X, *noise, state=state)
        return Y, tape.gradient(Y, [X, *leaves(params)], output_gradients=DY), tuple(leaves(new))

    if compiled:
        gradients = tf.function(gradients, input_signature=[tf.TensorSpec([None, width], tf.float64) for width in (D, DY.shape[1])])
    Y, grads, new = gradients(tf.constant(X), tf.constant(DY))
    expected_Y, expected, expected_state = by_the_equations(make_backend("tensorflow", "float64"), layer)
    np.testing.assert_allclose(Y, expected_Y, rtol=0, atol=1e-12)
    for gradient, exact in zip(grads, expected, strict=True):
        np.testing.assert_allclose(gradient, exact, rtol=0, atol=1e-12)
    assert_trees_equal(map_tree(lambda s: s.numpy(), with_leaves(expected_state, new)), expected_state, atol=1e-12)


@pytest.mark.sampled(6)
@pytest.mark.parametrize("layer", DIFFERENTIABLE, ids=repr)
def test_the_gradients_are_those_of_differences(layer: Layer) -> None:
    """TensorFlow's own check, by differences of the forward pass in float64."""
    X, params, noise, _ = map_tree(tf.constant, inputs_of(layer))
    f = interop.function(layer)
    theory, differences = tf.test.compute_gradient(lambda X, *m: f(with_leaves(params, m), X, *noise), [X, *leaves(params)], delta=1e-6)
    for ours, exact in zip(theory, differences, strict=True):
        np.testing.assert_allclose(ours, exact, rtol=1e-6, atol=1e-6)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("layer", DIFFERENTIABLE, ids=repr)
def test_a_second_derivative_equals_differences(layer: Layer) -> None:
    """The Hessian of ⟨DY, Y⟩ times a vector, where DY is constant, against differences of the gradient."""
    X, params, noise, DY = map_tree(tf.constant, inputs_of(layer))
    V, h = tf.constant(np.random.default_rng(4).normal(size=X.shape)), 1e-6

    def gradient(X: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(X)
            Y = interop.function(layer)(params, X, *noise)
        return tape.gradient(Y, X, output_gradients=DY)

    with tf.GradientTape() as tape:
        tape.watch(X)
        slope = gradient(X)
    product = tape.gradient(slope, X, output_gradients=V, unconnected_gradients="zero")
    np.testing.assert_allclose(product, (gradient(X + h * V) - gradient(X - h * V)) / (2 * h), rtol=0, atol=1e-6)


def test_arrays_of_numpy_are_taken_and_mistakes_refused() -> None:
    (params, _), X = interop.init(Linear(2), D), np.ones((4, D), "float32")
    f = interop.function(Linear(2))
    np.testing.assert_array_equal(f(params, X), f(params, tf.constant(X)))
    assert interop.evaluate(Linear(2), params, (), X).shape == (4, 2)
    assert interop.draw(Dropout(), [1, 2], X)[0].shape == (4, D)
    with pytest.raises(NervaError, match=r"got W of shape \(2, 3\)"):
        f(params, X[:, :2])
    with pytest.raises(NervaError, match="X is float64, but the parameter W of Linear is float32; convert one"):
        f(params, X.astype("float64"))
    with pytest.raises(NervaError, match="at least two rows in training"):
        interop.function("BatchNormalization")(interop.init("BatchNormalization", D)[0], X[:1])


def test_without_eager_execution_it_is_refused() -> None:
    program = """
import tensorflow as tf
from nerva_core.interoperability import tensorflow as interop
tf.compat.v1.disable_eager_execution()
interop.function("Tanh")((), [[1.0, 2.0]])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "NervaError: layers are for TensorFlow 2, but eager execution is disabled" in done.stderr


def test_noise_is_drawn_from_the_seed_in_a_compiled_function() -> None:
    @tf.function(input_signature=[tf.TensorSpec([None, 2, D], tf.float32), tf.TensorSpec([2], tf.int32)])
    def masks(X: Any, seed: Any) -> Any:
        (R,) = interop.draw(Dropout(), seed, X)
        assert R.shape.as_list() == [None, D]
        return R

    X, seeds = tf.ones([4, 2, D]), tf.constant([[1, 2], [3, 4]])
    first = masks(X, seeds[0]).numpy()
    assert first.shape == (8, D)
    assert set(np.unique(first)) == {0, 2}
    np.testing.assert_array_equal(masks(X, seeds[0]), first)
    assert not np.array_equal(masks(X, seeds[1]), first)
    assert interop.draw(Dropout(), seeds[0], X, evaluation=True) == ()


def test_noise_of_layers_on_positions() -> None:
    @tf.function(input_signature=[tf.TensorSpec([None, 4, 2], tf.float32)])
    def dropped(X: Any) -> Any:
        return interop.function(ChannelDropout(), (4,))((), X, *interop.draw(ChannelDropout(), [1, 2], X, positions=(4,)))

    Y = dropped(tf.ones([3, 4, 2])).numpy()
    assert set(np.unique(Y)) == {0, 2}
    np.testing.assert_array_equal(Y, np.repeat(Y[:, :1], 4, axis=1))  # a channel is dropped at all positions
    with pytest.raises(NervaError, match=r"X must have the axes \(\.\.\., 4, channels\), got the shape \(3, 5, 2\)"):
        interop.draw(ChannelDropout(), [1, 2], tf.ones([3, 5, 2]), positions=(4,))


def test_a_step_of_training_with_leading_axes() -> None:
    params, state = interop.init(NETWORK, D, seed=1)
    assert all(p.trainable for p in leaves(params))
    assert not any(s.trainable for s in leaves(state))
    X = tf.random.stateless_normal([4, 2, D], seed=[1, 2])
    with tf.GradientTape() as tape:
        Y, new = interop.function(NETWORK)(params, X, *interop.draw(NETWORK, [1, 2], X), state=state)
        loss = tf.reduce_sum(tf.sin(Y))
    assert Y.shape == (4, 2, 3)
    assert all(np.isfinite(g).all() for g in tape.gradient(loss, list(leaves(params))))
    assert interop.evaluate(NETWORK, params, new, X).shape == (4, 2, 3)
    assert interop.function(Linear(2))(interop.init(Linear(2), D)[0], X).shape == (4, 2, 2)
