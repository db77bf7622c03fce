"""Operations on windows against what the index map of the windows says, on whole numbers, which every way to add up gives exactly."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from nerva_core.algebra.geometry import Geometry
from tests.conftest import make_backend
from tests.helpers import as_one

Array = np.ndarray[Any, Any]

GEOMETRIES = [
    Geometry((6, 5), (3, 2), (1, 1), (1, 0), (1, 1)),
    Geometry((5, 6), (3, 2), (2, 3), (1, 1), (1, 2)),
    Geometry.of((7,), 3, 1, 1, 2),
    Geometry.of((9,), 2, 4),
    Geometry.of((4, 4), 2, 2),
    Geometry.of((5, 4), 1, 2),
    Geometry.of((3, 3, 3), 2, 1, 1),
    Geometry.of((1,), 3, 2, 3, 2),
]
"""Of one to three dimensions; with and without stride, padding and dilation; kernels smaller than the stride, and of one position; windows
that see nothing but padding."""


def seen(X: Array, G: Geometry) -> Array:
    """The windows of X, position by position."""
    images = X.reshape(-1, G.positions, X.shape[1])
    padded = np.concatenate([images, 0 * images[:, :1]], axis=1)
    return padded[:, G.map.reshape(-1)].reshape(-1, G.offsets * X.shape[1])


def summed(Z: Array, G: Geometry) -> Array:
    """To each position what the windows have there."""
    parts = Z.reshape(-1, G.map.size, Z.shape[1] // G.offsets)
    images = np.zeros((len(parts), G.positions + 1, parts.shape[2]))
    for k, position in enumerate(G.map.flat):
        images[:, position] += parts[:, k]
    return images[:, :-1].reshape(-1, parts.shape[2])


def check_windows(name: str, G: Geometry) -> None:
    """Every operation on windows, of a backend in float32."""
    ops, rng = make_backend(name, "float32"), np.random.default_rng(0)
    N, C, K = 3, 2, 4

    def whole(m: int, n: int) -> Array:
        return rng.integers(-5, 6, size=(m, n)).astype(float)

    X, W, DY = whole(N * G.positions, C), whole(G.offsets * C, K), whole(N * G.places, K)
    Z, DP, windows = whole(N * G.places, G.offsets * C), whole(N * G.places, C), seen(X, G)
    of_channels = windows.reshape(-1, G.offsets, C).swapaxes(1, 2)
    first = (np.arange(G.offsets) == of_channels.argmax(2)[..., None]) * DP[..., None]
    expected = {
        "windows": ((X,), windows),
        "fold": ((Z,), summed(Z, G)),
        "convolve": ((X, W), windows @ W),
        "convolve_weights": ((X, DY), windows.T @ DY),
        "convolve_inputs": ((DY, W), summed(DY @ W.T, G)),
        "pool_max": ((X,), of_channels.max(2)),
        "pool_max_inputs": ((X, DP), summed(first.swapaxes(1, 2).reshape(len(Z), -1), G)),
    }
    for operation, (given, exact) in expected.items():
        found = as_one(ops, functools.partial(getattr(ops, operation), G=G))(*map(ops.matrix, given))
        np.testing.assert_array_equal(ops.to_numpy(found), exact, err_msg=operation)
