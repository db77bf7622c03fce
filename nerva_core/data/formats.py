"""Readers of files that may come from anywhere: IDX, CIFAR's binary layout, NumPy archives, CSV.

Sizes that a file states are compared with the bytes that it has before anything of that size is made, so that a damaged or
hostile file is an error and not an exhausted memory. Nothing is ever unpickled.
"""

from __future__ import annotations

import csv
import gzip
import io
import lzma
import math
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from nerva_core.algebra.errors import NervaError, counted
from nerva_core.algebra.memory import Array

IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}

LARGEST = 2**32
"""Bytes of one array in a compressed file, uncompressed; more is refused."""

MISSING = frozenset({"", "na", "n/a", "#n/a", "#na", "<na>", "nan", "-nan", "null", "?"})
"""What tables write where there is no value, in lower case."""

DEFLATE_RATIO = 1032
"""The largest factor by which deflate compresses."""


def read_idx(path: Path) -> Array:
    """The array in an IDX file, plain or gzipped."""
    try:
        size, zipped = path.stat().st_size, path.suffix == ".gz"
        with gzip.open(path) if zipped else path.open("rb") as file:
            return _idx(path, file, min(LARGEST, DEFLATE_RATIO * size) if zipped else size)
    except gzip.BadGzipFile as error:
        with path.open("rb") as file:
            zipped = file.read(2) == b"\x1f\x8b"
        reason = f"there is something else after its gzip data ({error})" if zipped else "it is not gzipped, although its name ends in .gz"
        raise NervaError(f"cannot read {path}: {reason}") from None
    except (OSError, EOFError, zlib.error) as error:
        raise NervaError(f"cannot read {path}: {error}") from None


def idx_header(path: Path, file: BinaryIO | gzip.GzipFile) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """The dtype and the shape that the header of an IDX file states."""
    magic = file.read(4)
    if len(magic) == 4 and magic[2:] == b"\0\0" and magic[1] in IDX_TYPES and 1 <= magic[0] <= 8:
        raise NervaError(f"{path} is an IDX file with its bytes in the reverse order (little-endian); IDX numbers are big-endian")
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in IDX_TYPES:
        raise NervaError(f"{path} is not an IDX file: it must begin with two zero bytes and a type code, got {magic.hex() or 'nothing'}")
    dimensions = magic[3]
    sizes = file.read(4 * dimensions)
    if len(sizes) < 4 * dimensions:
        raise NervaError(f"{path} is damaged: it ends within the sizes of its {dimensions} dimensions")
    return np.dtype(IDX_TYPES[magic[2]]), struct.unpack(f">{dimensions}I", sizes)


def _idx(path: Path, file: BinaryIO | gzip.GzipFile, most: int) -> Array:
    dtype, shape = idx_header(path, file)
    dimensions = len(shape)
    expected = math.prod(shape) * dtype.itemsize
    content = file.read(expected + 1) if expected <= most and dimensions <= 8 else b""
    if len(content) != expected or dimensions > 8:
        more = "more" if len(content) > expected else "fewer"
        raise NervaError(f"{path} is damaged: shape {shape[:8]} needs {expected} bytes after the header, but it has {more}")
    return np.frombuffer(content, dtype=dtype).reshape(shape).astype(dtype.newbyteorder("="))


def read_npz(path: Path) -> dict[str, Array]:
    """The arrays of a NumPy archive. Pickled objects are refused, never loaded."""
    try:
        with path.open("rb") as file:
            if file.read(6) == b"\x93NUMPY":
                raise NervaError(f"{path} is a single array; expected an .npz archive of named arrays, as np.savez(path, X=X, y=y) makes")
            with zipfile.ZipFile(file) as archive:
                return {info.filename.removesuffix(".npy"): _member(path, archive, info) for info in archive.infolist()}
    except zipfile.BadZipFile as error:
        if not zipfile.is_zipfile(path):
            raise NervaError(f"{path} holds pickled Python objects or is no .npz archive; only archives of plain arrays are read") from None
        raise NervaError(f"cannot read the archive {path}: {error}") from None
    except NervaError:
        raise
    except (OSError, EOFError, ValueError, TypeError, KeyError, RuntimeError, struct.error, zlib.error, lzma.LZMAError) as error:
        raise NervaError(f"cannot read the archive {path}: {error}") from None  # NotImplementedError is a RuntimeError


