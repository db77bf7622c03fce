"""Examples that stay in a file: the rows of a batch are read when it is due, converted and scaled as if all had been in memory."""

from __future__ import annotations

import math
import mmap
import struct
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.memory import Array
from nerva_core.data.encoding import Encoding
from nerva_core.data.formats import idx_header, npy_header

CHUNK = 2**24
"""Bytes of a file, about, that are looked at at once."""

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class FileRows:
    """N x D numbers in a file. Rows are read as a matrix: ``X[numbers]``, in the dtype that the whole would have in memory."""

    file: mmap.mmap
    raw: Array
    """The array in the file, as it is there."""
    count: int
    """The rows that are used: the first so many."""
    encoding: Encoding = Encoding()

    @property
    def shape(self) -> tuple[int, int]:
        """(N, D)."""
        return self.count, math.prod(self.raw.shape[1:])

    @property
    def dtype(self) -> Any:
        """That of the rows: float32 for bytes and float32, float64 for all else."""
        return np.dtype(np.float32 if self.raw.dtype in (np.uint8, np.float32) else np.float64)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, rows: Any) -> Array:
        """The rows with the numbers, or of the slice, as a matrix. The pages that were read are given back to the system."""
        values = self.raw[: self.count][rows]
        result = self.encoding.inputs(values.reshape(len(values), -1).astype(self.dtype))
        self.file.madvise(mmap.MADV_DONTNEED)
        return result

    def whole(self) -> Array:
        """All of it in memory, in the shape and the dtype that it has in the file."""
        return np.array(self.raw)

    def first(self, count: int | None) -> FileRows:
        """The first so many rows, or all."""
        return self if count is None else replace(self, count=min(count, self.count))

    def encoded(self, encoding: Encoding) -> FileRows:
        """The rows, scaled."""
        return replace(self, encoding=encoding)

    def chunks(self) -> Iterator[Array]:
        """All rows, some at a time."""
        return chunks(self)

    def require_finite(self, what: str) -> None:
        """NervaError if a number is infinite or none."""
        start = 0
        for chunk in self.chunks() if self.raw.dtype.kind == "f" else ():
            bad = ~np.isfinite(chunk)
            if bad.any():
                row, column = np.argwhere(bad)[0]
                raise NervaError(f"{what} must be finite, got {chunk[row, column]} in row {start + row}, column {column}")
            start += len(chunk)

    # What scaling asks of a matrix, with the same bits.

    def min(self) -> Any:
        """The smallest number."""
        return np.min([chunk.min() for chunk in self.chunks()])

    def max(self) -> Any:
        """The largest number."""
        return np.max([chunk.max() for chunk in self.chunks()])

    def mean(self, axis: int, dtype: Any) -> Array:
        """The mean of each column."""
        return self._column_sums(lambda chunk: chunk.astype(dtype)) / self.count

    def var(self, axis: int, dtype: Any) -> Array:
        """The variance of each column."""
        mean = self.mean(axis, dtype)
        return self._column_sums(lambda chunk: np.square(chunk.astype(dtype) - mean)) / self.count

    def _column_sums(self, f: Callable[[Array], Array]) -> Array:
        """Sums in the order of the rows, as NumPy adds the rows of a matrix."""
        total: Array | None = None
        for chunk in self.chunks():
            values = f(chunk)
            total = np.add.reduce(values if total is None else np.concatenate([total[None], values]), axis=0)
        assert total is not None
        return total


def map_array(path: Path, dtype: Any, shape: tuple[int, ...], offset: int, least: int = 2) -> FileRows:
    """The array in a file from a place on, of so many dimensions at least; NervaError if the file is too short for it."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    try:
        with path.open("rb") as file:
            memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise NervaError(f"cannot read {path}: {error}") from None
    if offset + size > len(memory) or len(shape) < least or 0 in shape:
        raise NervaError(
            f"{path} is damaged, or no matrix: shape {shape} needs {size} bytes after the first {offset}, but it has {len(memory) - offset}"
        )
    if np.dtype(dtype).kind not in "fiub":
        raise NervaError(f"{path} must hold numbers, got dtype {np.dtype(dtype)}")
    memory.madvise(mmap.MADV_RANDOM)
    return FileRows(memory, np.frombuffer(memory, dtype, math.prod(shape), offset).reshape(shape), shape[0])


def map_npy(path: Path, start: int = 0, size: int | None = None, least: int = 2) -> FileRows:
    """The array of an .npy file, or of one that begins at a place in another file."""
    try:
        with path.open("rb") as file:
            file.seek(start)
            shape, fortran, dtype = npy_header(path, file)
            offset = file.tell()
    except (OSError, ValueError, EOFError) as error:
        raise NervaError(f"cannot read {path}: {error}") from None
    if fortran and len(shape) > 1:
        raise NervaError(f"{path} is stored column by column; write it row by row: np.save(path, np.ascontiguousarray(X))")
    if size is not None and offset - start + math.prod(shape) * dtype.itemsize != size:
        raise NervaError(f"{path} is damaged: an array of shape {shape} has not {size} bytes")
    return map_array(path, dtype, shape, offset, least)


def map_idx(path: Path) -> FileRows:
    """The array of an IDX file that is not compressed."""
    with path.open("rb") as file:
        dtype, shape = idx_header(path, file)
        return map_array(path, dtype, shape, file.tell())


def map_member(path: Path, name: str, least: int = 2) -> FileRows:
    """An array of an .npz archive that is stored, as ``np.savez`` does; NervaError if it is compressed."""
    try:
        with zipfile.ZipFile(path) as archive, path.open("rb") as file:
            info = archive.getinfo(f"{name}.npy")
            file.seek(info.header_offset + 26)
            lengths = struct.unpack("<HH", file.read(4))  # of the name and of what follows it, in the local header
    except (OSError, KeyError, zipfile.BadZipFile, struct.error) as error:
        raise NervaError(f"cannot read {name} in the archive {path}: {error}") from None
    if info.compress_type != zipfile.ZIP_STORED:
        raise NervaError(f"{path} is compressed, so it cannot be read in parts; write it with np.savez, or give Cached(source=NPZ(...))")
    return map_npy(path, info.header_offset + 30 + sum(lengths), info.file_size, least)


def write_arrays(folder: Path, data: Any, source: str) -> None:
    """Write the four arrays of a data set as .npy files, and last the text that says of what source they are."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("Xtrain", "Ttrain", "Xtest", "Ttest"):
            _write(folder / f"{name}.npy", getattr(data, name))
        partial = folder / "source.partial"
        partial.write_text(source, encoding="utf-8")
        partial.replace(folder / "source.txt")
    except OSError as error:
        raise NervaError(f"cannot write the arrays into {folder}: {error.strerror}") from None


def _write(path: Path, X: FileRows | Array) -> None:
    if not isinstance(X, FileRows):
        np.save(path, np.ascontiguousarray(X), allow_pickle=False)
        return
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": X[:1].dtype.str, "fortran_order": False, "shape": X.shape})
        for chunk in X.chunks():
            file.write(np.ascontiguousarray(chunk).data)


def ahead(items: Iterator[T]) -> Iterator[T]:
    """The items, each made by another thread while the one before is used."""
    with ThreadPoolExecutor(1, "nerva-ahead") as thread:
        coming = thread.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = thread.submit(next, items, None)
            yield item


def chunks(X: FileRows | Array) -> Iterator[Array]:
    """All rows of a matrix, some at a time."""
    step = max(1, CHUNK // max(1, X.shape[1] * X.dtype.itemsize))
    for start in range(0, len(X), step):
        yield X[start : start + step]
