"""Checks that run once in every backend of Keras."""

from __future__ import annotations

import keras
import numpy as np

from nerva_core.algebra.numeric_backend import backend
from nerva_core.equations.optimizers import GAF, Adam, Optimizer
from nerva_core.interoperability import keras as interop
from nerva_core.layers import LAYERS
from tests.helpers import examples
from tests.interoperability.cases import RULES, D

X = np.random.default_rng(0).normal(size=(8, D)).astype("float32")


def check_training_and_saving(directory: str) -> None:
    """Every layer in one model, trained, saved, read and trained further; every rule against the equations."""
    layers = [part for layer in examples(LAYERS) for part in (keras.layers.Dense(D), interop.layer(layer))]
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
