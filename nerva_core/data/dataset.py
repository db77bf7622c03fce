"""Training and test examples, checked."""

from __future__ import annotations

import functools
import math
import zlib
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from nerva_core.algebra.errors import NervaError, counted
from nerva_core.algebra.matrix_ops import M, MatrixOps
from nerva_core.algebra.memory import Array
from nerva_core.data.encoding import Encoding
from nerva_core.data.streamed import FileRows

Scaling = Literal["none", "unit", "standard"]

PADDING = -1
"""The class number of a position that has no target."""


@dataclass(frozen=True)
class Dataset:
    """Xtrain and Xtest hold an example in every row. T holds class numbers, shape (N,), or for a regression the targets, shape (N, K).

    For sequences T holds the class number of every position, shape (N, positions).
    """

    Xtrain: Any
    """An array, or ``FileRows`` where the examples stay in a file."""
    Ttrain: Array
    Xtest: Any
    Ttest: Array
    classes: int | None
    """The number of classes; None for a regression."""
    encoding: Encoding = Encoding()
    """How the examples were made from raw ones."""
    positions: int = 1
    """The number of classes that an example has, one after the other."""
    grid: tuple[int, ...] = ()
    """The positions of an example whose columns are those of an image, (height, width), channels last; () if they have no order."""
    weights: Array | None = None
    """How much each training example counts, shape (N,), positive; None if all count alike."""
    Xvalidation: Array | None = None
    """Examples that are held out of the training set to choose by: when to stop, and which epoch is the best."""
    Tvalidation: Array | None = None
    per_position: bool = False
    """Whether the outputs have a row for each position, with a number for each class, and positions may be ``PADDING``."""

    @property
    def streamed(self) -> bool:
        """Whether the examples stay in files."""
        return isinstance(self.Xtrain, FileRows)

    @property
    def inputs(self) -> int:
        """The number of features, D."""
        return int(self.Xtrain.shape[1])

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes, or their numbers; none for a regression."""
        count = self.classes or 0
        names = self.encoding.classes
        return names if len(names) == count else tuple(map(str, range(count)))

    def targets(self, T: Array, outputs: int) -> Array:
        """The matrix of targets for a network with this many outputs: one-hot rows; for two classes and one output the class, 0 or 1.

        Where the outputs have a row for each position, they are class numbers still, of which ``rows_of_targets`` makes the rows.
        """
        if self.classes is None:
            return T
        if self.per_position:
            return T.astype(float)
        if self.positions > 1:
            return one_hot(T.reshape(-1), self.classes).reshape(len(T), -1)
        return T[:, None].astype(float) if outputs == 1 else one_hot(T, self.classes)

    def rows_of_targets(self, ops: MatrixOps[M], T: M) -> M:
        """A row of targets for each row of outputs; where these are positions, a one-hot row of each class number, 0 of padding."""
        if not self.per_position or self.classes is None:
            return T
        N, L = ops.shape(T)
        return ops.one_hot(ops.reshape(T, N * L, 1), self.classes)

    @property
    def outputs(self) -> int:
        """The outputs of a network for these data: a number for each class of each position, or for each target."""
        if self.classes is None:
            return int(self.Ttrain.shape[1])
        return self.classes if self.per_position else self.positions * self.classes

    @property
    def vocabulary(self) -> int:
        """How many numbers 0, 1, 2, ... the inputs hold, where they are numbers of characters or words."""
        return max(self.classes or 0, *(int(X.max()) + 1 for X in (self.Xtrain, self.Xtest) if len(X)))

    @functools.cached_property
    def fingerprint(self) -> str:
        """A number that is another one for other data, by all chance; of rows in a file, for other first or last ones."""
        checksum = 0
        for array in (self.Xtrain, self.Ttrain, self.Xtest, self.Ttest):
            checksum = zlib.crc32(repr((array.shape, str(array.dtype))).encode(), checksum)
            for part in (array[:1], array[-1:]) if isinstance(array, FileRows) else (array,):
                checksum = zlib.crc32(np.ascontiguousarray(part).data, checksum)
        return f"{checksum:08x}"

    @property
    def warning(self) -> str:
        """What to say if a class has no training example, as where labels count from 1; nothing else."""
        if self.classes is None or self.positions > 1:
            return ""
        absent = sorted({*range(self.classes)} - {*self.Ttrain.ravel().tolist()})
        if not absent:
            return ""
        listed = ", ".join(self.class_names[k] for k in absent[:5]) + (", ..." if len(absent) > 5 else "")
        what = f"class {listed} does" if len(absent) == 1 else f"classes {listed} do"
        return f"{what} not occur in the training examples" + (
            "; class numbers count from 0" if absent[0] == 0 and not self.encoding.classes else ""
        )

    def check_outputs(self, outputs: int) -> None:
        """NervaError unless a network with this many outputs fits the targets."""
        if self.classes is None:
            if outputs != self.Ttrain.shape[1]:
                raise NervaError(
                    f"the network has {counted(outputs, 'output')}, but the targets have {counted(self.Ttrain.shape[1], 'column')}; "
                    f"make the last layer one with {counted(self.Ttrain.shape[1], 'output')}"
                )
        elif self.positions > 1 and not self.per_position:
            if outputs != self.positions * self.classes:
                needed = f"{self.positions} positions of {self.classes} classes, which are {self.positions * self.classes}"
                raise NervaError(f"the network has {counted(outputs, 'output')}, but the data have {needed}; the last layer needs as many")
        elif outputs != self.classes and not (outputs == 1 and self.classes == 2):
            absent = f"; class 0 does not occur: they count from 0, the labels from {self.Ttrain.min()}" if self.Ttrain.min() > 0 else ""
            raise NervaError(
                f"the network has {counted(outputs, 'output')}, but the data have {counted(self.classes, 'class')}"
                + (absent or f"; make the last layer one with {counted(self.classes, 'output')}")
            )


def one_hot(labels: Array, classes: int) -> Array:
    """The N x K matrix with a 1 in the column of each row's class."""
    result = np.zeros((len(labels), classes))
    result[np.arange(len(labels)), labels] = 1
    return result


