from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.equations.losses import (
    CTC,
    LOSSES,
    BinaryCrossEntropy,
    CosineDistance,
    CrossEntropy,
    Loss,
    MeanSquaredError,
    SequenceCrossEntropy,
    SoftmaxCrossEntropy,
    SoftmaxCrossEntropyOneHot,
    SquaredError,
)
from tests.autodiff import oracles
from tests.conftest import installed, load_frameworks, make_backend
from tests.helpers import as_one, examples

N, K = 6, 4
RNG = np.random.default_rng(11)
LOGITS = 3 * RNG.normal(size=(N, K))
PROBABILITIES = RNG.dirichlet(np.ones(K), size=N)
SOFT = RNG.uniform(size=(N, K))
"""Targets whose rows do not sum to 1."""
ONE_HOT = np.eye(K)[RNG.integers(K, size=N)]
DISTRIBUTIONS = RNG.dirichlet(np.ones(K), size=N)

EXAMPLES = [type(loss)(2) if isinstance(loss, (CTC, SequenceCrossEntropy)) else loss for loss in examples(LOSSES)]
all_losses = pytest.mark.parametrize("loss", EXAMPLES, ids=repr)


# Independent forwards: L(Y, T) in each framework, its own loss function where it has one


def torch_losses(T: Any) -> dict[str, Any]:
    import torch

    F = torch.nn.functional
    T = torch.tensor(T)
    return {
        "SquaredError": lambda Y: F.mse_loss(Y, T, reduction="sum"),
        "MeanSquaredError": lambda Y: F.mse_loss(Y, T),
        "CrossEntropy": lambda Y: -torch.sum(T * torch.log(Y)),
        "SoftmaxCrossEntropy": lambda Y: F.cross_entropy(Y, T, reduction="sum"),
        "SoftmaxCrossEntropyOneHot": lambda Y: F.cross_entropy(Y, T.argmax(1), reduction="sum"),
        "LogisticCrossEntropy": lambda Y: -torch.sum(T * F.logsigmoid(Y)),
        "BinaryCrossEntropy": lambda Y: F.binary_cross_entropy_with_logits(Y, T, reduction="sum"),
        "NegativeLogLikelihood": lambda Y: F.nll_loss(
            torch.log(torch.einsum("nk,nk->n", Y, T))[:, None], torch.zeros(N, dtype=int), reduction="sum"
        ),
        "AbsoluteError": lambda Y: F.l1_loss(Y, T, reduction="sum"),
        "Huber(delta=0.75)": lambda Y: F.huber_loss(Y, T, delta=0.75, reduction="sum"),
        "CosineDistance(epsilon=1e-300)": lambda Y: (1 - F.cosine_similarity(Y, T)).sum(),
        "SequenceCrossEntropy(classes=2)": lambda Y: F.cross_entropy(Y.reshape(-1, 2), T.reshape(-1, 2), reduction="sum"),
    }


def jax_losses(T: Any) -> dict[str, Any]:
    import jax
    import jax.numpy as jnp

    return {
        "SquaredError": lambda Y: jnp.sum(jnp.square(Y - T)),
        "MeanSquaredError": lambda Y: jnp.mean(jnp.square(Y - T)),
        "CrossEntropy": lambda Y: -jnp.vdot(T, jnp.log(Y)),
        "SoftmaxCrossEntropy": lambda Y: -jnp.vdot(T, jax.nn.log_softmax(Y)),
        "SoftmaxCrossEntropyOneHot": lambda Y: jnp.sum(jax.nn.logsumexp(Y, axis=1) - jnp.take_along_axis(Y, T.argmax(1)[:, None], 1)[:, 0]),
        "LogisticCrossEntropy": lambda Y: -jnp.vdot(T, jax.nn.log_sigmoid(Y)),
        "BinaryCrossEntropy": lambda Y: jnp.sum(jnp.logaddexp(0, Y) - T * Y),
        "NegativeLogLikelihood": lambda Y: -jnp.sum(jnp.log(jnp.einsum("nk,nk->n", Y, T))),
        "AbsoluteError": lambda Y: jnp.linalg.norm((Y - T).ravel(), ord=1),
        "Huber(delta=0.75)": lambda Y: jnp.where(abs(Y - T) < 0.75, (Y - T) ** 2 / 2, 0.75 * (abs(Y - T) - 0.375)).sum(),
        "CosineDistance(epsilon=1e-300)": lambda Y: (
            N - ((Y / jnp.linalg.norm(Y, axis=1, keepdims=True)) * (T / jnp.linalg.norm(T, axis=1, keepdims=True))).sum()
        ),
        "SequenceCrossEntropy(classes=2)": lambda Y: sum(
            -jnp.vdot(T[:, k : k + 2], jax.nn.log_softmax(Y[:, k : k + 2])) for k in range(0, K, 2)
        ),
    }


