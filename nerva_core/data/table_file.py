"""Data sources for what people have: a table in a file, and what a path alone means."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nerva_core.algebra.errors import NervaError, not_there
from nerva_core.algebra.memory import Array
from nerva_core.algebra.registry import Fraction
from nerva_core.data.dataset import Dataset, Scaling, make_dataset, split, streamed_dataset
from nerva_core.data.encoding import Encoding
from nerva_core.data.files import Task, existing
from nerva_core.data.preparation import MOST_CATEGORIES, Column, Missing, learn, prepare
from nerva_core.data.sources import SOURCES, DataSource
from nerva_core.data.streamed import map_npy
from nerva_core.data.table_parts import ArrowFile, ColumnsOnDisk, write_split
from nerva_core.data.tables import READERS, DataTable, Texts, read_table


@SOURCES.add
@dataclass(frozen=True, kw_only=True)
class TableFile(DataSource):
    """A .csv, .parquet, .feather or .arrow file with numbers and categories, and cells without a value.

    Classes are the different values of the column ``target``, by default the last one. Categories are one-hot, and a number that is
    missing is the median of the training set; the model knows both. With ``missing = "indicator"`` a further input says that a value
    is missing, with "refuse" that is an error. ``columns`` are those that are used, by default all. A random ``test_fraction`` of the
    rows is the test set, the same in every run.
    """

    path: str
    target: str | None = None
    columns: tuple[str, ...] = ()
    task: Task = "classification"
    missing: Missing = "indicator"
    test_fraction: Fraction = 0.2
    scaling: Scaling = "standard"

    def read(self) -> Dataset:
        return dataset_of(self, read_table(existing(self.path, "a file")))

    def read_in_parts(self, folder: Path) -> Dataset:
        """Files of Parquet's and Arrow's formats are never in memory as a whole; other ones are."""
        path = existing(self.path, "a file")
        if path.suffix.lower() not in READERS:
            return self.read()
        file = ArrowFile(path)
        plan = split_of(self, DataTable(str(path), ColumnsOnDisk(file)))
        inputs = (prepare(part, plan.columns)[0] for part in file.parts([column.name for column in plan.columns]))
        folder.mkdir(parents=True, exist_ok=True)
        files = {folder / "Xtrain.npy": plan.train, folder / "Xtest.npy": plan.test}
        write_split(inputs, len(plan.encoding.features), files)
        X = [map_npy(file) for file in files]
        data = streamed_dataset(str(path), X[0], plan.Ttrain, X[1], plan.Ttest, regression=self.task == "regression")
        return replace(data, classes=len(plan.encoding.classes) or None, encoding=plan.encoding)


class Split(NamedTuple):
    """How the rows and columns of a table become a data set."""

    train: Array
    """The numbers of the rows of the training set, in its order."""
    Ttrain: Array
    test: Array
    Ttest: Array
    columns: tuple[Column, ...]
    encoding: Encoding


def dataset_of(source: TableFile, table: DataTable) -> Dataset:
    """The data set of a table, read as the source says."""
    plan = split_of(source, table)
    X, _ = prepare(table, plan.columns)
    parts = X[plan.train], plan.Ttrain, X[plan.test], plan.Ttest
    data = make_dataset(table.where, *parts, regression=source.task == "regression", classes=len(plan.encoding.classes) or None)
    return replace(data, encoding=plan.encoding)


def split_of(source: TableFile, table: DataTable) -> Split:
    """The training and the test set of a table, and how its columns become inputs."""
    if len(table.columns) < 2:
        (name,) = table.columns or ("",)
        other = next((what for sign, what in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")) if sign in name), "")
        hint = f": its cells seem to be separated by {other}, and must be by commas" if other else ""
        raise NervaError(f"{table.where} needs at least two columns, features and a target, got {len(table.columns)}{hint}")
    if not source.columns:
        table.require_names()
    target = source.target or list(table.columns)[-1]
    names = source.columns or tuple(name for name in table.columns if name != target)
    if target in names:
        raise NervaError(f"the target, {target!r}, must not be one of the columns")
    regression = source.task == "regression"
    T, classes = (_numbers(table, target), ()) if regression else _classes(table, target)
    rows = np.arange(table.rows)
    train, Ttrain, test, Ttest = split(np.random.default_rng(0), rows, T, source.test_fraction, not regression, classes)
    columns = learn(table, names, train, source.missing)
    inputs = tuple(name for column in columns for name in column.inputs)
    return Split(train, Ttrain, test, Ttest, columns, Encoding(features=inputs, classes=classes, columns=columns))


def _numbers(table: DataTable, target: str) -> Array:
    values = table.column(target)
    if isinstance(values, list):
        table.require_category(target, values)
        example = next((text for text in values if text is not None), "")
        raise NervaError(f"{table.where}: the target of a regression must be numbers, but column {target!r} has texts such as {example!r}")
    _require_all(table, target, values)
    return values[:, None]


def _classes(table: DataTable, target: str) -> tuple[Array, tuple[str, ...]]:
    """The number of the class of each row, and the names of the classes, in the order of their values."""
    values = table.column(target)
    _require_all(table, target, values)
    if isinstance(values, list):
        table.require_category(target, values)
    found, numbers = np.unique(np.array(values, dtype=str) if isinstance(values, list) else values, return_inverse=True)
    if len(found) > MOST_CATEGORIES:
        raise NervaError(
            f"{table.where}: column {target!r} has {len(found)} different values, which are no classes; for numbers say "
            "task = 'regression', with --loss SquaredError; another target is chosen with target = ... (--target)"
        )
    if len(found) < 2:
        raise NervaError(f"{table.where}: the target, column {target!r}, has one value alone, {str(found[0])!r}: there is nothing to learn")
    return numbers, tuple(text if isinstance(values, list) else f"{float(text):g}" for text in found)


def _require_all(table: DataTable, target: str, values: Array | Texts) -> None:
    missing = [value is None for value in values] if isinstance(values, list) else list(np.isnan(values))
    if any(missing):
        raise NervaError(f"{table.where}, {table.place(missing.index(True))}: the target {target!r} has no value; leave the row out")


def source_of_path(path: str, target: str | None = None, columns: Sequence[str] = (), regression: bool = False) -> dict[str, Any] | None:
    """The data source that a path alone means, as a configuration has it; None for what is no path to data."""
    suffix = Path(path).suffix.lower()
    task = {"task": "regression"} if regression else {}
    if suffix == ".csv" or suffix in READERS:
        chosen = {name: value for name, value in (("target", target), ("columns", list(columns))) if value}
        return {"name": "TableFile", "path": path, **task, **chosen}
    if target or columns:
        raise NervaError(f"{'--target' if target else '--columns'} is for a table in a file, such as --data houses.csv; got --data {path}")
    if suffix == ".npz":
        return {"name": "NPZ", "path": path, **task}
    if "(" in path:
        return None
    place = Path(os.path.expanduser(path))  # which leaves a user that is not known as it is
    if place.is_dir():
        return {"name": "ImageFolder", "path": path}
    if place.is_file() or os.sep in path:
        kinds = f"{', '.join(['.csv', *READERS, '.npz'])}, or a folder of images"
        raise NervaError(f"data are read from {kinds}; got {path}" if place.exists() else not_there(place))
    return None
