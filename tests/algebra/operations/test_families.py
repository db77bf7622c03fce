"""Families: blocks and back, on every backend; every operation acts on each member; a matrix stands for every member."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nerva_core.algebra.numeric_backend import backend

OPS = backend("numpy", dtype="float64")


@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3))
def test_join_is_the_inverse_of_split(m, n, rows, columns):
    X = np.arange(rows * m * columns * n, dtype=float).reshape(rows * m, columns * n)
    F = OPS.split(X, m, n)
    assert OPS.members(F) == rows * columns
    for k in range(rows * columns):
        i, j = divmod(k, columns)
        np.testing.assert_array_equal(OPS.member(F, k), X[i * m : (i + 1) * m, j * n : (j + 1) * n])
    np.testing.assert_array_equal(OPS.join(F, rows), X)


def test_a_matrix_is_a_family_of_one(ops):
    X = ops.matrix(np.arange(6.0).reshape(2, 3))
    for found in (ops.join(X, 1), ops.member(X, 0), ops.members_sum(X)):
        np.testing.assert_array_equal(ops.to_numpy(found), ops.to_numpy(X))
    assert ops.members(X) == 1


def code(ops, F, X):
    """Sums, products, repetition, a softmax: each on the members, with one matrix for all."""
    Y = ops.transpose(F) @ ops.exp(-F + X)
    Y = Y - ops.column_repeat(ops.rows_max(Y), ops.shape(Y)[1])
    Y = ops.join_columns(ops.hadamard(Y, Y), ops.transpose(X) @ X)
    return ops.reshape(ops.shift_columns(ops.where(ops.less(Y, ops.ones(*ops.shape(Y))), Y, ops.abs(Y)), 1), 6, 3)


def test_operations_act_on_each_member(ops):
    rng = np.random.default_rng(1)
    F, X = rng.normal(size=(4, 2, 3)), ops.matrix(rng.normal(size=(2, 3)))
    found = code(ops, ops.family(*map(ops.matrix, F)), X)
    assert ops.members(found) == 4
    for k in range(4):
        alone = code(ops, ops.matrix(F[k]), X)
        np.testing.assert_allclose(ops.to_numpy(ops.member(found, k)), ops.to_numpy(alone), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("reverse", [False, True])
def test_a_scan_is_a_loop(ops, reverse):
    xs = np.arange(1.0, 5.0).reshape(4, 1, 1)

    def body(state, x):
        state = 2 * state + x
        return state, (state, ops.hadamard(x, x))

    last, (states, squares) = ops.scan(body, ops.ones(1, 1), (ops.family(*map(ops.matrix, xs)),), 4, reverse)
    expected, state = [], 1.0
    for x in xs[::-1, 0, 0] if reverse else xs[:, 0, 0]:
        state = 2 * state + x
        expected.append(state)
    assert ops.to_numpy(last).item() == state
    found = [ops.to_numpy(ops.member(states, k)).item() for k in range(4)]
    assert found == (expected[::-1] if reverse else expected)
    assert [ops.to_numpy(ops.member(squares, k)).item() for k in range(4)] == [1, 4, 9, 16]
