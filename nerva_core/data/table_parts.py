"""Tables that are larger than memory: a .parquet, .feather or .arrow file is read column by column to learn from it, and then in parts.

What is written is what ``TableFile`` reads into memory, bit for bit: the same split, the same categories and medians.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.memory import Array
from nerva_core.algebra.numeric_backend import require
from nerva_core.data.tables import DataTable, Values, of_frame

ROWS = 2**14
"""Rows of a part."""


class ArrowFile:
    """The columns of a file of Parquet's or Arrow's format, which stays on the disk."""

    def __init__(self, path: Path) -> None:
        """NervaError if the file is damaged or of another format."""
        self.path, self.arrow = path, require("pyarrow", "tables")
        self._parquet = require("pyarrow.parquet", "tables").ParquetFile if path.suffix.lower() == ".parquet" else None
        self._ipc = require("pyarrow.ipc", "tables")
        schema = self._tried(lambda: self._parquet(path).schema_arrow if self._parquet else self._opened().schema)
        self.names: list[str] = list(schema.names)

    def column(self, name: str) -> Values:
        """All cells of a column."""
        parts = self._tried(lambda: list(self._batches([name])))
        return of_frame(self.arrow.Table.from_batches(parts), str(self.path)).columns[name]

    def parts(self, names: Sequence[str]) -> Iterator[DataTable]:
        """So many rows at a time of these columns."""
        for batch in self._batches(names):
            for start in range(0, batch.num_rows, ROWS):
                yield of_frame(self.arrow.Table.from_batches([batch.slice(start, ROWS)]), str(self.path))

    def _batches(self, names: Sequence[str]) -> Iterator[Any]:
        if self._parquet:
            yield from self._parquet(self.path, memory_map=True).iter_batches(batch_size=ROWS, columns=list(names))
            return
        reader = self._opened([self.names.index(name) for name in names])
        for k in range(reader.num_record_batches):
            yield reader.get_batch(k)

    def _opened(self, fields: Sequence[int] | None = None) -> Any:
        options = self._ipc.IpcReadOptions(included_fields=None if fields is None else sorted(fields))
        return self._ipc.open_file(self.arrow.memory_map(str(self.path)), options=options)

    def _tried(self, read: Any) -> Any:
        try:
            return read()
        except Exception as error:  # ArrowInvalid, OSError and others
            raise NervaError(f"cannot read {self.path}: {' '.join(str(error).split())[:300]}") from None


class ColumnsOnDisk(Mapping[str, Values]):
    """The columns of a file, each read when it is asked for."""

    def __init__(self, file: ArrowFile) -> None:
        self.file = file

    def __getitem__(self, name: str) -> Values:
        if name not in self.file.names:
            raise KeyError(name)
        return self.file.column(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.file.names)

    def __len__(self) -> int:
        return len(self.file.names)

    def __contains__(self, name: object) -> bool:
        return name in self.file.names


def write_split(X: Iterator[Array], D: int, files: Mapping[Path, Array]) -> None:
    """Write into each of the .npy files those rows of X with the numbers that belong to it, in their order; X comes in parts of N x D."""
    written = []
    for file, rows in files.items():
        order = np.argsort(rows)
        written.append((np.lib.format.open_memmap(file, mode="w+", dtype=np.float64, shape=(len(rows), D)), rows[order], order))
    start = 0
    for part in X:
        for out, rows, places in written:
            first, last = np.searchsorted(rows, (start, start + len(part)))
            out[places[first:last]] = part[rows[first:last] - start]
        start += len(part)
    for out, _, _ in written:
        out.flush()
