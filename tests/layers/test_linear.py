from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.equations.initializers import Constant, He
from nerva_core.layers import Linear
from tests.layers.check import check_layer, random_parameters


def tensorflow_linear(X: Any, W: Any, b: Any) -> Any:
    import tensorflow as tf

    return tf.nn.bias_add(tf.linalg.matmul(X, W, transpose_b=True), b[0])


def torch_linear(X: Any, W: Any, b: Any) -> Any:
    import torch

    return torch.nn.functional.linear(X, W, b[0])


FORWARDS = {"torch": torch_linear, "jax": lambda X, W, b: X @ W.T + b, "tensorflow": tensorflow_linear}


@pytest.mark.parametrize(("N", "D", "K"), [(5, 3, 4), (1, 1, 1), (1, 4, 2), (6, 1, 3)])
def test_gradients(ops: Backend, rng: np.random.Generator, N: int, D: int, K: int) -> None:
    layer = Linear(K)
    check_layer(ops, layer, FORWARDS, rng.normal(size=(N, D)), random_parameters(rng, layer, D))


def test_initial_values_are_those_of_the_initializers(rng: np.random.Generator) -> None:
    W, b = Linear(50, He(), Constant(0.25)).init(rng, 80)
    assert W.shape == (50, 80)
    assert abs(W.std() - np.sqrt(2 / 80)) < 0.01
    np.testing.assert_array_equal(b, np.full((1, 50), 0.25))


@pytest.mark.parametrize("outputs", [0, -1])
def test_a_layer_has_outputs(outputs: int) -> None:
    with pytest.raises(NervaError, match="outputs must be >= 1"):
        Linear(outputs)
