"""Data sources in files: IDX (MNIST, Fashion-MNIST), CIFAR's binary layout, NumPy archives and CSV."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from nerva_core.algebra.errors import NervaError, did_you_mean, not_there
from nerva_core.algebra.memory import Array
from nerva_core.algebra.registry import Fraction
from nerva_core.data.dataset import Dataset, Scaling, class_numbers, make_dataset, split, streamed_dataset
from nerva_core.data.encoding import Encoding
from nerva_core.data.formats import CSVTable, is_number, read_cifar, read_csv, read_idx, read_npz
from nerva_core.data.labelled import labelled_positions
from nerva_core.data.sources import SOURCES, DataSource
from nerva_core.data.streamed import map_idx, map_member, map_npy, write_arrays

ARRAYS = ("Xtrain", "Ttrain", "Xtest", "Ttest")
"""The names of the four arrays of a data set."""

Task = Literal["classification", "regression"]


@SOURCES.add
@dataclass(frozen=True, kw_only=True)
class IDX(DataSource):
    """A directory with the four IDX files of MNIST (train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-...), plain or gzipped."""

    aliases: ClassVar[tuple[str, ...]] = ("MNIST",)
    where: ClassVar[str] = "the four files of MNIST, as they are, from https://storage.googleapis.com/cvdf-datasets/mnist/, in one folder"
    path: str
    scaling: Scaling = "unit"
    stream: bool = False
    """Whether the examples stay in their files, which must not be compressed."""

    def read(self) -> Dataset:
        folder = existing(self.path, "a directory")
        paths = [
            _one_of(folder, [f"{part}-{kind}{suffix}" for kind in kinds for suffix in ("", ".gz")])
            for part in ("train", "t10k")
            for kinds in (("images-idx3-ubyte", "images.idx3-ubyte"), ("labels-idx1-ubyte", "labels.idx1-ubyte"))
        ]
        if self.stream:
            train, test = ((map_idx(images), read_idx(labels)) for images, labels in (paths[:2], paths[2:]))
            return streamed_dataset(str(folder), *train, *test, regression=False)
        Xtrain, Ttrain, Xtest, Ttest = map(read_idx, paths)
        return make_dataset(str(folder), Xtrain, Ttrain, Xtest, Ttest, regression=False)


@SOURCES.add
@dataclass(frozen=True, kw_only=True)
class FashionMNIST(IDX):
    """Fashion-MNIST, by default where Debian's package dataset-fashion-mnist puts it."""

    where: ClassVar[str] = (
        "on Debian: apt-get install dataset-fashion-mnist; elsewhere the four files of data/fashion in "
        "https://github.com/zalandoresearch/fashion-mnist, in one folder, given as path"
    )
    path: str = "/usr/share/datasets/fashion-mnist"

    def read(self) -> Dataset:
        if not Path(self.path).is_dir():
            raise NervaError(f"no directory {self.path}; {self.where}")
        return super().read()


@SOURCES.add
@dataclass(frozen=True, kw_only=True)
class CIFAR10(DataSource):
    """CIFAR-10 in its binary layout: data_batch_1.bin to data_batch_5.bin and test_batch.bin, each of 3,073-byte records."""

    where: ClassVar[str] = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz, unpacked: the folder cifar-10-batches-bin"
    path: str
    scaling: Scaling = "unit"

    def read(self) -> Dataset:
        folder = existing(self.path, "a directory")
        if not (folder / "data_batch_1.bin").exists() and (folder / "data_batch_1").exists():
            raise NervaError(
                f"{folder} holds CIFAR-10 as Python pickles, which are never loaded; use the binary version (data_batch_1.bin, ...)"
            )
        train = np.concatenate([read_cifar(existing(str(folder / f"data_batch_{i}.bin"), "a file")) for i in range(1, 6)])
        test = read_cifar(existing(str(folder / "test_batch.bin"), "a file"))
        return _of_records(folder, train, test, label=0, classes=10)