def make_dataset(
    what: str, Xtrain: Array, Ttrain: Array, Xtest: Array, Ttest: Array, *, regression: bool, classes: int | None = None
) -> Dataset:
    """A checked data set: NervaError for empty, non-numeric, non-finite or mismatched arrays, and for labels out of range."""
    grid = tuple(map(int, Xtrain.shape[1:3])) if Xtrain.ndim in (3, 4) else ()
    X = {"Xtrain": features(what, "Xtrain", Xtrain), "Xtest": features(what, "Xtest", Xtest)}
    if X["Xtrain"].shape[1] != X["Xtest"].shape[1]:
        raise NervaError(f"{what}: Xtrain has {X['Xtrain'].shape[1]} columns, but Xtest has {X['Xtest'].shape[1]}")
    for name, T in (("Ttrain", Ttrain), ("Ttest", Ttest)):
        if T.ndim == 0:
            raise NervaError(f"{what}: {name} must have a row for every example, got a single number")
    for (name, rows), T in zip(X.items(), (Ttrain, Ttest), strict=True):
        if len(rows) != len(T):
            raise NervaError(f"{what}: {name} has {counted(len(rows), 'row')}, but {name.replace('X', 'T')} has {len(T)}")
    if regression:
        targets = [features(what, name, T[:, None] if T.ndim == 1 else T) for name, T in (("Ttrain", Ttrain), ("Ttest", Ttest))]
        if targets[0].shape[1] != targets[1].shape[1]:
            raise NervaError(f"{what}: Ttrain has {counted(targets[0].shape[1], 'column')}, but Ttest has {targets[1].shape[1]}")
        return Dataset(X["Xtrain"], targets[0], X["Xtest"], targets[1], None, grid=grid)
    labels = [class_numbers(what, name, T) for name, T in (("Ttrain", Ttrain), ("Ttest", Ttest))]
    known = classes if classes is not None else max(2, *(_width(T) for T in (Ttrain, Ttest)), int(labels[0].max()) + 1)
    for name, T in zip(("Ttrain", "Ttest"), labels, strict=True):
        if T.max() >= known:
            raise NervaError(f"{what}: labels must be in 0..{known - 1}, got {T.max()} in {name}")
    return Dataset(X["Xtrain"], labels[0], X["Xtest"], labels[1], known, grid=grid)


