from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend, backend
from nerva_core.layers import BatchNormalization
from nerva_core.layers.batch_normalization import BatchNormalizationParameters, RunningStatistics
from sympy_validation.layer_gradient import LayerGradient
from sympy_validation.theorem import Theorem, prove
from sympy_validation.theorems.layers import layer_of
from tests.helpers import to_numpy, to_ops
from tests.layers.check import check_layer, random_parameters, run


def forwards(epsilon: float) -> dict[str, Any]:
    def torch_forward(X: Any, gamma: Any, beta: Any) -> Any:
        import torch

        return torch.nn.functional.batch_norm(X, None, None, gamma[0], beta[0], training=True, eps=epsilon)

    def jax_forward(X: Any, gamma: Any, beta: Any) -> Any:
        import jax

        return gamma * jax.nn.standardize(X, axis=0, epsilon=epsilon) + beta

    def tensorflow_forward(X: Any, gamma: Any, beta: Any) -> Any:
        import tensorflow as tf

        mean, variance = tf.nn.moments(X, axes=[0])
        return tf.nn.batch_normalization(X, mean, variance, beta, gamma, epsilon)

    return {"torch": torch_forward, "jax": jax_forward, "tensorflow": tensorflow_forward}


@pytest.mark.parametrize("epsilon", [1e-5, 0.1])
@pytest.mark.parametrize(("N", "D"), [(3, 2), (8, 4), (5, 1)])
def test_gradients(ops: Backend, rng: np.random.Generator, N: int, D: int, epsilon: float) -> None:
    """N is at least 3: for N = 2 the true DX is almost 0, and a wrong one would pass."""
    layer = BatchNormalization(epsilon)
    check_layer(ops, layer, forwards(epsilon), 2 * rng.normal(size=(N, D)) + 1, random_parameters(rng, layer, D))


def test_a_constant_column_is_normalised_to_beta(ops: Backend, rng: np.random.Generator) -> None:
    layer = BatchNormalization()
    X = np.full((4, 2), 3.0)
    Y, DX, _ = run(ops, layer, X, BatchNormalizationParameters(np.array([[2.0, 1.0]]), np.array([[5.0, -1.0]])), rng.normal(size=(4, 2)))
    np.testing.assert_allclose(Y, [[5.0, -1.0]] * 4)
    assert np.isfinite(DX).all()


def test_evaluation_uses_the_running_statistics(ops: Backend, rng: np.random.Generator) -> None:
    """Equal to torch's batch norm in evaluation mode with the same statistics."""
    torch = pytest.importorskip("torch")
    X, mean, Sigma = rng.normal(size=(4, 3)), rng.normal(size=(1, 3)), rng.uniform(0.5, 2, size=(1, 3))
    params = random_parameters(rng, BatchNormalization(), 3)
    Y = BatchNormalization(1e-3).evaluate(ops, to_ops(ops, params), to_ops(ops, RunningStatistics(mean, Sigma)), ops.matrix(X))
    x, m, s, gamma, beta = (torch.tensor(a) for a in (X, mean[0], Sigma[0], params.gamma[0], params.beta[0]))
    expected = torch.nn.functional.batch_norm(x, m, s, gamma, beta, training=False, eps=1e-3).numpy()
    np.testing.assert_allclose(ops.to_numpy(Y), expected, rtol=0, atol=1e-12)


def test_running_statistics_are_averaged(ops: Backend, rng: np.random.Generator) -> None:
    """new = momentum · old + (1 - momentum) · batch, from 0 and 1, over two batches; Σ is divided by N."""
    layer = BatchNormalization(momentum=0.7)
    batches = rng.normal(size=(2, 6, 3))
    params = to_ops(ops, layer.init(rng, 3))
    state = to_ops(ops, layer.initial_state(3))
    mean, Sigma = np.zeros((1, 3)), np.ones((1, 3))
    for X in batches:
        _, cache = layer.feedforward(ops, params, ops.matrix(X))
        state = layer.update_state(ops, state, cache)
        mean = 0.7 * mean + 0.3 * X.mean(axis=0, keepdims=True)
        Sigma = 0.7 * Sigma + 0.3 * X.var(axis=0, keepdims=True)
    actual = to_numpy(ops, state)
    np.testing.assert_allclose(actual.mean, mean, rtol=0, atol=1e-14)
    np.testing.assert_allclose(actual.Sigma, Sigma, rtol=0, atol=1e-14)


