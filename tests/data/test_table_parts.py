"""Tables of Parquet's and Arrow's formats that are read in parts give the arrays of those that are read into memory, bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.data import table_parts
from nerva_core.data.sources import SOURCES
from nerva_core.data.table_parts import ArrowFile, write_split

pytest.importorskip("pyarrow")
pytest.importorskip("narwhals")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table with missing numbers, categories of which a part of the rows has none, whole numbers and a target, in three formats."""
    import pyarrow as pa
    import pyarrow.feather
    import pyarrow.parquet

    monkeypatch.setattr(table_parts, "ROWS", 7)
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=100)
    numbers[3:30] = np.nan
    table = pa.table(
        {
            "a": pa.array([None if np.isnan(x) else x for x in numbers]),
            "colour": [None] * 20 + rng.choice(["red", "blue", "green"], 80).tolist(),
            "n": rng.integers(0, 9, 100),
            "class": rng.choice(["yes", "no"], 100).tolist(),
        }
    )
    pa.parquet.write_table(table, tmp_path / "t.parquet", row_group_size=31)
    pa.feather.write_feather(table, tmp_path / "t.feather", chunksize=33)
    with pa.ipc.new_file(tmp_path / "t.arrow", table.schema) as file:
        file.write_table(table, max_chunksize=40)
    return tmp_path


def arrays(source: str) -> list[Any]:
    data = SOURCES.parse(source).load()
    return [np.asarray(X[:]) for X in (data.Xtrain, data.Ttrain, data.Xtest, data.Ttest)]


@pytest.mark.parametrize("suffix", ["parquet", "feather", "arrow"])
@pytest.mark.parametrize(
    "rest", ["", ", scaling='none', columns=['colour', 'a'], train=50", ", target='a', task=regression, columns=['n']"]
)
def test_the_arrays_are_those_in_memory(folder: Path, suffix: str, rest: str) -> None:
    if "regression" in rest:
        rest = rest.replace("target='a'", "target='n'").replace("['n']", "['a', 'colour']")
    source = f"TableFile(path='{folder}/t.{suffix}'{rest})"
    expected, found = arrays(source), arrays(f"Cached(source={source}, path='{folder}/cache')")
    for X, Y in zip(expected, found, strict=True):
        assert X.dtype == Y.dtype
        np.testing.assert_array_equal(X, Y)
    assert sorted(path.name for path in (folder / "cache").iterdir()) == [
        "Ttest.npy",
        "Ttrain.npy",
        "Xtest.npy",
        "Xtrain.npy",
        "source.txt",
    ]


def test_no_part_is_longer_than_it_may_be(folder: Path) -> None:
    for suffix in ("parquet", "feather", "arrow"):
        file = ArrowFile(folder / f"t.{suffix}")
        assert file.names == ["a", "colour", "n", "class"]
        rows = [part.rows for part in file.parts(["n", "a"])]
        assert max(rows) <= 7
        assert sum(rows) == 100
        assert set(next(file.parts(["n", "a"])).columns) == {"n", "a"}


def test_what_is_no_table_is_refused(folder: Path) -> None:
    for suffix in ("parquet", "arrow"):
        (folder / f"bad.{suffix}").write_bytes(b"no table")
        with pytest.raises(NervaError, match=f"cannot read .*bad.{suffix}"):
            SOURCES.parse(f"Cached(source=TableFile(path='{folder}/bad.{suffix}'), path='{folder}/cache')").load()
    with pytest.raises(NervaError, match="has no column 'b'"):
        SOURCES.parse(f"Cached(source=TableFile(path='{folder}/t.parquet', target='b'), path='{folder}/cache')").load()
    assert not (folder / "cache" / "source.txt").exists()


def test_rows_go_where_they_belong(tmp_path: Path) -> None:
    X, chosen = np.arange(20.0).reshape(10, 2), [np.array([7, 0, 3]), np.array([9, 8])]
    files = dict(zip((tmp_path / "a.npy", tmp_path / "b.npy"), chosen, strict=True))
    write_split(iter([X[:4], X[4:5], X[5:]]), 2, files)
    for file, rows in files.items():
        np.testing.assert_array_equal(np.load(file), X[rows])
