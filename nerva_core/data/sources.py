"""Data sources: entries of one table, so ``data = "Digits"`` or ``[data] name = "CSV"`` in a configuration finds them."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.registry import Count, Entry, Table
from nerva_core.data.dataset import Dataset, Scaling, make_dataset, scaled, split
from nerva_core.data.streamed import FileRows


@dataclass(frozen=True, kw_only=True)
class DataSource(Entry):
    """A data set; ``train`` and ``test`` keep only the first so many examples."""

    where: ClassVar[str] = ""
    """Where files come from that are not here; nothing is ever downloaded."""
    scaling: Scaling = "none"
    train: Count | None = None
    test: Count | None = None

    @abstractmethod
    def read(self) -> Dataset:
        """The data as they are."""

    def read_in_parts(self, folder: Path) -> Dataset:
        """The data, in files in the folder if they can be read without being in memory as a whole; by default they cannot."""
        return self.read()

    def load(self, folder: Path | None = None) -> Dataset:
        """The data, limited and scaled, read in parts if a folder is given. NervaError if they cannot be read or are not sound."""
        data = self.read() if folder is None else self.read_in_parts(folder)
        for name, limit, X in (("train", self.train, data.Xtrain), ("test", self.test, data.Xtest)):
            if limit is not None and limit > len(X):
                raise NervaError(f"{type(self).__name__}: {name} must be at most {len(X)}, as many examples there are, got {limit}")
        train, test = slice(self.train), slice(self.test)
        Xtrain, Xtest = (
            X.first(limit) if isinstance(X, FileRows) else X[:limit] for X, limit in ((data.Xtrain, self.train), (data.Xtest, self.test))
        )
        limited = replace(data, Xtrain=Xtrain, Ttrain=data.Ttrain[train], Xtest=Xtest, Ttest=data.Ttest[test])
        return scaled(limited, self.scaling)


SOURCES: Table[DataSource] = Table("data source", DataSource)


@SOURCES.add
@dataclass(frozen=True, kw_only=True)
class Digits(DataSource):
    """The 1,797 handwritten digits of 8 x 8 pixels that ship with scikit-learn; a fixed stratified fifth of them is the test set."""

    scaling: Scaling = "unit"

    def read(self) -> Dataset:
        from sklearn.datasets import load_digits

        X, T = load_digits(return_X_y=True)
        data = make_dataset("digits", *split(np.random.default_rng(0), X, T, 0.2, stratified=True), regression=False, classes=10)
        return replace(data, grid=(8, 8))


@SOURCES.add
@dataclass(frozen=True, kw_only=True)
class Reconstruction(DataSource):
    """The inputs of another source, and themselves as targets, for an autoencoder; its classes are left out."""

    source: DataSource

    def read(self) -> Dataset:
        data = self.source.load()
        pairs = make_dataset("the reconstruction", data.Xtrain, data.Xtrain, data.Xtest, data.Xtest, regression=True)
        return replace(pairs, grid=data.grid)
