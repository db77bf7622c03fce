"""Windows as the matrices S_u of their geometry, and convolution as the frameworks have it: equal on integers, bit for bit."""

import numpy as np
import pytest

from nerva_core.algebra.geometry import Geometry
from tests.matrix_inputs import GEOMETRIES, whole


def selections(G):
    """S_u for every u, Q x P."""
    return [(G.map[:, u, None] == np.arange(G.positions)).astype(float) for u in range(G.offsets)]


@pytest.mark.parametrize("G", GEOMETRIES, ids=str)
def test_windows_are_the_selected_positions_side_by_side(ops, G):
    N, C = 2, 3
    X = whole(np.random.default_rng(1), N * G.positions, C, "float64")
    images = X.reshape(N, G.positions, C)
    expected = np.concatenate([S @ images for S in selections(G)], axis=-1).reshape(N * G.places, -1)
    np.testing.assert_array_equal(ops.to_numpy(ops.windows(ops.matrix(X), G)), expected)


@pytest.mark.parametrize("G", GEOMETRIES, ids=str)
def test_fold_is_the_adjoint(ops, G):
    rng = np.random.default_rng(2)
    X, Z = whole(rng, 2 * G.positions, 3, "float64"), whole(rng, 2 * G.places, 3 * G.offsets, "float64")
    forward = ops.to_numpy(ops.windows(ops.matrix(X), G))
    backward = ops.to_numpy(ops.fold(ops.matrix(Z), G))
    assert (forward * Z).sum() == (X * backward).sum()


@pytest.mark.parametrize(
    "G",
    [Geometry.of((6, 5), k, s, p, d) for k in (1, 2, 3) for s in (1, 2) for p in (0, 1) for d in (1, 2)],
    ids=str,
)
def test_convolution_and_its_gradients_are_those_of_torch(ops, G):
    import torch

    rng = np.random.default_rng(3)
    N, C, K = 2, 3, 4
    X, W = whole(rng, N * G.positions, C, "float64"), whole(rng, G.offsets * C, K, "float64")
    DY = whole(rng, N * G.places, K, "float64")
    x = torch.tensor(X.reshape(N, *G.size, C)).permute(0, 3, 1, 2).requires_grad_()
    w = torch.tensor(W.reshape(*G.kernel, C, K)).permute(3, 2, 0, 1).requires_grad_()
    y = torch.nn.functional.conv2d(x, w, stride=G.stride, padding=G.padding, dilation=G.dilation)
    y.backward(torch.tensor(DY.reshape(N, *G.out, K)).permute(0, 3, 1, 2))

    def rows(t):
        return t.detach().permute(0, 2, 3, 1).reshape(-1, t.shape[1]).numpy()

    x_, w_, dy = map(ops.matrix, (X, W, DY))
    np.testing.assert_array_equal(ops.to_numpy(ops.convolve(x_, w_, G)), rows(y))
    np.testing.assert_array_equal(ops.to_numpy(ops.convolve_inputs(dy, w_, G)), rows(x.grad))
    expected = w.grad.permute(2, 3, 1, 0).reshape(-1, K).numpy()
    np.testing.assert_array_equal(ops.to_numpy(ops.convolve_weights(x_, dy, G)), expected)


def test_windows_of_each_channel_and_back(ops):
    G, C = Geometry.of((4, 4), 2, stride=2), 3
    X = np.arange(2.0 * G.positions * C).reshape(-1, C)
    Z = ops.to_numpy(ops.channel_windows(ops.matrix(X), G))
    for row, (n, q, c) in enumerate(np.ndindex(2, G.places, C)):
        np.testing.assert_array_equal(Z[row], X[n * G.positions + G.map[q], c])
    np.testing.assert_array_equal(ops.to_numpy(ops.channel_fold(ops.matrix(Z), C, G)), X)  # these windows do not overlap
