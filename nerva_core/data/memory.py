"""Data that a program gives to a training, which stand in no file."""

from __future__ import annotations

from dataclasses import dataclass

from nerva_core.algebra.errors import NervaError
from nerva_core.data.dataset import Dataset
from nerva_core.data.sources import SOURCES, DataSource


@SOURCES.add
@dataclass(frozen=True, kw_only=True)
class InMemory(DataSource):
    """Arrays that were given in Python, as to ``fit(X, y)``. They are in no file, so only that program can train on them again."""

    def read(self) -> Dataset:
        raise NervaError("the data InMemory were given in Python, as to fit(X, y), and are in no file; give another data source")
