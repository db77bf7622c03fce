from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.data.tables import DataTable, Unusable, is_frame, of_frame, read_table

COLUMNS: dict[str, list[Any]] = {
    "age": [1.5, None, 3.0],
    "count": [1, 2, 3],
    "colour": ["red", None, "blue"],
    "sold": [True, False, True],
    "when": [datetime.date(2020, 1, 2), datetime.date(2021, 1, 2), None],
}


def frames() -> list[Any]:
    pandas, polars, arrow = (pytest.importorskip(name) for name in ("pandas", "polars", "pyarrow"))
    made = pandas.DataFrame(COLUMNS)
    made["when"] = pandas.to_datetime(made["when"])
    return [made, polars.DataFrame(COLUMNS), arrow.table(COLUMNS)]


@pytest.mark.parametrize("library", [0, 1, 2])
def test_a_frame_of_every_library_gives_the_same_columns(library: int) -> None:
    frame = frames()[library]
    assert is_frame(frame)
    table = of_frame(frame)
    np.testing.assert_array_equal(table.column("age"), [1.5, np.nan, 3])
    np.testing.assert_array_equal(table.column("count"), [1, 2, 3])
    np.testing.assert_array_equal(table.column("sold"), [1, 0, 1])
    assert table.column("colour") == ["red", None, "blue"]
    with pytest.raises(NervaError, match="column 'when' holds dates or times"):
        table.column("when")
    assert table.rows == 3


@pytest.mark.parametrize("suffix", [".parquet", ".feather", ".arrow", ".csv"])
def test_files_give_what_was_written(tmp_path: Path, suffix: str) -> None:
    frame = frames()[0]
    path = tmp_path / f"table{suffix}"
    {".parquet": frame.to_parquet, ".csv": lambda path: frame.to_csv(path, index=False)}.get(suffix, frame.to_feather)(path)
    table = read_table(path)
    np.testing.assert_array_equal(table.column("age"), [1.5, np.nan, 3])
    assert table.column("colour") == ["red", None, "blue"]
    assert isinstance(table.columns["when"], Unusable)


@pytest.mark.parametrize("date", ["2024-01-31", "2024-01-31 12:30:00", "31.1.2024", "1/31/24", "12:30"])
def test_dates_are_no_categories(tmp_path: Path, date: str) -> None:
    (tmp_path / "a.csv").write_text(f"when,x,class\n{date},1,a\n,2,b\n")
    with pytest.raises(NervaError, match="give what matters of it as columns of numbers"):
        read_table(tmp_path / "a.csv").column("when")


def test_mistakes_are_named(tmp_path: Path) -> None:
    for name, content, message in (
        ("a.parquet", b"PAR1 no", "cannot read"),
        ("a.feather", b"", "cannot read"),
        ("a.xlsx", b"", "a table is read from .csv, .parquet"),
        ("a.csv", b"x,y\n1,a\ninf,b\n", "line 3, column 'x': numbers must be finite, got inf"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(NervaError, match=message):
            read_table(tmp_path / name)
    with pytest.raises(NervaError, match="did you mean 'colour'"):
        DataTable("t", {"colour": ["red"]}).column("color")
    with pytest.raises(NervaError, match="expected a data frame of pandas, polars or Arrow, got dict"):
        of_frame({"a": [1]})
    assert not is_frame(np.ones((2, 2)))


def test_a_column_of_a_frame_with_numbers_and_texts_is_named_so() -> None:
    pandas = pytest.importorskip("pandas")
    with pytest.raises(NervaError, match="column 'x' holds numbers and texts such as 'oops'"):
        of_frame(pandas.DataFrame({"x": [1.5, "oops", 2.5]})).column("x")
