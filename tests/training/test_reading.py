"""Batches from files: of every batch those rows are read that a worker needs."""

from pathlib import Path

import numpy as np

from nerva_core.data.dataset import streamed_dataset
from nerva_core.data.streamed import map_npy
from nerva_core.training.reading import BatchReader


def test_only_the_rows_of_the_slices_are_read(tmp_path: Path) -> None:
    X, T = np.arange(20, dtype=np.uint8).reshape(10, 2), np.arange(10) % 3
    np.save(tmp_path / "X.npy", X)
    rows = map_npy(tmp_path / "X.npy")
    data = streamed_dataset("here", rows, T, rows, T, regression=False)
    reader = BatchReader(data, rows, T, 3, "float64")
    numbers = np.array([[3, 1, 4], [9, 5, 0]])
    given, targets = reader.rows(numbers, [slice(1, 3)])
    assert given.shape == (2, 3, 2)
    assert targets.shape == (2, 3, 3)
    assert list(given.parts) == [(1, 3)]
    np.testing.assert_array_equal(given[:, 1:3], X[numbers[:, 1:]])
    np.testing.assert_array_equal(targets[:, 1:3], np.eye(3)[T[numbers[:, 1:]]])
    assert given[:, 1:3].dtype == np.float64
    whole, _ = reader.rows(numbers, [slice(0, 3)])
    np.testing.assert_array_equal(whole[:, :], X[numbers])
