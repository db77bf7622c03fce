"""Checks that run once in every backend of Keras."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import backend
from nerva_core.equations.optimizers import GAF, Adam, Optimizer
from nerva_core.interoperability import keras as interop
from nerva_core.layers import LAYERS, BatchNormalization
from tests.helpers import examples
from tests.interoperability.cases import RULES, D

X = np.random.default_rng(0).normal(size=(8, D)).astype("float32")


def check_training_and_saving(directory: str, first: int) -> None:
    """Every second kind of layer in one model, trained, saved, read and trained further; every rule against the equations."""
    kinds = [BatchNormalization(), *list({type(layer): layer for layer in examples(LAYERS)}.values())[first::2]]
    layers = [part for layer in kinds for part in (keras.layers.Dense(D), interop.layer(layer))]
    model = keras.Sequential([keras.layers.Input((D,)), *layers, keras.layers.Dense(2)])
    model.compile(interop.optimizer("GAF(Adam)", 0.0625), "mse")
    losses = model.fit(X, X[:, :2], epochs=3, batch_size=4, verbose=0).history["loss"]
    assert np.isfinite(losses).all()
    mean = next(weight for weight in model.weights if weight.path.endswith("mean"))
    assert np.abs(np.asarray(mean)).max() > 0
    model.save(f"{directory}/model.keras")
    again = interop.load_model(f"{directory}/model.keras")
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    assert again.optimizer.rule == GAF(Adam())
    again.fit(X, X[:, :2], epochs=1, verbose=0)
    for rule in RULES:
        check_rule(rule)


def check_rule(rule: Optimizer) -> None:
    """Three steps of the optimizer of Keras, η = 1/16, which is exact in its float32, against the rule itself, to the last bit."""
    ops, rng = backend(keras.backend.backend(), "float32"), np.random.default_rng(1)
    variables, optimizer = [keras.Variable(np.ones(shape), dtype="float32") for shape in ((2, 3), (3,))], interop.optimizer(rule, 0.0625)
    thetas = [ops.matrix(np.ones(shape)) for shape in ((2, 3), (1, 3))]
    states = [rule.init(ops, theta) for theta in thetas]
    for t in (1, 2, 3):
        gradients = [rng.normal(size=tuple(variable.shape)).astype("float32") for variable in variables]
        optimizer.apply([keras.ops.convert_to_tensor(gradient) for gradient in gradients], variables)
        scalars = [ops.scalar(c) for c in rule.scalars(0.0625, t)]
        thetas, states = rule.step(ops, states, thetas, [ops.matrix(gradient) for gradient in gradients], *scalars)
    for variable, theta in zip(variables, thetas, strict=True):
        np.testing.assert_array_equal(np.atleast_2d(keras.ops.convert_to_numpy(variable)), ops.to_numpy(theta), err_msg=repr(rule))


def check_second_derivative() -> None:
    """On JAX and TensorFlow the Hessian of ⟨DY, Y⟩ times a vector equals differences of the gradient; on PyTorch it is refused."""
    layer, rng = interop.layer("Tanh"), np.random.default_rng(3)
    A, DY, V = (rng.normal(size=(4, D)).astype("float32") for _ in range(3))
    framework = keras.backend.backend()
    gradient, product = SECOND[framework](layer, DY, V)
    if framework == "torch":
        with pytest.raises(NervaError, match="gradients of gradients"):
            product(A)
        return
    h = 1e-2
    differences = (gradient(A + h * V) - gradient(A - h * V)) / (2 * h)
    np.testing.assert_allclose(product(A), differences, rtol=0, atol=2e-3)


def _of_jax(layer: Any, DY: Any, V: Any) -> tuple[Any, Any]:
    import jax

    layer.build(DY.shape)
    gradient = jax.grad(lambda X: (layer(X, training=True) * DY).sum())
    return gradient, jax.grad(lambda X: (gradient(X) * V).sum())


def _of_tensorflow(layer: Any, DY: Any, V: Any) -> tuple[Any, Any]:
    import tensorflow as tf

    def gradient(X: Any) -> Any:
        X = tf.convert_to_tensor(X)
        with tf.GradientTape() as tape:
            tape.watch(X)
            Y = layer(X, training=True)
        return tape.gradient(Y, X, output_gradients=tf.constant(DY))

    def product(X: Any) -> Any:
        X = tf.convert_to_tensor(X)
        with tf.GradientTape() as tape:
            tape.watch(X)
            slope = gradient(X)
        return tape.gradient(slope, X, output_gradients=tf.constant(V))

    return gradient, product


def _of_torch(layer: Any, DY: Any, V: Any) -> tuple[Any, Any]:
    import torch

    def gradient(X: Any) -> Any:
        X = torch.tensor(X, requires_grad=True)
        return torch.autograd.grad(layer(X, training=True), X, torch.tensor(DY), create_graph=True)[0]

    return gradient, gradient


SECOND = {"jax": _of_jax, "tensorflow": _of_tensorflow, "torch": _of_torch}


def check_frozen_statistics() -> None:
    """A frozen layer uses and keeps its running statistics in training, as Keras's own batch normalization."""
    for layer in (interop.layer("BatchNormalization"), keras.layers.BatchNormalization()):
        layer.build((None, D))
        layer.trainable = False
        before = [keras.ops.convert_to_numpy(weight) for weight in layer.weights]
        Y = keras.ops.convert_to_numpy(layer(X + 5, training=True))
        np.testing.assert_allclose(Y, (X + 5) / np.sqrt(1 + layer.epsilon if hasattr(layer, "epsilon") else 1 + 1e-5), rtol=1e-5)
        for weight, old in zip(layer.weights, before, strict=True):
            np.testing.assert_array_equal(keras.ops.convert_to_numpy(weight), old)


def check_images() -> None:
    """Images have the channels last on every backend: a convolution with Keras's kernel gives what Keras's own gives."""
    images = np.random.default_rng(3).normal(size=(2, 3, 3, 3)).astype("float32")  # every axis could be that of the channels
    ours, theirs = interop.layer("Conv(4, 2)"), keras.layers.Conv2D(4, 2)
    for layer in (ours, theirs):
        layer.build(images.shape)
    W, b = (keras.ops.convert_to_numpy(weight) for weight in ours.weights)
    theirs.set_weights([W.reshape(2, 2, 3, 4), b.ravel()])
    expected = keras.ops.convert_to_numpy(theirs(images))
    for training in (True, False):
        np.testing.assert_allclose(keras.ops.convert_to_numpy(ours(images, training=training)), expected, rtol=0, atol=1e-5)
    dropped = keras.ops.convert_to_numpy(interop.layer("ChannelDropout")(np.ones((2, 3, 4, 5), "float32"), training=True))
    np.testing.assert_array_equal(dropped, np.broadcast_to(dropped[:, :1, :1], (2, 3, 4, 5)))
    assert interop.layer("GlobalAveragePool")(images).shape == (2, 3)