@SOURCES.add
@dataclass(frozen=True, kw_only=True)
class CIFAR100(DataSource):
    """CIFAR-100 in its binary layout: train.bin and test.bin, of 3,074-byte records with the coarse (20) and the fine (100) class."""

    path: str
    labels: Literal["fine", "coarse"] = "fine"
    scaling: Scaling = "unit"

    def read(self) -> Dataset:
        folder = existing(self.path, "a directory")
        if not (folder / "train.bin").exists() and (folder / "train").exists():
            raise NervaError(f"{folder} holds CIFAR-100 as Python pickles, which are never loaded; use the binary version (train.bin, ...)")
        train, test = (read_cifar(existing(str(folder / f"{part}.bin"), "a file"), labels=2) for part in ("train", "test"))
        fine = self.labels == "fine"
        return _of_records(folder, train, test, label=int(fine), classes=100 if fine else 20)


def _of_records(folder: Path, train: Array, test: Array, label: int, classes: int) -> Dataset:
    """The pixels are the last 3,072 bytes of a record, a colour after the other; channels come last, as everywhere."""
    Xtrain, Xtest = (part[:, -3072:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1) for part in (train, test))
    return make_dataset(str(folder), Xtrain, train[:, label], Xtest, test[:, label], regression=False, classes=classes)


@SOURCES.add
@dataclass(frozen=True, kw_only=True)
class NPZ(DataSource):
    """A NumPy archive with Xtrain, Ttrain, Xtest and Ttest, as Nerva writes it; labels of shape (N,), (N, 1) or one-hot (N, K).

    Of one with X and y, or X and T, a random ``test_fraction`` is the test set, the same in every run. With ``positions`` there is a
    class at each position, as of the words of sentences (N, L) or the pixels of images (N, H, W), except where the label is ``ignored``.
    """

    path: str
    task: Task = "classification"
    test_fraction: Fraction = 0.2
    stream: bool = False
    """Whether the examples stay in the archive, which must not be compressed."""
    positions: bool = False
    """Whether there is a class at each position."""
    ignored: int = -100
    """The label of positions that count for nothing, where there is a class at each."""

    def read(self) -> Dataset:
        path, names = existing(self.path, "a file"), ARRAYS
        if self.positions and (self.stream or self.task == "regression"):
            raise NervaError("NPZ: positions = true is for classes, and for arrays in memory; leave out task = 'regression' and stream")
        if self.stream:
            Ttrain, Ttest = (map_member(path, name, least=1).whole() for name in ("Ttrain", "Ttest"))
            inputs = map_member(path, "Xtrain"), Ttrain, map_member(path, "Xtest"), Ttest
            return streamed_dataset(self.path, *inputs, regression=self.task == "regression")
        arrays = read_npz(path)
        target = next((name for name in ("y", "T") if name in arrays), None)
        if "Xtrain" not in arrays and "X" in arrays and target is not None:
            return self._divided(arrays["X"], arrays[target], target)
        for name in names:
            if name not in arrays:
                raise NervaError(f"{self.path} has no array {name!r}; {did_you_mean(name, arrays)}")
        given = [arrays[name] for name in names]
        return self._labelled(*given) if self.positions else make_dataset(self.path, *given, regression=self.task == "regression")

    def _labelled(self, Xtrain: Array, Ttrain: Array, Xtest: Array, Ttest: Array) -> Dataset:
        return labelled_positions(self.path, Xtrain, Ttrain, Xtest, Ttest, self.ignored)

    def _divided(self, X: Array, T: Array, target: str) -> Dataset:
        regression = self.task == "regression"
        if 0 in (X.ndim, T.ndim) or len(X) != len(T):
            raise NervaError(f"{self.path}: X and {target} must have a row for every example, got shapes {X.shape} and {T.shape}")
        if self.positions:
            return self._labelled(*split(np.random.default_rng(0), X, T, self.test_fraction, stratified=False))
        T = T if regression else class_numbers(self.path, target, T)
        parts = split(np.random.default_rng(0), X, T, self.test_fraction, stratified=not regression)
        return make_dataset(self.path, *parts, regression=regression, classes=None if regression else max(2, int(T.max()) + 1))


@SOURCES.add
@dataclass(frozen=True, kw_only=True)
class NPY(DataSource):
    """A directory with Xtrain.npy, Ttrain.npy, Xtest.npy and Ttest.npy, as ``np.save`` writes them. The examples stay in their files."""

    path: str
    task: Task = "classification"

    def read(self) -> Dataset:
        folder = existing(self.path, "a directory")
        paths = [_one_of(folder, [f"{name}.npy"]) for name in ARRAYS]
        Xtrain, Ttrain, Xtest, Ttest = (map_npy(path, least=2 if path.stem[0] == "X" else 1) for path in paths)
        return streamed_dataset(self.path, Xtrain, Ttrain.whole(), Xtest, Ttest.whole(), regression=self.task == "regression")


