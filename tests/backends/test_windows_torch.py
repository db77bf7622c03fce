"""Whole numbers on windows of all kinds, and for which windows there are kernels."""

from __future__ import annotations

import numpy as np
import pytest

from nerva_core.algebra.geometry import Geometry
from tests.backends.windows import GEOMETRIES, check_windows
from tests.conftest import make_backend

torch = pytest.importorskip("torch")

from backends.windows_torch import plane  # noqa: E402


def test_sequences_are_images_of_one_row() -> None:
    found = plane(torch.ones(6, 1), Geometry.of((6,), 3, 2, 1))
    assert found is not None
    assert found == ((1, 6), (1, 3), (1, 3), (1, 2), (0, 1), (1, 1))


def test_there_are_none_of_three_dimensions_nor_for_families() -> None:
    assert plane(torch.ones(8, 1), Geometry.of((2, 2, 2), 2)) is None
    assert plane(torch.ones(2, 4, 1), Geometry.of((2, 2), 2)) is None


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=repr)
def test_operations_on_windows(geometry: Geometry) -> None:
    check_windows("torch", geometry)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_one_example_and_one_channel(dtype: str) -> None:
    """For which PyTorch has other kernels, that do not take tensors in every order."""
    ops, G = make_backend("torch", dtype), Geometry.of((3, 3), 2)
    for C, K in ((2, 1), (1, 2), (1, 1)):
        X, DY, W = (ops.matrix(np.ones(shape)) for shape in ((G.positions, C), (G.places, K), (G.offsets * C, K)))
        np.testing.assert_array_equal(ops.to_numpy(ops.convolve(X, W, G)), G.offsets * C)
        np.testing.assert_array_equal(ops.to_numpy(ops.convolve_weights(X, DY, G)), G.places)
        seen = np.array([1, 2, 1, 2, 4, 2, 1, 2, 1])[:, None] * K
        np.testing.assert_array_equal(ops.to_numpy(ops.convolve_inputs(DY, W, G)), np.broadcast_to(seen, (9, C)))
