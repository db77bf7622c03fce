from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.layers import ActivationLayer, ChannelDropout, Dropout, Linear, LinearDropout, Sequential
from nerva_core.layers.dropout import draw_mask
from sympy_validation.layer_gradient import LayerGradient
from sympy_validation.theorem import Theorem, prove
from sympy_validation.theorems.layers import layer_of
from tests.helpers import to_ops
from tests.layers.check import check_layer, random_parameters

FRAMEWORKS = ("torch", "jax", "tensorflow")


def constant(framework: str, R: np.ndarray[Any, Any]) -> Any:
    if framework == "torch":
        import torch

        return torch.tensor(R)
    return R


def dropout(framework: str, R: np.ndarray[Any, Any]) -> Any:
    return lambda X: X * constant(framework, R)


def drop_connect(framework: str, R: np.ndarray[Any, Any]) -> Any:
    """X Vᵀ + b, with the weights V that are left."""

    def forward(X: Any, W: Any, b: Any) -> Any:
        V = W * constant(framework, R.T.copy())
        if framework == "tensorflow":
            import tensorflow as tf

            return tf.einsum("nd,kd->nk", X, V) + b
        return X @ V.T + b

    return forward


def test_dropout_gradients(ops: Backend, rng: np.random.Generator) -> None:
    (R,) = Dropout(0.4).draw(rng, 5, 4)
    check_layer(ops, Dropout(0.4), {f: dropout(f, R) for f in FRAMEWORKS}, rng.normal(size=(5, 4)), (), noise=(R,))


def test_channel_dropout_gradients(ops: Backend, rng: np.random.Generator) -> None:
    """Each channel of an example is there at all of its positions, or at none; its mean is kept."""
    N, L, C = 3, 4, 5
    layer = ChannelDropout(0.4, length=L)
    (R,) = layer.draw(rng, N * L, C)
    assert R.shape == (N, C)
    assert {*R.ravel()} == {0, 1 / 0.6}

    def forward(framework: str) -> Any:
        return lambda X: X * constant(framework, np.repeat(R, L, axis=0))

    X = rng.normal(size=(N * L, C))
    check_layer(ops, layer, {f: forward(f) for f in FRAMEWORKS}, X, (), noise=(R,))
    np.testing.assert_array_equal(ops.to_numpy(layer.evaluate(ops, (), (), ops.matrix(X))), ops.to_numpy(ops.matrix(X)))


def mask_twice(ops: Any, layer: Any, params: Any, cache: Any, DY: Any) -> Any:
    (R,) = cache
    return layer.backpropagate(ops, params, cache._replace(R=ops.hadamard(R, R)), DY)


def test_a_wrong_channel_dropout_is_refuted() -> None:
    claim = LayerGradient(layer_of(ChannelDropout), mask_twice)
    (verdict,) = prove([Theorem("dropout", "DX", "", claim, "all sizes", expected="refuted")])
    assert verdict.status == "refuted"


@pytest.mark.parametrize(("N", "D", "K"), [(5, 4, 3), (1, 1, 1), (2, 1, 4)])
def test_linear_dropout_gradients(ops: Backend, rng: np.random.Generator, N: int, D: int, K: int) -> None:
    layer = LinearDropout(K, p=0.4)
    (R,) = layer.draw(rng, N, D)
    params = random_parameters(rng, layer, D)
    check_layer(ops, layer, {f: drop_connect(f, R) for f in FRAMEWORKS}, rng.normal(size=(N, D)), params, noise=(R,))


def test_activation_dropout_is_a_composition(ops: Backend, rng: np.random.Generator) -> None:
    """The specification's activation dropout layer: act(X (Wᵀ ⊙ R) + 1 b)."""
    from nerva_core.equations.activations import Tanh

    layer = Sequential((LinearDropout(3, p=0.3), ActivationLayer(Tanh())))
    noise = layer.draw(rng, 4, 5)
    X, params, DY = rng.normal(size=(4, 5)), random_parameters(rng, layer, 5), rng.normal(size=(4, 3))
    (W, b), (R,) = params[0], noise[0]
    Y = np.tanh(X @ (W.T * R) + b)
    DZ = DY * (1 - Y * Y)
    p = to_ops(ops, params)
    actual_Y, cache = layer.feedforward(ops, p, ops.matrix(X), *to_ops(ops, noise))
    DX, ((DW, Db), _) = layer.backpropagate(ops, p, cache, ops.matrix(DY))
    for actual, expected in ((actual_Y, Y), (DX, DZ @ (W * R.T)), (DW, (DZ.T @ X) * R.T), (Db, DZ.sum(0, keepdims=True))):
        np.testing.assert_allclose(ops.to_numpy(actual), expected, rtol=0, atol=1e-13)


def test_nothing_is_dropped_at_inference(ops: Backend, rng: np.random.Generator) -> None:
    X = rng.normal(size=(3, 4))
    np.testing.assert_array_equal(ops.to_numpy(Dropout(0.9).evaluate(ops, (), (), ops.matrix(X))), X)
    layer = LinearDropout(2, p=0.9)
    params = to_ops(ops, random_parameters(rng, layer, 4))
    np.testing.assert_array_equal(
        ops.to_numpy(layer.evaluate(ops, params, (), ops.matrix(X))), ops.to_numpy(Linear(2).feedforward(ops, params, ops.matrix(X))[0])
    )


@pytest.mark.parametrize("p", [0.0, 0.25, 0.9])
def test_masks_have_mean_one(p: float) -> None:
    n = 200_000
    R = draw_mask(np.random.default_rng(1), p, (n, 1))
    assert set(np.unique(R)) <= {0.0, 1 / (1 - p)}
    assert abs((R == 0).mean() - p) <= 5 * np.sqrt(p * (1 - p) / n)  # five standard deviations
    if p == 0:
        np.testing.assert_array_equal(R, 1)


def test_a_seed_gives_the_same_mask() -> None:
    for layer in (Dropout(), LinearDropout(3)):
        first, again = (layer.draw(np.random.default_rng(7), 4, 5) for _ in range(2))
        np.testing.assert_array_equal(first, again)
        assert tuple(R.shape for R in first) == layer.noise_shapes(4, 5)


@pytest.mark.parametrize("p", [-0.1, 1.0, 1.5])
def test_p_is_a_probability_below_one(p: float) -> None:
    with pytest.raises(NervaError, match="p must be >= 0 and < 1"):
        Dropout(p)