def scaled(data: Dataset, scaling: Scaling) -> Dataset:
    """The inputs, scaled by numbers of the training set.

    "unit" maps its smallest and largest value to 0 and 1; "standard" gives every column mean 0 and variance 1, a constant one 0.
    """
    if scaling == "none":
        return data
    with np.errstate(over="ignore", invalid="ignore"):
        shift, spread = _shift_and_spread(data.Xtrain, scaling, data.weights)
    if not (np.isfinite(shift).all() and np.isfinite(spread).all()):
        raise NervaError(f"the inputs go up to {np.abs(data.Xtrain).max():.3g}, which is too large for scaling = {scaling!r}")
    row = (1, data.inputs)
    shift, spread = np.broadcast_to(shift, row), np.broadcast_to(np.where(spread == 0, 1, spread), row)
    encoding = replace(data.encoding, shift=shift, spread=spread)
    Xtrain, Xtest = (X.encoded(encoding) if isinstance(X, FileRows) else encoding.inputs(X) for X in (data.Xtrain, data.Xtest))
    return replace(data, Xtrain=Xtrain, Xtest=Xtest, encoding=encoding)


def streamed_dataset(what: str, Xtrain: FileRows, Ttrain: Array, Xtest: FileRows, Ttest: Array, *, regression: bool) -> Dataset:
    """A checked data set whose inputs stay in files, and whose targets are in memory."""
    for name, X in (("Xtrain", Xtrain), ("Xtest", Xtest)):
        X.require_finite(f"{what}: {name}")
    if Xtrain.shape[1] != Xtest.shape[1]:
        raise NervaError(f"{what}: Xtrain has {Xtrain.shape[1]} columns, but Xtest has {Xtest.shape[1]}")
    narrow = [np.zeros((len(X), 1), np.float32) for X in (Xtrain, Xtest)]
    data = make_dataset(what, narrow[0], Ttrain, narrow[1], Ttest, regression=regression)
    grid = tuple(map(int, Xtrain.raw.shape[1:3])) if Xtrain.raw.ndim in (3, 4) else ()
    return replace(data, Xtrain=Xtrain, Xtest=Xtest, grid=grid)


def _shift_and_spread(X: Array, scaling: Scaling, weights: Array | None) -> tuple[Array, Array]:
    if scaling == "unit":
        return X.min(), X.max() - X.min()
    shift, variance = _moments(X, weights)
    # The variance of equal numbers is rarely 0: what rounding can make of it is bounded by N ε Σ + (N ε mean)².
    rounding = len(X) * np.finfo(np.float64).eps
    return shift, np.where(variance <= rounding * variance + (rounding * shift) ** 2, 0, np.sqrt(variance))


def _moments(X: Array, weights: Array | None) -> tuple[Array, Array]:
    """The mean and the variance of each column, 1 x D or (D,)."""
    if weights is None:
        return X.mean(axis=0, dtype=np.float64), X.var(axis=0, dtype=np.float64)
    mean = np.average(X, axis=0, weights=weights)
    return mean, np.average((X - mean) ** 2, axis=0, weights=weights)


def split(
    rng: np.random.Generator, X: Array, T: Array, test_fraction: float, stratified: bool, names: tuple[str, ...] = ()
) -> tuple[Array, Array, Array, Array]:
    """Xtrain, Ttrain, Xtest, Ttest: a random split, with the classes in equal proportion if stratified."""
    from sklearn.model_selection import train_test_split

    seed = int(rng.integers(2**31))
    if stratified:
        _require_two_of_each(T, names)
    _require_parts(len(X), test_fraction, len(np.unique(T)) if stratified else 1)
    try:
        Xtrain, Xtest, Ttrain, Ttest = train_test_split(
            X, T, test_size=test_fraction, random_state=seed, stratify=T if stratified else None
        )
    except ValueError as error:
        raise NervaError(f"cannot split {counted(len(X), 'example')} into a training and a test set: {error}") from None
    return Xtrain, Ttrain, Xtest, Ttest