@SOURCES.add
@dataclass(frozen=True, kw_only=True)
class Cached(DataSource):
    """Another source, such as a table or a compressed file, whose arrays are written into a directory once, and stay in these files."""

    source: DataSource
    path: str

    def read(self) -> Dataset:
        folder, of = Path(self.path).expanduser(), f"{self.source!r}\n"
        made = folder / "source.txt"
        if not made.exists():
            write_arrays(folder, self.source.load(), of)
        if made.read_text(encoding="utf-8") != of:
            raise NervaError(
                f"{folder} holds the arrays of another source, {made.read_text(encoding='utf-8').strip()}; choose another path"
            )
        regression = np.load(folder / "Ttrain.npy", mmap_mode="r", allow_pickle=False).dtype.kind == "f"
        return NPY(path=str(folder), task="regression" if regression else "classification").read()


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
        table = read_csv(existing(self.path, "a file"))
        target = self.target_column(table)
        columns = [j for j in range(table.width) if j != target]
        names = tuple(table.names[j] for j in columns) if table.names else ()
        _require_names(table)
        X = table.numbers(columns)
        rng = np.random.default_rng(0)
        if self.task == "regression":
            T = table.numbers([target])
            data = make_dataset(self.path, *split(rng, X, T, self.test_fraction, stratified=False), regression=True)
            return replace(data, encoding=Encoding(features=names))
        numbers, classes = _numbered(table.labels(target))
        T = class_numbers(self.path, table.names[target] if names else str(target), numbers)
        if len(set(table.column(target))) == 1:
            raise NervaError(f"{self.path}: all examples are of one class, {table.column(target)[0]!r}; a classification needs two")
        parts = split(rng, X, T, self.test_fraction, stratified=True, names=classes)
        data = make_dataset(self.path, *parts, regression=False, classes=int(T.max()) + 1)
        return replace(data, encoding=Encoding(features=names, classes=classes))

    def target_column(self, table: CSVTable) -> int:
        """The number of the column with the target; NervaError if the table has no such column, or no other."""
        if table.width < 2:
            separator = next((name for sign, name in ((";", "semicolons"), ("\t", "tabs")) if sign in "".join(table.rows[0])), "")
            found = f": its cells seem to be separated by {separator}" if separator else ""
            raise NervaError(
                f"{table.path} needs at least two columns (features and a target) separated by commas, got {table.width}{found}"
            )
        if self.target is None:
            return table.width - 1
        names = table.names or tuple(map(str, range(table.width)))
        if self.target not in names:
            raise NervaError(f"{table.path} has no column {self.target!r}; {did_you_mean(self.target, names)}")
        return names.index(self.target)


def _require_names(table: CSVTable) -> None:
    """A column without a name is an index that pandas wrote, or what follows a comma too many: neither is a feature."""
    for j, name in enumerate(table.names):
        if not name or name.startswith("Unnamed: "):
            raise NervaError(
                f"{table.path}: column {j + 1} of {table.width} has no name, so it is no feature: pandas writes its index so "
                "(leave it out with to_csv(..., index=False)); otherwise give it a name in the header"
            )


def _numbered(texts: list[str]) -> tuple[Array, tuple[str, ...]]:
    """Class numbers, and the names of the classes; none if the texts are numbers."""
    names = sorted(set(texts))
    if all(is_number(name) for name in names):
        return np.array([float(text) for text in texts]), ()
    number = {name: k for k, name in enumerate(names)}
    return np.array([number[text] for text in texts]), tuple(names)


def existing(path: str, kind: Literal["a file", "a directory"]) -> Path:
    """The path, with ~ expanded; NervaError if what is there is not of this kind."""
    try:
        found = Path(path).expanduser()
    except (RuntimeError, ValueError) as error:  # ~user of somebody that the system does not know; a path with a character 0
        raise NervaError(f"cannot find {path}: {error}") from None
    if not (found.is_dir() if kind == "a directory" else found.is_file()):
        raise NervaError(not_there(found) if not found.exists() else f"{found} is not {kind}")
    return found


def _one_of(folder: Path, names: list[str]) -> Path:
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise NervaError(f"{folder} has no file {names[0]} (plain or .gz); nerva data says where it comes from")
