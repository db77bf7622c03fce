"""What is particular to TensorFlow; the operations are tested by test_matrix_ops.py, for all backends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nerva_core.equations.losses import LOSSES, Loss
from nerva_core.layers import LAYERS, Layer
from tests.conftest import make_backend
from tests.helpers import assert_trees_equal, examples, to_numpy, to_ops

tf = pytest.importorskip("tensorflow")

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("layer", examples(LAYERS), ids=repr)
def test_a_layer_is_compiled_for_an_unknown_number_of_rows(layer: Layer, rng: np.random.Generator) -> None:
    """One trace serves every N, and gives what the eager equations give."""
    ops: Any = make_backend("tensorflow", "float64")
    D, K = 3, layer.outputs_for(3)
    params = to_ops(ops, layer.init(rng, D))
    spec = [tf.TensorSpec([None, columns], tf.float64) for columns in (D, K)]

    def gradients(X: Any, DY: Any, *noise: Any) -> Any:
        Y, cache = layer.feedforward(ops, params, X, *noise)
        return Y, layer.backpropagate(ops, params, cache, DY)

    for N in (4, 5):
        noise = to_ops(ops, layer.given(layer.first_state(rng, D), layer.draw(rng, N, D)))
        X, DY = ops.matrix(rng.normal(size=(N, D))), ops.matrix(rng.normal(size=(N, K)))
        compiled = tf.function(lambda X, DY, noise=noise: gradients(X, DY, *noise), input_signature=spec, autograph=False)
        assert_trees_equal(to_numpy(ops, compiled(X, DY)), to_numpy(ops, gradients(X, DY, *noise)), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("loss", examples(LOSSES), ids=repr)
def test_a_loss_is_compiled_for_an_unknown_number_of_rows(loss: Loss, rng: np.random.Generator) -> None:
    ops: Any = make_backend("tensorflow", "float64")
    compiled = tf.function(
        lambda Y, T: (loss.value(ops, Y, T), loss.gradient(ops, Y, T)),
        input_signature=[tf.TensorSpec([None, 3], tf.float64)] * 2,
        autograph=False,
    )
    for N in (4, 5):
        Y, T = ops.matrix(rng.dirichlet(np.ones(3), size=N)), ops.matrix(np.eye(3)[rng.integers(3, size=N)])
        assert_trees_equal(
            to_numpy(ops, compiled(Y, T)), to_numpy(ops, (loss.value(ops, Y, T), loss.gradient(ops, Y, T))), rtol=1e-12, atol=1e-12
        )


def test_numbers_are_not_rounded_to_float32() -> None:
    ops = make_backend("tensorflow", "float64")
    for X in (ops.scale(0.1, ops.ones(1, 1)), ops.full(0.1, 1, 1), 0.1 * ops.ones(1, 1), ops.ones(1, 1) * ops.scalar(0.1)):
        assert ops.to_numpy(X).item() == 0.1


def test_a_step_is_traced_once_for_all_numbers() -> None:
    ops = make_backend("tensorflow", "float64")
    traced = []

    @ops.compile
    def step(X: Any, eta: Any) -> Any:
        traced.append(1)
        return eta * X

    for eta in (0.1, 0.2, 0.3):
        step(ops.matrix([[1.0]]), ops.scalar(eta))
    assert len(traced) == 1


def test_training_says_nothing_of_the_compiler(tmp_path: Path) -> None:
    """In a process of its own: notes of C++ code go to the descriptor 2, and the tests ask for none."""
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"} | {"PYTHONPATH": str(ROOT)}
    flags = ["--backend", "tensorflow", "--data", "Digits(train=603, test=50)", "--epochs", "1", "--quiet", "--output", "out"]
    done = subprocess.run(
        [sys.executable, "-m", "nerva_core.cli", "train", *flags], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