def test_evaluation_with_the_batch_statistics_is_training(ops: Backend, rng: np.random.Generator) -> None:
    layer = BatchNormalization()
    X, params = ops.matrix(rng.normal(size=(5, 2))), to_ops(ops, random_parameters(rng, layer, 2))
    Y, cache = layer.feedforward(ops, params, X)
    np.testing.assert_allclose(
        ops.to_numpy(layer.evaluate(ops, params, RunningStatistics(cache.mean, cache.Sigma), X)), ops.to_numpy(Y), rtol=0, atol=1e-14
    )


def test_initial_values(rng: np.random.Generator) -> None:
    gamma, beta = BatchNormalization().init(rng, 3)
    np.testing.assert_array_equal(gamma, np.ones((1, 3)))
    np.testing.assert_array_equal(beta, np.zeros((1, 3)))


@pytest.mark.parametrize(("parameters", "message"), [({"epsilon": -1e-5}, "epsilon must be >= 0"), ({"momentum": 1.0}, "momentum must be")])
def test_bounds(parameters: dict[str, float], message: str) -> None:
    with pytest.raises(NervaError, match=message):
        BatchNormalization(**parameters)


def test_an_empty_batch_is_refused() -> None:
    layer, ops = BatchNormalization(), backend("numpy", "float64")
    params = ops.matrices(layer.init(np.random.default_rng(0), 2))
    with pytest.raises(NervaError, match="at least one example"):
        layer.feedforward(ops, params, ops.matrix(np.zeros((0, 2))))


def without_gamma(ops: Any, layer: Any, params: Any, cache: Any, DY: Any) -> Any:
    return layer.backpropagate(ops, params._replace(gamma=ops.ones(*ops.shape(params.gamma))), cache, DY)


def with_fixed_statistics(ops: Any, layer: Any, params: Any, cache: Any, DY: Any) -> Any:
    """As if mean and variance did not depend on X."""
    N, _ = ops.shape(DY)
    DX = ops.hadamard(ops.row_repeat(ops.hadamard(params.gamma, cache.inv_sqrt_Sigma), N), DY)
    return DX, layer.backpropagate(ops, params, cache, DY)[1]


def with_gradients_of_the_mean(ops: Any, layer: Any, params: Any, cache: Any, DY: Any) -> Any:
    """The means over the rows in the place of their sums."""
    DX, D = layer.backpropagate(ops, params, cache, DY)
    N, _ = ops.shape(DY)
    return DX, BatchNormalizationParameters(ops.divide(D.gamma, N), ops.divide(D.beta, N))


@pytest.mark.parametrize(
    ("equations", "refuted"),
    [(without_gamma, {"DX"}), (with_fixed_statistics, {"DX"}), (with_gradients_of_the_mean, {"Dgamma", "Dbeta"})],
)
def test_famous_faults_have_an_exact_counterexample(equations: Any, refuted: set[str]) -> None:
    claim = LayerGradient(layer_of(BatchNormalization), equations)
    verdicts = list(prove([Theorem("batch normalization", name, "", claim, "all sizes") for name in ("DX", "Dgamma", "Dbeta")]))
    assert {v.theorem.quantity for v in verdicts if v.status == "refuted" and v.counterexample} == refuted
    assert {v.theorem.quantity for v in verdicts if v.status == "proved"} == {"DX", "Dgamma", "Dbeta"} - refuted
