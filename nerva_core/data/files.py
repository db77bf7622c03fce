"""Data files: IDX (MNIST, Fashion-MNIST), CIFAR-10's binary layout, NumPy archives and CSV."""

from __future__ import annotations

import csv
import gzip
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from nerva_core.data.dataset import Array, Dataset, Scaling, class_numbers, make_dataset, split
from nerva_core.data.sources import SOURCES, DataSource
from nerva_core.errors import NervaError, did_you_mean
from nerva_core.registry import Fraction

Task = Literal["classification", "regression"]

IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


@SOURCES.add
@dataclass(frozen=True, kw_only=True)
class IDX(DataSource):
    """A directory with the four IDX files of MNIST (train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-...), plain or gzipped."""

    aliases: ClassVar[tuple[str, ...]] = ("MNIST",)
    path: str
    scaling: Scaling = "unit"

    def read(self) -> Dataset:
        folder = _existing(self.path, "a directory")
        arrays = [
            read_idx(_one_of(folder, [f"{part}-{kind}{suffix}" for kind in kinds for suffix in ("", ".gz")]))
            for part in ("train", "t10k")
            for kinds in (("images-idx3-ubyte", "images.idx3-ubyte"), ("labels-idx1-ubyte", "labels.idx1-ubyte"))
        ]
        Xtrain, Ttrain, Xtest, Ttest = arrays
        return make_dataset(str(folder), Xtrain, Ttrain, Xtest, Ttest, regression=False)


@SOURCES.add
@dataclass(frozen=True, kw_only=True)
class FashionMNIST(IDX):
    """Fashion-MNIST, by default where Debian's package dataset-fashion-mnist puts it."""

    aliases: ClassVar[tuple[str, ...]] = ()
    path: str = "/usr/share/datasets/fashion-mnist"

    def read(self) -> Dataset:
        if not Path(self.path).is_dir():
            raise NervaError(f"no directory {self.path}; on Debian: apt-get install dataset-fashion-mnist, elsewhere give path = ...")
        return super().read()


@SOURCES.add
@dataclass(frozen=True, kw_only=True)
class CIFAR10(DataSource):
    """CIFAR-10 in its binary layout: data_batch_1.bin to data_batch_5.bin and test_batch.bin, each of 3,073-byte records."""

    path: str
    scaling: Scaling = "unit"

    def read(self) -> Dataset:
        folder = _existing(self.path, "a directory")
        if not (folder / "data_batch_1.bin").exists() and (folder / "data_batch_1").exists():
            raise NervaError(
                f"{folder} holds CIFAR-10 as Python pickles, which are never loaded; use the binary version (data_batch_1.bin, ...)"
            )
        train = np.concatenate([_cifar_records(folder / f"data_batch_{i}.bin") for i in range(1, 6)])
        test = _cifar_records(folder / "test_batch.bin")
        return make_dataset(str(folder), train[:, 1:], train[:, 0], test[:, 1:], test[:, 0], regression=False, classes=10)


@SOURCES.add
@dataclass(frozen=True, kw_only=True)
class NPZ(DataSource):
    """A NumPy archive with Xtrain, Ttrain, Xtest and Ttest, as Nerva writes it; labels of shape (N,), (N, 1) or one-hot (N, K)."""

    path: str
    task: Task = "classification"

    def read(self) -> Dataset:
        arrays = read_npz(_existing(self.path, "a file"))
        names = ("Xtrain", "Ttrain", "Xtest", "Ttest")
        for name in names:
            if name not in arrays:
                raise NervaError(f"{self.path} has no array {name!r}; {did_you_mean(name, arrays)}")
        return make_dataset(self.path, *(arrays[name] for name in names), regression=self.task == "regression")


@SOURCES.add
@dataclass(frozen=True, kw_only=True)
class CSV(DataSource):
    """A table of numbers with the target in the column ``target`` (a name of the header, or by default the last column).

    Classes may be numbers 0, 1, 2, ... or names. A random ``test_fraction`` of the rows is the test set, the same in every run.
    """

    path: str
    target: str | None = None
    task: Task = "classification"
    test_fraction: Fraction = 0.2
    scaling: Scaling = "standard"

    def read(self) -> Dataset:
        header, rows = _read_csv(_existing(self.path, "a file"))
        column = len(header) - 1
        if self.target is not None:
            if self.target not in header:
                raise NervaError(f"{self.path} has no column {self.target!r}; {did_you_mean(self.target, header)}")
            column = header.index(self.target)
        X = np.array([[_number(self.path, n, header[j], x) for j, x in enumerate(row) if j != column] for n, row in rows])
        rng = np.random.default_rng(0)
        if self.task == "regression":
            T = np.array([_number(self.path, n, header[column], row[column]) for n, row in rows])
            return make_dataset(self.path, *split(rng, X, T, self.test_fraction, stratified=False), regression=True)
        T = class_numbers(self.path, header[column], _numbered([row[column] for _, row in rows]))
        return make_dataset(self.path, *split(rng, X, T, self.test_fraction, stratified=True), regression=False, classes=int(T.max()) + 1)


