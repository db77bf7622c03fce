"""Batches that are read from files: of every batch those rows that this worker needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nerva_core.algebra.memory import Array
from nerva_core.data import Dataset
from nerva_core.data.streamed import FileRows


@dataclass(frozen=True, eq=False)
class BatchRows:
    """What some steps are given, of which only some rows of each batch are there: steps x N x columns."""

    shape: tuple[int, ...]
    parts: dict[tuple[int, int], Array]
    """By the first row of a batch, and the row after its last one."""

    def __getitem__(self, key: tuple[slice, slice]) -> Array:
        """Of all steps, the rows of a part."""
        _, rows = key
        return self.parts[rows.start or 0, self.shape[1] if rows.stop is None else rows.stop]


@dataclass(frozen=True, eq=False)
class BatchReader:
    """Reads batches of examples and makes their targets, as matrices in one dtype."""

    data: Dataset
    X: FileRows
    T: Array
    outputs: int
    dtype: Any

    def rows(self, numbers: Array, slices: list[slice]) -> tuple[BatchRows, BatchRows]:
        """X and T of steps on the rows with these numbers, steps x N; of each batch only the slices are read."""
        found: tuple[dict[tuple[int, int], Array], dict[tuple[int, int], Array]] = {}, {}
        for at in slices:
            chosen = numbers[:, at]
            X, T = self.X[chosen.reshape(-1)], self.data.targets(self.T[chosen.reshape(-1)], self.outputs)
            for parts, matrix in zip(found, (X, T), strict=True):
                parts[at.start, at.stop] = matrix.astype(self.dtype, copy=False).reshape(*chosen.shape, -1)
        columns = [next(iter(parts.values())).shape[-1] for parts in found]
        given = [BatchRows((*numbers.shape, n), parts) for n, parts in zip(columns, found, strict=True)]
        return given[0], given[1]