def tensorflow_losses(T: Any) -> dict[str, Any]:
    import tensorflow as tf

    return {
        "SquaredError": lambda Y: tf.reduce_sum(tf.math.squared_difference(Y, T)),
        "MeanSquaredError": lambda Y: tf.reduce_mean(tf.math.squared_difference(Y, T)),
        "CrossEntropy": lambda Y: -tf.reduce_sum(T * tf.math.log(Y)),
        "SoftmaxCrossEntropy": lambda Y: -tf.reduce_sum(T * tf.nn.log_softmax(Y)),
        "SoftmaxCrossEntropyOneHot": lambda Y: tf.reduce_sum(tf.nn.softmax_cross_entropy_with_logits(T, Y)),
        "LogisticCrossEntropy": lambda Y: tf.reduce_sum(T * tf.nn.softplus(-Y)),
        "BinaryCrossEntropy": lambda Y: tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(T, Y)),
        "NegativeLogLikelihood": lambda Y: -tf.reduce_sum(tf.math.log(tf.einsum("nk,nk->n", Y, T))),
        "AbsoluteError": lambda Y: tf.norm(Y - T, ord=1),
        "Huber(delta=0.75)": lambda Y: K * tf.reduce_sum(tf.keras.losses.huber(T, Y, delta=0.75)),
        "CosineDistance(epsilon=1e-300)": lambda Y: tf.reduce_sum(1 + tf.keras.losses.cosine_similarity(T, Y)),
        "SequenceCrossEntropy(classes=2)": lambda Y: tf.reduce_sum(
            tf.nn.softmax_cross_entropy_with_logits(T[:, :2], Y[:, :2]) + tf.nn.softmax_cross_entropy_with_logits(T[:, 2:], Y[:, 2:])
        ),
    }


FORWARDS = {"torch": torch_losses, "jax": jax_losses, "tensorflow": tensorflow_losses}

INPUTS = {
    "SquaredError": (LOGITS, SOFT),
    "MeanSquaredError": (LOGITS, SOFT),
    "CrossEntropy": (PROBABILITIES, SOFT),
    "SoftmaxCrossEntropy": (LOGITS, SOFT),
    "SoftmaxCrossEntropyOneHot": (LOGITS, ONE_HOT),
    "LogisticCrossEntropy": (LOGITS, SOFT),
    "BinaryCrossEntropy": (LOGITS, SOFT),
    "NegativeLogLikelihood": (PROBABILITIES, ONE_HOT),
    "AbsoluteError": (LOGITS, SOFT),
    "Huber(delta=0.75)": (LOGITS, SOFT),
    "CosineDistance(epsilon=1e-300)": (LOGITS, SOFT),
    "SequenceCrossEntropy(classes=2)": (LOGITS, np.eye(2)[RNG.integers(2, size=(N, 2))].reshape(N, 4)),
}


@pytest.mark.parametrize("name", INPUTS)
def test_value_and_gradient(ops: Backend, name: str) -> None:
    load_frameworks()
    loss = LOSSES.parse(name)
    Y, T = INPUTS[name]
    forwards = {framework: functions(T)[name] for framework, functions in FORWARDS.items() if installed(framework)}
    y, t = ops.matrix(Y), ops.matrix(T)
    for framework, (value, (gradient,)) in oracles(forwards, [Y], np.ones(()), ops.name).items():
        assert ops.to_numpy(loss.value(ops, y, t)).item() == pytest.approx(value.item(), rel=1e-12), framework
        np.testing.assert_allclose(ops.to_numpy(loss.gradient(ops, y, t)), gradient, rtol=0, atol=1e-10, err_msg=framework)
    np.testing.assert_array_equal(ops.to_numpy(y), Y)
    np.testing.assert_array_equal(ops.to_numpy(t), T)


@all_losses
def test_gradient_is_the_derivative_by_differences(ops: Backend, loss: Loss) -> None:
    """Also for a loss that this file does not name."""
    Y, T = PROBABILITIES, ONE_HOT if isinstance(loss, CTC) else DISTRIBUTIONS
    gradient = ops.to_numpy(loss.gradient(ops, ops.matrix(Y), ops.matrix(T)))
    h = 1e-6
    direction = np.random.default_rng(0).normal(size=(N, K)) * Y  # away from log 0
    plus, minus = (ops.to_numpy(loss.value(ops, ops.matrix(Y + s * h * direction), ops.matrix(T))).item() for s in (1, -1))
    assert (gradient * direction).sum() == pytest.approx((plus - minus) / (2 * h), rel=1e-7, abs=1e-7)


