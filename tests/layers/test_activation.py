from __future__ import annotations

import numpy as np
import pytest

from nerva_core.algebra.numeric_backend import Backend
from nerva_core.equations.activations import ACTIVATIONS, Activation
from nerva_core.layers import ActivationLayer, Linear, Sequential
from tests.conftest import make_backend
from tests.helpers import examples, to_numpy, to_ops
from tests.layers.check import both_passes


@pytest.mark.parametrize("activation", examples(ACTIVATIONS), ids=repr)
def test_linear_and_activation_are_the_combined_layer(ops: Backend, rng: np.random.Generator, activation: Activation) -> None:
    """Z = X Wᵀ + 1 b, Y = act(Z); DZ = DY ⊙ act'(Z), DW = DZᵀ X, Db = 1ᵀ DZ, DX = DZ W (section 4), in plain NumPy."""
    N, D, K = 5, 4, 3
    X, W, b, DY = rng.normal(size=(N, D)), rng.normal(size=(K, D)), rng.normal(size=(1, K)), rng.normal(size=(N, K))
    numpy = make_backend("numpy", "float64")
    Z = X @ W.T + np.ones((N, 1)) @ b
    DZ = DY * activation.gradient(numpy, Z)
    expected = activation.value(numpy, Z), DZ @ W, DZ.T @ X, np.ones((1, N)) @ DZ

    layer = Sequential((Linear(K), ActivationLayer(activation)))
    params = to_ops(ops, ((W, b), ()))
    Y, DX, ((DW, Db), _) = both_passes(ops, layer)(params, ops.matrix(X), ops.matrix(DY), ())
    for actual, value in zip(to_numpy(ops, (Y, DX, DW, Db)), expected, strict=True):
        np.testing.assert_allclose(actual, value, rtol=0, atol=1e-12)
