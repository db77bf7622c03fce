"""Tables with columns of numbers and of texts, from files and from data frames of pandas, polars and Arrow."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nerva_core.algebra.errors import NervaError, counted, did_you_mean
from nerva_core.algebra.memory import Array
from nerva_core.algebra.numeric_backend import require
from nerva_core.data.formats import MISSING, is_number, read_csv

Texts = list[str | None]
"""The cells of a column of texts; None where there is no value."""

DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}([T ].*)?|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}([T ].*)?|\d{1,2}:\d{2}(:\d{2})?")
"""What dates and times look like as text."""


MOST_NUMBERS = 10
"""Different numbers that the texts of a category may be, as 0, 1, 2 and 3+; more of them are a measure."""

INDEX = re.compile(r"|Unnamed: \d+|__index_level_\d+__")
"""The names under which pandas writes an index that has none."""


class Unusable(NamedTuple):
    """A column that no network takes."""

    what: str
    remedy: str = "give what matters of it as columns of numbers, such as the year or the day of the week"


Values = Array | Texts | Unusable
"""Numbers, NaN where there is none; texts; or neither."""


class DataTable(NamedTuple):
    """Columns of equal length, by their names."""

    where: str
    """What messages call it."""
    columns: Mapping[str, Values]
    lines: Sequence[int] = ()
    """The line of each row, of a text file."""

    @property
    def rows(self) -> int:
        """The number of rows."""
        return next((len(values) for values in self.columns.values() if not isinstance(values, Unusable)), 0)

    def column(self, name: str) -> Array | Texts:
        """The cells of a column; NervaError if there is none of that name, or if it holds what no network takes."""
        if name not in self.columns:
            raise NervaError(f"{self.where} has no column {name!r}; {did_you_mean(name, self.columns)}")
        values = self.columns[name]
        if isinstance(values, Unusable):
            raise NervaError(
                f"{self.where}: column {name!r} holds {values.what}, and a network takes numbers: {values.remedy}, "
                "or choose the others with columns = [...] (--columns)"
            )
        return values

    def place(self, k: int) -> str:
        """What messages call row k."""
        return _place(k, self.lines)

    def require_names(self) -> None:
        """NervaError for a column without a name, which is an index that pandas wrote, or what follows a comma too many."""
        for j, name in enumerate(self.columns, 1):
            if INDEX.fullmatch(name):
                raise NervaError(
                    f"{self.where}: column {j} of {len(self.columns)} has no name{f', but {name!r}' if name else ''}, so it is no feature: "
                    "pandas writes its index so (leave it out with index=False); otherwise give it a name, or choose the others "
                    "with columns = [...] (--columns)"
                )

    def require_category(self, name: str, texts: Texts) -> None:
        """NervaError for a column of numbers with a cell that is none: each of its numbers would be a category."""
        odd = [k for k, text in enumerate(texts) if text is not None and not is_number(text)]
        numbers = [text for text in texts if text is not None and is_number(text)]
        few = 100 * len(odd) <= len(numbers) or (len(set(numbers)) > MOST_NUMBERS and len(odd) < len(numbers))
        if odd and few:
            more = f" (and {counted(len(odd) - 1, 'other cell')})" if len(odd) > 1 else ""
            raise NervaError(
                f"{self.where}, {self.place(odd[0])}: column {name!r} has numbers, but {str(texts[odd[0]])[:80]!r} here{more}; leave the "
                "cell empty if the value is missing; if the numbers are names of categories, write them as words, such as c1 for 1; "
                "or leave the column out with columns = [...] (--columns)"
            )


def read_table(path: Path) -> DataTable:
    """The table in a .csv, .parquet, .feather or .arrow file."""
    suffix = path.suffix.lower()
    if suffix == ".csv":
        table = read_csv(path)
        names = table.names or tuple(f"column {j + 1}" for j in range(table.width))
        if names.count("") > 1:
            raise NervaError(f"{path}: {names.count('')} columns have no name; give them names in the header, or leave them out")
        columns = {name: _of_cells(str(path), name, table.column(j), table.lines) for j, name in enumerate(names)}
        return DataTable(str(path), columns, table.lines)
    if suffix not in READERS:
        raise NervaError(f"a table is read from {', '.join(['.csv', *READERS])}, got {path.name!r}")
    module, function = READERS[suffix]
    require("pyarrow", "tables")
    try:
        return of_frame(getattr(require(module, "tables"), function)(path), str(path))
    except NervaError:
        raise
    except Exception as error:  # ArrowInvalid, OSError and others, of a file that is damaged or none of this format
        raise NervaError(f"cannot read {path}: {' '.join(str(error).split())[:300]}") from None


READERS = {
    ".parquet": ("pyarrow.parquet", "read_table"),
    ".feather": ("pyarrow.feather", "read_table"),
    ".arrow": ("pyarrow.feather", "read_table"),
}
"""Which function of Arrow reads a file."""


def is_frame(X: Any) -> bool:
    """Whether it is a data frame or a table of pandas, polars, Arrow or another library: none of them is imported."""
    return not isinstance(X, np.ndarray) and (hasattr(X, "columns") or hasattr(X, "column_names")) and hasattr(X, "shape")


def of_frame(frame: Any, where: str = "the data frame") -> DataTable:
    """The columns of a data frame of pandas, polars, Arrow, or whatever else Narwhals knows."""
    nw = _narwhals()
    try:
        known = nw.from_native(frame, eager_only=True)
    except TypeError:
        raise NervaError(f"expected a data frame of pandas, polars or Arrow, got {type(frame).__name__}") from None
    return DataTable(where, {str(name): _of_series(where, str(name), known[name]) for name in known.columns})


def _narwhals() -> Any:
    return require("narwhals.stable.v2", "tables")


def _of_series(where: str, name: str, series: Any) -> Values:
    if series.dtype.is_temporal():
        return Unusable(f"dates or times ({series.dtype})")
    if series.dtype.is_integer() or series.dtype.is_float():
        return _finite(where, name, series.cast(_narwhals().Float64).fill_null(math.nan).to_numpy())
    cells = [None if cell is None or cell != cell else cell for cell in series.to_list()]
    present = [cell for cell in cells if cell is not None]
    if all(isinstance(cell, str) for cell in present) and present:
        return _texts(where, name, [cell or "" for cell in cells])
    try:
        return _finite(where, name, [math.nan if cell is None else float(cell) for cell in cells])
    except (TypeError, ValueError, OverflowError):
        texts = {type(cell): cell for cell in present if isinstance(cell, str)}
        if texts:
            return Unusable(
                f"numbers and texts such as {texts[str][:80]!r}", "give it cells of one kind, and none where a value is missing"
            )
        return Unusable(f"values of type {type(present[0]).__name__}")


def _of_cells(where: str, name: str, cells: Sequence[str], lines: Sequence[int]) -> Values:
    """The values of a column of a text file: numbers if all are."""
    texts: Texts = [None if cell.casefold() in MISSING else cell for cell in cells]
    if all(text is None or is_number(text) for text in texts):
        return _finite(where, name, [math.nan if text is None else float(text) for text in texts], lines)
    return _texts(where, name, cells)


def _texts(where: str, name: str, cells: Sequence[str]) -> Texts | Unusable:
    texts: Texts = [None if cell.casefold() in MISSING else cell for cell in cells]
    present = [text for text in texts if text is not None]
    if present and all(map(DATE.fullmatch, present)):
        return Unusable(f"dates or times such as {present[0]!r}")
    return texts


def _finite(where: str, name: str, values: Sequence[float] | Array, lines: Sequence[int] = ()) -> Array:
    numbers = np.array(values, dtype=np.float64)
    infinite = np.flatnonzero(np.isinf(numbers))
    if len(infinite):
        k = int(infinite[0])
        raise NervaError(f"{where}, {_place(k, lines)}, column {name!r}: numbers must be finite, got {numbers[k]}")
    return numbers


def _place(k: int, lines: Sequence[int]) -> str:
    """What messages call row k: its line in a text file, or its number, counted from 1."""
    return f"line {lines[k]}" if lines else f"row {k + 1}"
