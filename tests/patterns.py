"""Random patterns, and what a kernel gives beside the definition, on integers, where every sum is exact."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from backends.numpy import NumpyBackend
from nerva_core.algebra.matrix_ops import MatrixOps
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.layers.sparse import Pattern


def random_pattern(rng: np.random.Generator, K: int, D: int, P: int) -> Pattern:
    return Pattern.at(np.sort(rng.choice(K * D, P, replace=False)), D)


def patterns(rng: np.random.Generator) -> Iterator[tuple[Pattern, int, int]]:
    """One place, all places, and random ones, with empty rows and columns; of a few shapes, as XLA compiles for each."""
    for K, D, P in ((5, 7, 1), (5, 7, 35), (5, 7, 9), (5, 7, 9), (1, 4, 2), (4, 1, 2)):
        yield random_pattern(rng, K, D, P), K, D


def assert_exact(ops: Backend, rng: np.random.Generator) -> None:
    exact: Backend = NumpyBackend(ops.dtype)
    for pattern, K, D in patterns(rng):
        r, c = map(ops.matrix, pattern)
        X, DY, w = (ops.matrix(rng.integers(-50, 51, shape)) for shape in ((3, D), (3, K), (1, len(pattern.r))))
        for name, arguments in {
            "scattered": (w, r, c, K, D),
            "sparse_product": (X, w, r, c, K),
            "sparse_product_t": (DY, w, r, c, D),
            "sampled_product": (DY, X, r, c),
        }.items():
            actual = ops.to_numpy(getattr(ops, name)(*arguments))
            plain = [x if isinstance(x, int) else exact.matrix(ops.to_numpy(x)) for x in arguments]
            expected = getattr(MatrixOps, name)(exact, *plain)
            assert actual.dtype == expected.dtype, name
            np.testing.assert_array_equal(actual, expected, err_msg=f"{name} of {ops.name} on {pattern}")
