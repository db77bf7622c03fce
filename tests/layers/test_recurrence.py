"""The loop over positions: carried state, directions, positions, initial values."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.algebra.trees import leaves
from nerva_core.layers import GRU, LSTM, RNN, Linear, Sequences, Sequential
from tests.conftest import installed, make_backend
from tests.helpers import to_ops

N, L, D, K = 2, 3, 4, 5


def test_a_sequence_in_two_parts_is_the_whole_sequence(ops: Backend) -> None:
    """The state and its gradient are handed on, so two windows are one; without the gradient it is truncated backpropagation."""
    rng = np.random.default_rng(0)
    whole, half = replace(LSTM(K), length=2 * L), replace(LSTM(K), length=L)
    params = to_ops(ops, whole.init(rng, D))
    X, DY = rng.normal(size=(N, 2, L, D)), rng.normal(size=(N, 2, L, K))
    Y, cache = whole.feedforward(ops, params, ops.matrix(X.reshape(-1, D)))
    DX, gradients = whole.backpropagate(ops, params, cache, ops.matrix(DY.reshape(-1, K)))

    def part(A: Any, k: int) -> Any:
        return ops.matrix(A[:, k].reshape(N * L, -1))

    zero = half.zero(ops, N * L)
    Y1, state, cache1 = half.through(ops, params, part(X, 0), zero)
    Y2, _, cache2 = half.through(ops, params, part(X, 1), state)
    DX2, Dstate, gradients2 = half.back(ops, params, cache2, part(DY, 1), zero)
    DX1, _, gradients1 = half.back(ops, params, cache1, part(DY, 0), Dstate)
    for one, two, both in ((Y1, Y2, Y), (DX1, DX2, DX)):
        parts = np.stack([ops.to_numpy(one).reshape(N, L, -1), ops.to_numpy(two).reshape(N, L, -1)], axis=1)
        np.testing.assert_allclose(parts.reshape(N * 2 * L, -1), ops.to_numpy(both), rtol=0, atol=1e-12)
    for a, b, both in zip(*map(leaves, (gradients1, gradients2, gradients)), strict=True):
        np.testing.assert_allclose(ops.to_numpy(a) + ops.to_numpy(b), ops.to_numpy(both), rtol=0, atol=1e-12)


def test_the_second_direction_is_the_first_on_reversed_sequences(ops: Backend) -> None:
    rng = np.random.default_rng(0)
    both = replace(RNN(K, bidirectional=True), length=L)
    params, X = both.init(rng, D), rng.normal(size=(N, L, D))
    params = to_ops(ops, params)
    Y, _ = both.feedforward(ops, params, ops.matrix(X.reshape(N * L, D)))
    one = replace(RNN(K), length=L)
    backward, _ = one.feedforward(ops, params.backward, ops.matrix(X[:, ::-1].reshape(N * L, D)))
    Y, backward = ops.to_numpy(Y).reshape(N, L, 2 * K), ops.to_numpy(backward).reshape(N, L, K)
    np.testing.assert_allclose(Y[:, :, K:], backward[:, ::-1], rtol=0, atol=1e-14)


def test_compiled_it_gives_the_same(ops: Backend) -> None:
    rng, layer = np.random.default_rng(0), replace(LSTM(K, bidirectional=True), length=L)
    given = to_ops(ops, (layer.init(rng, D), rng.normal(size=(N * L, D)), rng.normal(size=(N * L, 2 * K))))

    def step(params: Any, X: Any, DY: Any) -> Any:
        Y, cache = layer.feedforward(ops, params, X)
        return Y, layer.backpropagate(ops, params, cache, DY)

    for found, expected in zip(*map(leaves, (ops.compile(step)(*given), step(*given))), strict=True):
        np.testing.assert_allclose(ops.to_numpy(found), ops.to_numpy(expected), rtol=0, atol=1e-12)


@pytest.mark.skipif(not installed("tensorflow"), reason="TensorFlow is not installed")
def test_the_number_of_sequences_may_be_unknown() -> None:
    """As where TensorFlow compiles a step for batches of any size; the length is known."""
    import tensorflow as tf

    ops, layer, rng = make_backend("tensorflow", "float64"), replace(GRU(K), length=L), np.random.default_rng(0)
    params, X = to_ops(ops, (layer.init(rng, D), rng.normal(size=(N * L, D))))
    anything = tf.TensorSpec((None, D), tf.float64)

    @tf.function(input_signature=[anything], autograph=False)
    def step(X: Any) -> Any:
        Y, cache = layer.feedforward(ops, params, X)
        return layer.backpropagate(ops, params, cache, Y)

    Y, cache = layer.feedforward(ops, params, X)
    for found, expected in zip(*map(leaves, (step(X), layer.backpropagate(ops, params, cache, Y))), strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)


def test_a_network_knows_the_length_and_the_columns() -> None:
    network = Sequential((Sequences(L), LSTM(K, bidirectional=True), LSTM(K), Linear(2)))
    assert [layer.length for layer in network.layers[1:3]] == [L, L]
    assert network.widths(L * D) == [L * D, D, 2 * K, K, 2]
    assert network.shapes(L * D)[1].backward.U == (4 * K, K)
    assert repr(network.layers[2]).startswith(f"LSTM(outputs={K}")


def test_gates_are_drawn_as_layers_of_their_own() -> None:
    """Xavier's bound √(6 / (inputs + outputs)) is that of a gate with K outputs, for U with K inputs."""
    params = replace(LSTM(50), length=L).init(np.random.default_rng(0), 10)
    assert np.abs(params.W).max() == pytest.approx((6 / 60) ** 0.5, rel=0.01)
    assert np.abs(params.U).max() == pytest.approx((6 / 100) ** 0.5, rel=0.01)
    assert not params.b.any()
    assert not params.c.any()


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (lambda: LSTM(K).L, r"does not know the length of a sequence; begin the network with Sequences\(length\)"),
        (lambda: replace(LSTM(K), length=L).rows_for(7), "takes sequences of 3 positions, a row each, got 7 rows"),
        (lambda: LSTM(0), "outputs must be >= 1"),
    ],
)
def test_what_does_not_fit_is_refused(code: Any, message: str) -> None:
    with pytest.raises(NervaError, match=message):
        code()
