"""Checks that run once in every backend of Keras."""

from __future__ import annotations

import keras
import numpy as np

from nerva_core.interoperability import keras as interop
from nerva_core.layers import LAYERS
from nerva_core.numeric_backend import backend
from nerva_core.optimizers import GAF, Adam, Optimizer
from tests.helpers import examples
from tests.interoperability.cases import RULES, D

X = np.random.default_rng(0).normal(size=(8, D)).astype("float32")


def check_training_and_saving(directory: str) -> None:
    """Every layer in one model, trained, saved, read and trained further; every rule against the equations."""
    layers = examples(LAYERS)
    model = keras.Sequential([keras.layers.Input((D,)), keras.layers.Dense(4), *map(interop.layer, layers), keras.layers.Dense(2)])
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
    ops = backend(keras.backend.backend(), "float32")
    gradients = np.random.default_rng(1).normal(size=(3, 2, 3)).astype("float32")
    variable, optimizer = keras.Variable(np.ones((2, 3)), dtype="float32"), interop.optimizer(rule, 0.0625)
    theta = ops.matrix(np.ones((2, 3)))
    state = rule.init(ops, theta)
    for t, gradient in enumerate(gradients, 1):
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
        theta, state = rule.update(ops, state, theta, ops.matrix(gradient), *(ops.scalar(c) for c in rule.scalars(0.0625, t)))
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(variable), ops.to_numpy(theta), err_msg=repr(rule))