@all_losses
def test_shapes_and_dtype(ops_of_dtype: Backend, loss: Loss) -> None:
    ops = ops_of_dtype
    for rows in (N, 1):
        Y, T = ops.matrix(PROBABILITIES[:rows]), ops.matrix(ONE_HOT[:rows])
        results = as_one(ops, lambda Y, T: (loss.rows(ops, Y, T), loss.value(ops, Y, T), loss.gradient(ops, Y, T)))(Y, T)
        for result, shape in zip(results, ((rows, 1), (1, 1), (rows, K)), strict=True):
            assert ops.shape(result) == shape
            assert ops.to_numpy(result).dtype == ops.dtype


@all_losses
def test_a_row_is_a_batch_of_one(ops: Backend, loss: Loss) -> None:
    """The value is the sum of the rows, or their mean where the loss says so; a row's loss does not depend on the others."""
    rows = ops.to_numpy(loss.rows(ops, ops.matrix(PROBABILITIES), ops.matrix(SOFT)))
    value = ops.to_numpy(loss.value(ops, ops.matrix(PROBABILITIES), ops.matrix(SOFT))).item()
    assert value == pytest.approx(rows.mean() if loss.mean else rows.sum(), rel=1e-14)
    for i in range(N):
        single = loss.value(ops, ops.matrix(PROBABILITIES[i : i + 1]), ops.matrix(SOFT[i : i + 1]))
        assert ops.to_numpy(single).item() == pytest.approx(rows[i].item(), rel=1e-14)


def test_mean_squared_error_is_the_squared_error_over_all_elements(ops: Backend) -> None:
    Y, T = ops.matrix(LOGITS), ops.matrix(SOFT)
    for of_mean, of_sum in ((MeanSquaredError().value, SquaredError().value), (MeanSquaredError().gradient, SquaredError().gradient)):
        np.testing.assert_allclose(ops.to_numpy(of_mean(ops, Y, T)), ops.to_numpy(of_sum(ops, Y, T)) / (N * K), rtol=1e-14)


def test_cross_entropy_of_an_impossible_class_that_is_no_target_is_finite(ops_of_dtype: Backend) -> None:
    """t = 0 contributes 0, also where y = 0."""
    ops = ops_of_dtype
    Y, T = ops.matrix([[0.0, 1.0], [0.5, 0.5]]), ops.matrix([[0.0, 1.0], [1.0, 0.0]])
    np.testing.assert_allclose(ops.to_numpy(CrossEntropy().rows(ops, Y, T)), [[0.0], [np.log(2)]], rtol=1e-6)
    np.testing.assert_allclose(ops.to_numpy(CrossEntropy().gradient(ops, Y, T)), [[0.0, -1.0], [-2.0, 0.0]])


@pytest.mark.parametrize("T", [ONE_HOT, DISTRIBUTIONS], ids=["one-hot", "distributions"])
def test_softmax_cross_entropy_one_hot_is_the_general_one_where_rows_sum_to_1(ops: Backend, T: np.ndarray[Any, Any]) -> None:
    Y, T = ops.matrix(LOGITS), ops.matrix(T)
    for method in ("rows", "value", "gradient"):
        special, general = (ops.to_numpy(getattr(loss, method)(ops, Y, T)) for loss in (SoftmaxCrossEntropyOneHot(), SoftmaxCrossEntropy()))
        np.testing.assert_allclose(special, general, rtol=0, atol=1e-14)


