"""Keras on TensorFlow in this process, and on JAX and PyTorch in one of their own, as a process has one backend of Keras."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.trees import leaves
from nerva_core.interoperability import keras as interop
from nerva_core.layers import BatchNormalization, Convolution, Dropout, Flatten, Images, Layer, Linear, Sequential, SqueezeExcitation
from nerva_core.training.config import make_config
from nerva_core.training.models import Model
from tests.conftest import installed, load_frameworks
from tests.interoperability.cases import D

pytest.importorskip("keras")
load_frameworks()
import keras  # noqa: E402

from tests.interoperability.keras_checks import (  # noqa: E402
    X,
    check_frozen_statistics,
    check_images,
    check_second_derivative,
    check_training_and_saving,
)


def test_training_and_saving(tmp_path: Path) -> None:
    check_training_and_saving(str(tmp_path), first=0)


def test_second_derivatives_frozen_layers_and_images() -> None:
    check_second_derivative()
    check_frozen_statistics()
    check_images()


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_training_and_saving_on_the_other_backends(backend: str, tmp_path: Path) -> None:
    if not installed(backend):
        pytest.skip(f"{backend} is not installed")
    program = f"""
from tests.interoperability import keras_checks
keras_checks.check_training_and_saving({str(tmp_path)!r}, first=1)
keras_checks.check_second_derivative()
keras_checks.check_frozen_statistics()
keras_checks.check_images()
"""
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, cwd=Path(__file__).parents[2], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_layer_is_keras_s_own(tmp_path: Path) -> None:
    """Batch normalization in training and at inference, and its gradients, against Keras's."""
    tf = pytest.importorskip("tensorflow")
    ours, theirs = interop.layer(BatchNormalization()), keras.layers.BatchNormalization(epsilon=1e-5, momentum=0.9)
    results: list[Any] = []
    for layer in (ours, theirs):
        x = tf.constant(X)
        with tf.GradientTape() as tape:
            tape.watch(x)
            Y = layer(x, training=True)
            loss = tf.reduce_sum(tf.sin(Y))
        results.append([Y, *tape.gradient(loss, [x, *(w.value for w in layer.trainable_weights)]), layer(x, training=False)])
    for actual, expected in zip(*results, strict=True):
        np.testing.assert_allclose(np.ravel(actual), np.ravel(expected), rtol=0, atol=2e-6)
    assert [w.name for w in ours.weights] == ["gamma", "beta", "mean", "Sigma"]


@pytest.mark.parametrize("layer", [Linear(4), Dropout(0.25)], ids=repr)
def test_shapes_and_configuration(layer: Layer) -> None:
    made = interop.layer(layer, seed=3, name="mine")
    outputs = made(np.ones((2, 5, D), "float32"), training=True)
    assert tuple(outputs.shape) == made.compute_output_shape((2, 5, D)) == (2, 5, layer.outputs_for(D))
    again = interop.classes().NervaLayer.from_config(made.get_config())
    assert (again.layer, again.seed, again.name) == (layer, 3, "mine")
    np.testing.assert_array_equal(again(np.ones((2, 5, D), "float32"), training=True), outputs)
    assert sum(1 for _ in leaves(layer.shapes(D))) // 2 == len(made.trainable_weights)


def test_a_network_on_positions_is_written_and_read(tmp_path: Path) -> None:
    network = Sequential((Images(2, 3), Convolution(4, kernel=2, groups=2), SqueezeExcitation(2), Flatten(), Linear(2)))
    rng = np.random.default_rng(0)
    model = Model(
        make_config({"data": "Digits", "model": {"layers": "Linear"}, "loss": "SquaredError"}),
        network,
        12,
        network.init(rng, 12),
        network.initial_state(12),
    )
    interop.to_keras(model).save(tmp_path / "a.keras")
    given = rng.normal(size=(3, 12)).astype("float32")
    found = keras.saving.load_model(tmp_path / "a.keras").predict(given, verbose=0)
    np.testing.assert_allclose(found, model.predict(given), rtol=1e-4, atol=1e-6)
