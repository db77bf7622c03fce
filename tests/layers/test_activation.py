from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.numeric_backend import Backend
from nerva_core.equations.activations import ACTIVATIONS, Activation
from nerva_core.layers import ActivationLayer, Linear, Sequential, SReLU
from nerva_core.layers.activation import SReLUParameters
from tests.conftest import make_backend
from tests.helpers import examples, to_numpy, to_ops
from tests.layers.check import check_layer, run


def srelu_forwards() -> dict[str, Any]:
    def forward(where: Any) -> Any:
        def srelu(Z: Any, al: Any, tl: Any, ar: Any, tr: Any) -> Any:
            return where(tl >= Z, tl + al * (Z - tl), where(tr > Z, Z, tr + ar * (Z - tr)))

        return srelu

    def torch_forward(*args: Any) -> Any:
        import torch

        return forward(torch.where)(*args)

    def jax_forward(*args: Any) -> Any:
        import jax

        return forward(jax.numpy.where)(*args)

    def tensorflow_forward(*args: Any) -> Any:
        import tensorflow as tf

        return forward(tf.where)(*args)

    return {"torch": torch_forward, "jax": jax_forward, "tensorflow": tensorflow_forward}


@pytest.mark.parametrize(
    ("al", "tl", "ar", "tr"),
    [(0.2, -0.5, 0.3, 0.7), (0.0, 0.0, 0.0, 1.0), (-0.4, 0.8, 1.7, -0.3), (0.3, 0.1, 0.6, 0.1), (0.0, -9.0, 2.0, 9.0)],
    ids=["ordinary", "initial", "tl > tr", "tl = tr", "all in the middle"],
)
def test_srelu_gradients(ops: Backend[Any], rng: np.random.Generator, al: float, tl: float, ar: float, tr: float) -> None:
    params = SReLUParameters(*(np.array([[c]]) for c in (al, tl, ar, tr)))
    check_layer(ops, SReLU(), srelu_forwards(), rng.normal(size=(6, 5)), params)


def test_srelu_at_its_thresholds_takes_the_first_case_that_holds(ops: Backend[Any]) -> None:
    params = SReLUParameters(*(np.array([[c]]) for c in (0.2, -1.0, 0.3, 2.0)))
    Y, DZ, gradients = run(ops, SReLU(), np.array([[-1.0, 2.0]]), params, np.array([[1.0, 10.0]]))
    np.testing.assert_allclose(Y, [[-1.0, 2.0]])
    np.testing.assert_allclose(DZ, [[0.2, 3.0]])
    np.testing.assert_allclose([g.item() for g in gradients], [0.0, 0.8, 0.0, 7.0])


def test_srelu_starts_from_its_fields(rng: np.random.Generator) -> None:
    params = SReLU(0.1, 0.2, 0.3, 0.4).init(rng, 7)
    assert params == SReLUParameters(0.1, 0.2, 0.3, 0.4)


@pytest.mark.parametrize("activation", examples(ACTIVATIONS), ids=repr)
def test_linear_and_activation_are_the_combined_layer(ops: Backend[Any], rng: np.random.Generator, activation: Activation) -> None:
    """Z = X Wᵀ + 1 b, Y = act(Z); DZ = DY ⊙ act'(Z), DW = DZᵀ X, Db = 1ᵀ DZ, DX = DZ W (section 4), in plain NumPy."""
    N, D, K = 5, 4, 3
    X, W, b, DY = rng.normal(size=(N, D)), rng.normal(size=(K, D)), rng.normal(size=(1, K)), rng.normal(size=(N, K))
    numpy = make_backend("numpy", "float64")
    Z = X @ W.T + np.ones((N, 1)) @ b
    DZ = DY * activation.gradient(numpy, Z)
    expected = activation.value(numpy, Z), DZ @ W, DZ.T @ X, np.ones((1, N)) @ DZ

    layer = Sequential((Linear(K), ActivationLayer(activation)))
    params = to_ops(ops, ((W, b), ()))
    Y, cache = layer.feedforward(ops, params, ops.matrix(X))
    DX, ((DW, Db), _) = layer.backpropagate(ops, params, cache, ops.matrix(DY))
    for actual, value in zip(to_numpy(ops, (Y, DX, DW, Db)), expected, strict=True):
        np.testing.assert_allclose(actual, value, rtol=0, atol=1e-12)