@pytest.mark.parametrize("name", ["SoftmaxCrossEntropy", "SoftmaxCrossEntropyOneHot", "LogisticCrossEntropy", "BinaryCrossEntropy"])
def test_extreme_logits_give_finite_losses(ops_of_dtype: Backend, name: str) -> None:
    ops = ops_of_dtype
    loss = LOSSES.parse(name)
    Y, T = ops.matrix([[1e4, -1e4, 0.0], [-1e4, -1e4, 1e4]]), ops.matrix([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    for method in (loss.rows, loss.value, loss.gradient):
        assert np.isfinite(ops.to_numpy(method(ops, Y, T))).all()
    assert ops.to_numpy(loss.rows(ops, Y, T)).max() >= 1e4


def test_a_target_of_zeros_is_padding(ops: Backend) -> None:
    """The loss and the gradient of the other rows are as if it were not there."""
    loss, rows = SoftmaxCrossEntropy(), [0, 2, 3, 5]
    T = ONE_HOT.copy()
    T[[1, 4]] = 0
    Y, T, few, targets = (ops.matrix(X) for X in (LOGITS, T, LOGITS[rows], ONE_HOT[rows]))
    np.testing.assert_allclose(ops.to_numpy(loss.value(ops, Y, T)), ops.to_numpy(loss.value(ops, few, targets)), rtol=1e-14)
    gradient = ops.to_numpy(loss.gradient(ops, Y, T))
    np.testing.assert_allclose(gradient[rows], ops.to_numpy(loss.gradient(ops, few, targets)), rtol=1e-14)
    np.testing.assert_array_equal(gradient[[1, 4]], 0)


def test_a_sequence_needs_whole_positions() -> None:
    ops = make_backend("numpy", "float64")
    with pytest.raises(NervaError, match="must be a multiple of the 3 classes, got 4"):
        SequenceCrossEntropy(3).rows(ops, ops.matrix(LOGITS), ops.matrix(SOFT))


def test_the_cosine_of_a_vector_of_zeros_is_0(ops_of_dtype: Backend) -> None:
    """As a signum layer may give one."""
    ops, loss = ops_of_dtype, CosineDistance()
    Y, T = ops.matrix([[0.0, 0.0], [1.0, 2.0]]), ops.matrix([[1.0, 0.0], [0.0, 0.0]])
    np.testing.assert_allclose(ops.to_numpy(loss.rows(ops, Y, T)), [[1.0], [1.0]], rtol=1e-6)
    assert np.isfinite(ops.to_numpy(loss.gradient(ops, Y, T))).all()


def test_the_cosine_of_long_vectors(ops_of_dtype: Backend) -> None:
    """The square of 1e30 is no number in float32; that of 1e200 is none in float64."""
    ops, loss = ops_of_dtype, CosineDistance()
    large = 1e30 if ops.dtype == "float32" else 1e200
    Y, T = ops.matrix([[3 * large, 4 * large], [0.6, 0.8]]), ops.matrix([[1.0, 0.0], [large, 0.0]])
    np.testing.assert_allclose(ops.to_numpy(loss.rows(ops, Y, T)), [[0.4], [0.4]], rtol=1e-6)
    slope = np.array([[0.6 * 0.6 - 1, 0.8 * 0.6]])
    np.testing.assert_allclose(ops.to_numpy(loss.gradient(ops, Y, T)), np.vstack([slope / (5 * large), slope]), rtol=1e-5)


def test_the_gradient_at_likelihood_zero_is_infinite_at_the_target_alone(ops: Any) -> None:
    Y, T = ops.matrix([[0.0, 1.0], [0.5, 0.5]]), ops.matrix([[1.0, 0.0], [0.0, 1.0]])
    with np.errstate(all="ignore"):
        gradient = ops.to_numpy(LOSSES.build("NegativeLogLikelihood").gradient(ops, Y, T))
    np.testing.assert_array_equal(gradient, [[-np.inf, 0], [0, -2]])


@pytest.mark.parametrize("top", [2, 3, 4])
def test_the_class_is_among_the_largest_outputs(ops: Any, rng: np.random.Generator, top: int) -> None:
    """Of equal outputs the first ones count, as in a stable sort; a row without a target, or with NaN, is never right."""
    labels = rng.integers(5, size=40)
    Y = rng.integers(-2, 3, size=(40, 5)) / 2
    T = np.eye(5)[labels]
    expected = [label in np.argsort(-y, kind="stable")[:top] for y, label in zip(Y, labels, strict=True)]
    T[0], Y[1], expected[:2] = 0, np.nan, [False, False]
    found = ops.to_numpy(SquaredError().correct(ops, ops.matrix(Y), ops.matrix(T), top))[:, 0]
    np.testing.assert_array_equal(found, expected)
    assert 0 < sum(expected) < 40


@pytest.mark.parametrize(("outputs", "threshold"), [(1, 0.5), (1, 0.0), (2, 0.5), (5, 0.5)])
def test_correct_predictions_are_those_of_argmax(ops: Any, rng: np.random.Generator, outputs: int, threshold: float) -> None:
    """Of equal outputs the first counts, so a network that tells nothing is not always right."""
    labels = rng.integers(max(outputs, 2), size=40)
    Y = rng.integers(-2, 3, size=(40, outputs)) / 2
    T = labels[:, None] if outputs == 1 else np.eye(outputs)[labels]
    predicted = np.where(Y[:, 0] > threshold, 1, 0) if outputs == 1 else Y.argmax(axis=1)
    loss = BinaryCrossEntropy() if threshold == 0 else SquaredError()
    assert loss.threshold == threshold
    correct = ops.to_numpy(loss.correct(ops, ops.matrix(Y), ops.matrix(T)))
    np.testing.assert_array_equal(correct[:, 0], predicted == labels)
    np.testing.assert_array_equal(loss.classes_of(Y), predicted)
    assert 0 < correct.sum() < 40