def _require_parts(examples: int, fraction: float, least: int) -> None:
    """NervaError unless both parts of a split have at least so many examples."""
    held = math.ceil(fraction * examples)
    if min(held, examples - held) < least:
        needed = f"each must have one of every class, {least} at least" if least > 1 else "neither may be empty"
        raise NervaError(
            f"cannot split {counted(examples, 'example')} into two sets with the fraction {fraction:g} of them in the second, which has "
            f"{held}, and {examples - held} in the first: {needed}; choose another fraction, or give more examples"
        )


def _require_two_of_each(T: Array, names: tuple[str, ...]) -> None:
    labels, counts = np.unique(T, return_counts=True)
    rare = labels[counts < 2]
    if len(rare):
        name = names[rare[0]] if names else rare[0]
        several = f" (and {counted(len(rare) - 1, 'more class')})" if len(rare) > 1 else ""
        raise NervaError(
            f"cannot split {counted(len(T), 'example')} into a training and a test set: class {name} has only one example{several}, "
            "and every class must be in both; for targets that are no classes say task = 'regression', with --loss SquaredError"
        )


def features(what: str, name: str, X: Array) -> Array:
    """A matrix of finite floating-point numbers with an example in every row; NervaError for anything else."""
    if X.dtype.kind not in "fiub":
        raise NervaError(f"{what}: {name} must hold numbers, got dtype {X.dtype}; texts are read from a table, --data file.csv")
    if X.ndim != 2:
        X = X.reshape(len(X), -1) if X.ndim > 2 else X
    if X.ndim != 2 or 0 in X.shape:
        raise NervaError(f"{what}: {name} must be a matrix with an example in every row, got shape {X.shape}")
    X = X if X.dtype in (np.float32, np.float64) else X.astype(np.float32 if X.dtype == np.uint8 else np.float64)
    bad = ~np.isfinite(X)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise NervaError(
            f"{what}: {name} must be finite, got {X[row, column]} in row {row}, column {column} ({bad.sum()} such values); "
            "leave these rows out, or give a table, --data file.csv, whose missing values are filled in"
        )
    return X


def class_numbers(what: str, name: str, T: Array) -> Array:
    """Class numbers from shape (N,), (N, 1) or one-hot (N, K)."""
    if T.dtype.kind not in "fiub":
        raise NervaError(f"{what}: {name} must hold class numbers, got dtype {T.dtype}; number the classes from 0")
    if T.ndim == 2 and T.shape[1] > 1:
        if not (np.isin(T, (0, 1)).all() and (T.sum(axis=1) == 1).all()):
            soft = T.dtype.kind == "f" and bool((T >= 0).all()) and np.allclose(T.sum(axis=1), 1)
            meant = (
                "probabilities of classes are not read: give the most probable class"
                if soft
                else "of a table of labels such as QMNIST's give the column with the class; for numbers as targets, an NPZ or CSV "
                "has task = 'regression'"
            )
            raise NervaError(f"{what}: {name} has {counted(T.shape[1], 'column')}, so its rows must be one-hot ({meant})")
        hot: Array = np.argmax(T, axis=1)
        return hot
    if T.ndim > 2:
        raise NervaError(f"{what}: {name} must have shape (N,), (N, 1) or (N, K), got {T.shape}")
    flat = T.reshape(-1)
    if len(flat) == 0:
        raise NervaError(f"{what}: {name} is empty")
    if not np.isfinite(flat).all() or (flat != np.floor(flat)).any():
        wrong = flat[~np.isfinite(flat) | (flat != np.floor(flat))][0]
        raise NervaError(
            f"{what}: {name} must hold class numbers 0, 1, 2, ..., got {wrong}; for numbers as targets say task = 'regression', "
            "with --loss SquaredError"
        )
    if flat.min() < 0:
        raise NervaError(f"{what}: labels must not be negative, got {int(flat.min())} in {name}")
    if flat.max() >= 1_000_000:
        raise NervaError(f"{what}: {name} has a label {int(flat.max())}; class numbers count from 0 to the number of classes less 1")
    numbers: Array = flat.astype(np.int64)
    return numbers


def _width(T: Array) -> int:
    return int(T.shape[1]) if T.ndim == 2 else 0
