"""Preparation of a table: its columns become the inputs of a network, learned from the training set and saved with the model.

A column of numbers is one input, with the median of the training set where there is no value. A column of texts is an input for each
of its categories, 1 in that of the row (one-hot). With an indicator there is one more input, 1 where there is no value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.memory import Array
from nerva_core.data.formats import is_number
from nerva_core.data.tables import DataTable, Texts

MOST_CATEGORIES = 100
"""A column with more different texts names its rows, or is a sentence; it is no category."""

NAMED_ROWS = 20
"""Of so many rows whose texts all differ these are names: no new row has one of them."""

Missing = Literal["indicator", "impute", "refuse"]


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    name: str
    categories: tuple[str, ...] = ()
    """Of a column of texts; none for one of numbers."""
    fill: float = 0.0
    """Stands where there is no number."""
    indicator: bool = False
    """Whether there is an input that is 1 where there is no value."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the inputs."""
        values = [f"{self.name} = {category}" for category in self.categories] or [self.name]
        return (*values, *([f"{self.name} is missing"] if self.indicator else []))

    def encode(self, values: Array | Texts) -> Array:
        """The inputs of so many rows; a text that is no category is 0 in all of them."""
        if isinstance(values, list):
            missing = np.array([value is None for value in values])
            encoded = np.array([[float(value == category) for category in self.categories] for value in values])
        else:
            missing = np.isnan(values)
            encoded = np.where(missing, self.fill, values)[:, None]
        return np.hstack([encoded, missing[:, None].astype(float)]) if self.indicator else encoded

    def as_table(self) -> dict[str, Any]:
        """The column as text and numbers, for a file."""
        return {"name": self.name, "categories": list(self.categories), "fill": self.fill, "indicator": self.indicator}


def learn(table: DataTable, names: Sequence[str], rows: Array, missing: Missing = "indicator") -> tuple[Column, ...]:
    """How these columns become inputs, by their cells in the given rows, those of the training set."""
    return tuple(_learn(table, name, names, rows, missing) for name in names)


def _learn(table: DataTable, name: str, names: Sequence[str], rows: Array, missing: Missing) -> Column:
    values = table.column(name)
    present = [values[k] is not None for k in rows] if isinstance(values, list) else list(~np.isnan(values[rows]))
    if not any(present):
        raise NervaError(f"{table.where}: column {name!r} has no value in any of {len(rows)} training examples; leave it out")
    if missing == "refuse" and not all(present):
        place = table.place(int(rows[present.index(False)]))
        raise NervaError(f"{table.where}: column {name!r} has no value in {place}; for the median in its place say missing = 'impute'")
    indicator = missing == "indicator" and not all(present)
    if not isinstance(values, list):
        with np.errstate(over="ignore"):  # of numbers near the largest; the data set then says that they are too large
            return Column(name, fill=float(np.nanmedian(values[rows])), indicator=indicator)
    table.require_category(name, values)
    categories = sorted({text for k in rows if (text := values[k]) is not None})
    if len(categories) > MOST_CATEGORIES or NAMED_ROWS <= len(categories) == sum(present):
        others = ",".join(other for other in names if other != name)
        numbers = all(map(is_number, categories))
        what = (
            "these are numbers stored as texts; store them as numbers, or" if numbers else "that is no category but a name or a sentence;"
        )
        raise NervaError(
            f"{table.where}: column {name!r} has {len(categories)} different texts in {len(rows)} rows, such as {categories[0][:40]!r}: "
            f"{what} leave it out with --columns {others or '...'}"
        )
    return Column(name, tuple(categories), indicator=indicator)


def prepare(table: DataTable, columns: Sequence[Column]) -> tuple[Array, list[str]]:
    """The inputs, N x D, and what the user should know: cells that the training set had none of, and columns that are not used."""
    notes, parts = [], []
    for column in columns:
        values = table.column(column.name)
        if isinstance(values, list) and not column.categories:
            values = _as_numbers(table, column.name, values)
        elif not isinstance(values, list) and column.categories:
            values = [None if np.isnan(value) else f"{value:g}" for value in values]
        notes += _notes(table, column, values)
        parts.append(column.encode(values))
    used = {column.name for column in columns}
    unused = [name for name in table.columns if name not in used]
    return np.hstack(parts), notes + ([f"{table.where}: not used: column {', '.join(unused)}"] if unused else [])


def _as_numbers(table: DataTable, name: str, texts: Texts) -> Array:
    for k, text in enumerate(texts):
        if text is not None and not is_number(text):
            raise NervaError(f"{table.where}, {table.place(k)}: column {name!r} was one of numbers in the training, got {text[:80]!r}")
    return np.array([np.nan if text is None else float(text) for text in texts])


def _notes(table: DataTable, column: Column, values: Array | Texts) -> list[str]:
    if not isinstance(values, list):
        count = int(np.isnan(values).sum())
        told = count and not column.indicator
        what = "1 missing number" if count == 1 else f"{count} missing numbers"
        return [f"{table.where}: {what} of {column.name!r} taken as {column.fill:g}"] if told else []
    unknown = sorted({text for text in values if text is not None and text not in column.categories})
    what = f"{table.where}: {column.name!r} has texts that the training had not, taken as none of its categories"
    return [f"{what}: {', '.join(unknown[:5])}"] if unknown else []


def columns_from(tables: Any) -> tuple[Column, ...]:
    """The columns that ``as_table`` wrote; ValueError for anything else."""
    if not isinstance(tables, list):
        raise ValueError("the columns are no list")
    result = []
    for entry in tables:
        match entry:
            case {"name": str(name), "categories": list(categories), "fill": int() | float() as fill, "indicator": bool(indicator)}:
                if not all(isinstance(category, str) for category in categories):
                    raise ValueError(f"the categories of {name!r} are no texts")
                result.append(Column(name, tuple(categories), float(fill), indicator))
            case _:
                raise ValueError("a column has no name, categories, fill and indicator")
    return tuple(result)