def _member(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Array:
    if info.file_size > LARGEST:
        raise NervaError(f"{path}: {info.filename} has {info.file_size} bytes; at most {LARGEST} are read")
    content = archive.read(info)
    stream = io.BytesIO(content)
    shape, fortran, dtype = npy_header(path, stream)
    expected, start = math.prod(shape) * dtype.itemsize, stream.tell()
    if min(shape, default=0) < 0 or len(content) - start != expected:
        raise NervaError(f"{path} is damaged: {info.filename} of shape {shape} needs {expected} bytes, got {len(content) - start}")
    return np.frombuffer(content, dtype=dtype, offset=start).reshape(shape, order="F" if fortran else "C")


def npy_header(path: Path, stream: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """The shape, whether columns come first, and the dtype that the header of an array of NumPy states."""
    read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    version = np.lib.format.read_magic(stream)
    if version not in read_header:
        raise NervaError(f"{path} holds what is no array of numbers")
    shape, fortran, dtype = read_header[version](stream)
    if dtype.hasobject:
        raise NervaError(f"{path} holds pickled Python objects; only plain arrays are read")
    return shape, fortran, dtype


def read_cifar(path: Path, labels: int = 1) -> Array:
    """The records of one file of CIFAR in its binary layout, each so many labels and 3,072 pixels: one of CIFAR-10, two of CIFAR-100."""
    size = labels + 3072
    try:
        content = np.frombuffer(path.read_bytes(), dtype=np.uint8)
    except OSError as error:
        raise NervaError(f"cannot read {path}: {error.strerror}") from None
    if len(content) == 0 or len(content) % size:
        raise NervaError(f"{path} is damaged: its records have {size} bytes, but it has {len(content)}")
    return content.reshape(-1, size)


class CSVTable(NamedTuple):
    """The cells of a CSV file, as text."""

    path: Path
    names: tuple[str, ...]
    """Of the columns, as the header has them; empty if there is no header."""
    lines: list[int]
    """The line number of each row."""
    rows: list[list[str]]

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self.rows[0])

    def column(self, j: int) -> list[str]:
        """The cells of one column, without spaces around them."""
        return [row[j].strip() for row in self.rows]

    def labels(self, j: int) -> list[str]:
        """The cells of a column of classes; NervaError that names the line where there is none."""
        cells = self.column(j)
        for line, cell in zip(self.lines, cells, strict=True):
            if cell.casefold() in MISSING:
                raise NervaError(
                    f"{self._where(line, j)}: expected a class, got {cell!r}, a missing value; leave the row out, or give the class a name"
                )
        return cells

    def numbers(self, columns: list[int]) -> Array:
        """These columns as a matrix; NervaError that names the cell which is no number."""
        return np.array(
            [[self._number(line, j, row[j]) for j in columns] for line, row in zip(self.lines, self.rows, strict=True)], dtype=np.float64
        )

    def _number(self, line: int, j: int, text: str) -> float:
        if not is_number(text):
            raise NervaError(f"{self._where(line, j)}: expected a number, got {text[:80]!r}")
        if not math.isfinite(float(text)):
            raise NervaError(f"{self._where(line, j)}: numbers must be finite, got {text.strip()[:80]!r}")
        return float(text)

    def _where(self, line: int, j: int) -> str:
        return f"{self.path}, line {line}, column {(self.names[j] if self.names else str(j))!r}"


def read_csv(path: Path) -> CSVTable:
    """The table in a CSV file. Its first row is a header, unless a cell of it is a number (the last one not counted: it may be a class)."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:  # Excel puts a mark before the text
            reader, numbered, line = csv.reader(file), [], 1
            for row in reader:
                if any(cell.strip() for cell in row):
                    numbered.append((line, row))
                line = reader.line_num + 1  # a cell in quotes may go over several lines
    except UnicodeDecodeError as error:
        raise NervaError(f"cannot read {path}: it is not UTF-8 text (byte {error.object[error.start]:#x} at {error.start})") from None
    except (OSError, csv.Error) as error:
        raise NervaError(f"cannot read {path}: {error}") from None
    if not numbered:
        raise NervaError(f"{path} is empty; expected a row of numbers for each example")
    first = numbered[0][1]
    for n, row in numbered:
        if len(row) != len(first):
            raise NervaError(f"{path}, line {n}: expected {counted(len(first), 'column')}, got {len(row)}")
    has_header = not any(is_number(cell) for cell in first[: max(1, len(first) - 1)])
    if has_header and len(numbered) == 1:
        raise NervaError(f"{path} has a header but no rows")
    names = tuple(cell.strip() for cell in first) if has_header else ()
    twice = [name for name in names if name and names.count(name) > 1]
    if twice:
        places = " and ".join(str(j + 1) for j, name in enumerate(names) if name == twice[0])
        raise NervaError(f"{path}: the columns must have different names, but {twice[0]!r} is that of columns {places}")
    if not has_header and _numbers_columns(numbered):
        raise NervaError(
            f"{path}: its first line, {','.join(first)[:80]!r}, looks like numbers of the columns and not like an example: "
            "give the columns names, or leave the line out (pandas: to_csv(..., index=False, header=False))"
        )
    lines, rows = zip(*numbered[has_header:], strict=True)
    return CSVTable(path, names, list(lines), list(rows))


def _numbers_columns(numbered: list[tuple[int, list[str]]]) -> bool:
    """Whether the first row counts, as 0, 1, 2, ... that pandas writes above columns without names.

    A few integers may be an example that counts by chance, if the others are integers too.
    """
    first = [cell.strip() for cell in numbered[0][1]]
    if len(numbered) < 2 or len(first) < 2 or not all(cell.isascii() and cell.isdecimal() and len(cell) < 10 for cell in first):
        return False
    counts = [int(cell) for cell in first] == list(range(int(first[0]), int(first[0]) + len(first)))
    return counts and (len(first) > 4 or any(not cell.strip().lstrip("-").isdecimal() for _, row in numbered[1:] for cell in row[:-1]))


def is_number(text: str) -> bool:
    """Whether a cell is a number as other programs write it too: 1_000 is Python's own."""
    if "_" in text:
        return False
    try:
        float(text)
    except ValueError:
        return False
    return True
