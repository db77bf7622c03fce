from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.numeric_backend import Backend
from nerva_core.layers import Layer, LogSoftmax, Softmax
from tests.layers.check import check_layer


def framework_functions(name: str) -> dict[str, Any]:
    def torch_forward(Z: Any) -> Any:
        import torch

        return getattr(torch.nn.functional, name)(Z, dim=1)

    def jax_forward(Z: Any) -> Any:
        import jax

        return getattr(jax.nn, name)(Z, axis=1)

    def tensorflow_forward(Z: Any) -> Any:
        import tensorflow as tf

        return getattr(tf.nn, name)(Z, axis=1)

    return {"torch": torch_forward, "jax": jax_forward, "tensorflow": tensorflow_forward}


LAYERS: list[tuple[Layer, str]] = [(Softmax(), "softmax"), (LogSoftmax(), "log_softmax")]


@pytest.mark.parametrize(("layer", "name"), LAYERS)
@pytest.mark.parametrize("shape", [(4, 3), (1, 5), (3, 1)])
def test_gradients(ops: Backend, rng: np.random.Generator, layer: Layer, name: str, shape: tuple[int, int]) -> None:
    check_layer(ops, layer, framework_functions(name), 3 * rng.normal(size=shape), ())


@pytest.mark.parametrize(("layer", "name"), LAYERS)
def test_extreme_logits(ops: Backend, layer: Layer, name: str) -> None:
    Z = np.array([[1e4, -1e4, 0.0], [-1e4, -1e4, -1e4], [1e4, 1e4, 1e4], [1e4, 1e4 - 1, -1e4]])
    check_layer(ops, layer, framework_functions(name), Z, ())