def read_idx(path: Path) -> Array:
    """The array in an IDX file, plain or gzipped."""
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise NervaError(f"cannot read {path}: {error}") from None
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in IDX_TYPES:
        raise NervaError(
            f"{path} is not an IDX file: it must begin with two zero bytes and a type code, got {content[:4].hex() or 'nothing'}"
        )
    dimensions = content[3]
    start = 4 + 4 * dimensions
    shape = tuple(int(n) for n in np.frombuffer(content[4:start], dtype=">u4")) if len(content) >= start else ()
    dtype = np.dtype(IDX_TYPES[content[2]])
    expected = start + int(np.prod(shape, dtype=object)) * dtype.itemsize
    if len(shape) != dimensions or len(content) != expected:
        raise NervaError(f"{path} is damaged: shape {shape} needs {expected} bytes, got {len(content)}")
    return np.frombuffer(content, dtype=dtype, offset=start).reshape(shape).astype(dtype.newbyteorder("="))


def read_npz(path: Path) -> dict[str, Array]:
    """The arrays of a NumPy archive. Pickled objects are refused, never loaded."""
    try:
        with path.open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise NervaError(f"{path} is a single array; expected an .npz archive of named arrays")
            return {name: archive[name] for name in archive.files}
    except NervaError:
        raise
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error, KeyError, NotImplementedError) as error:
        if "allow_pickle" in str(error) or "pickle" in str(error).lower():
            raise NervaError(f"{path} holds pickled Python objects or is no .npz archive; only archives of plain arrays are read") from None
        raise NervaError(f"cannot read the archive {path}: {error}") from None


def _cifar_records(path: Path) -> Array:
    content = np.frombuffer(_existing(str(path), "a file").read_bytes(), dtype=np.uint8)
    if len(content) == 0 or len(content) % 3073:
        raise NervaError(f"{path} is damaged: its records have 3073 bytes, but it has {len(content)}")
    return content.reshape(-1, 3073)


def _read_csv(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header (made up if the first row is all numbers) and the rows with their line numbers."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [(n, row) for n, row in enumerate(csv.reader(file), 1) if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise NervaError(f"cannot read {path}: {error}") from None
    if not rows:
        raise NervaError(f"{path} is empty")
    width = len(rows[0][1])
    for n, row in rows:
        if len(row) != width:
            raise NervaError(f"{path}, line {n}: expected {width} columns, got {len(row)}")
    if width < 2:
        raise NervaError(f"{path} needs at least two columns (features and a target), got {width}")
    if any(_is_number(cell) for cell in rows[0][1][:-1]):
        return [str(j) for j in range(width)], rows
    if len(rows) == 1:
        raise NervaError(f"{path} has a header but no rows")
    return [cell.strip() for cell in rows[0][1]], rows[1:]


def _numbered(texts: list[str]) -> Array:
    names = sorted({text.strip() for text in texts})
    if all(_is_number(name) for name in names):
        return np.array([float(text) for text in texts])
    number = {name: k for k, name in enumerate(names)}
    return np.array([number[text.strip()] for text in texts])


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _number(path: str, line: int, column: str, text: str) -> float:
    if not _is_number(text):
        raise NervaError(f"{path}, line {line}, column {column!r}: expected a number, got {text!r}")
    return float(text)


def _existing(path: str, kind: Literal["a file", "a directory"]) -> Path:
    found = Path(path).expanduser()
    if not (found.is_dir() if kind == "a directory" else found.is_file()):
        raise NervaError(f"{found} is not there" if not found.exists() else f"{found} is not {kind}")
    return found


def _one_of(folder: Path, names: list[str]) -> Path:
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise NervaError(f"{folder} has no file {names[0]} (plain or .gz)")
