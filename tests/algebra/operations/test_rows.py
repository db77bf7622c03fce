"""Selections and weights of rows, against NumPy and torch."""

import numpy as np
import pytest


def test_the_first_of_several_largest_elements_is_chosen(ops):
    X = np.array([[1, 3, 3], [2, 2, 2], [0, -1, 5], [-4, -4, -9]])
    np.testing.assert_array_equal(ops.to_numpy(ops.first_maxima(ops.matrix(X))), np.eye(3)[[1, 0, 2, 0]])


def test_rows_are_looked_up_and_summed_by_number(ops):
    E, x = np.arange(12.0).reshape(4, 3), np.array([[2], [0], [2]])
    np.testing.assert_array_equal(ops.to_numpy(ops.rows_at(ops.matrix(E), ops.matrix(x))), E[x[:, 0]])
    DY = np.arange(9.0).reshape(3, 3)
    expected = np.zeros((4, 3))
    np.add.at(expected, x[:, 0], DY)
    np.testing.assert_array_equal(ops.to_numpy(ops.sums_at_rows(ops.matrix(DY), ops.matrix(x), 4)), expected)


@pytest.mark.parametrize("scale", [1, 300])
def test_masked_softmax_and_its_gradient_are_those_of_torch(ops, scale):
    import torch

    rng = np.random.default_rng(1)
    S, mask, DP = scale * rng.normal(size=(4, 4)), np.tril(np.ones((4, 4))), rng.normal(size=(4, 4))
    s = torch.tensor(S, requires_grad=True)
    p = torch.softmax(s.masked_fill(torch.tensor(mask) == 0, -torch.inf), dim=1)
    p.backward(torch.tensor(DP))
    P = ops.masked_softmax(ops.matrix(S), ops.matrix(mask))
    np.testing.assert_allclose(ops.to_numpy(P), p.detach().numpy(), atol=1e-4)
    found = ops.to_numpy(ops.softmax_inputs(P, ops.matrix(DP)))
    np.testing.assert_allclose(found, s.grad.numpy(), atol=1e-4)
