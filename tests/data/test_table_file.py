from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.data import TableFile
from nerva_core.data.table_file import source_of_path


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """Forty animals; a third has no age, two have no colour."""
    rows = [
        f"{'' if k % 3 == 0 else k},{'' if k in (4, 8) else ('red', 'blue')[k % 2]},{k * 10},{('cat', 'dog')[k % 2]}" for k in range(40)
    ]
    (tmp_path / "pets.csv").write_text("\n".join(["age,colour,price,species", *rows]))
    return tmp_path / "pets.csv"


def test_classes_categories_and_missing_values(pets: Path) -> None:
    data = TableFile(path=str(pets), scaling="none").load()
    assert (len(data.Xtrain), len(data.Xtest), data.classes) == (32, 8, 2)
    assert data.encoding.classes == ("cat", "dog")
    assert data.encoding.features == ("age", "age is missing", "colour = blue", "colour = red", "colour is missing", "price")
    assert data.encoding.columns[0].fill == np.median([x for x, missing in data.Xtrain[:, :2] if not missing])
    dogs = np.concatenate([data.Ttrain, data.Ttest]) == 1
    X = np.concatenate([data.Xtrain, data.Xtest])
    np.testing.assert_array_equal(X[dogs][:, 2:4], [[1, 0]] * 20)  # the dogs are blue
    assert (X[:, 2:5].sum(axis=1) == 1).all()


def test_a_regression_of_chosen_columns(pets: Path) -> None:
    data = TableFile(path=str(pets), target="price", columns=("colour",), task="regression").load()
    assert data.Ttrain.shape == (32, 1)
    assert sorted(np.concatenate([data.Ttrain, data.Ttest])[:, 0]) == [10.0 * k for k in range(40)]
    assert data.encoding.features[0] == "colour = blue"


def test_numbers_as_classes_need_not_begin_with_0(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,class\n" + "\n".join(f"{k}.5,{(3, 7, 11)[k % 3]}" for k in range(30)))
    data = TableFile(path=str(tmp_path / "a.csv")).load()
    assert data.encoding.classes == ("3", "7", "11")
    assert set(data.Ttrain) == {0, 1, 2}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"target": "specis"}, "did you mean 'species'"),
        ({"columns": ("age", "species")}, "must not be one of the columns"),
        ({"columns": ("ages",)}, "did you mean 'age'"),
        ({"target": "age"}, "line 2: the target 'age' has no value"),
        ({"task": "regression"}, "must be numbers, but column 'species' has texts such as 'cat'"),
        ({"missing": "refuse"}, "column 'age' has no value in line"),
    ],
)
def test_mistakes(pets: Path, given: dict[str, Any], message: str) -> None:
    with pytest.raises(NervaError, match=message):
        TableFile(path=str(pets), **given).load()


def test_targets_that_are_no_classes(tmp_path: Path) -> None:
    for name, cells, message in (
        ("a", [f"{k}.25" for k in range(150)], "for numbers say task = 'regression'"),
        ("b", ["a"] * 9, "one value alone, 'a'"),
    ):
        (tmp_path / name).with_suffix(".csv").write_text("x,y\n" + "\n".join(f"{k},{cell}" for k, cell in enumerate(cells)))
        with pytest.raises(NervaError, match=message):
            TableFile(path=str(tmp_path / f"{name}.csv")).load()
    for text, message in (
        ("x\n1\n2\n", "at least two columns.*got 1$"),
        ("x;y\n1;2\n3;4\n", "separated by semicolons, and must be by commas"),
    ):
        (tmp_path / "c.csv").write_text(text)
        with pytest.raises(NervaError, match=message):
            TableFile(path=str(tmp_path / "c.csv")).load()


def test_what_a_path_means(tmp_path: Path) -> None:
    assert source_of_path("a.csv") == {"name": "TableFile", "path": "a.csv"}
    chosen = {"name": "TableFile", "path": "a.parquet", "task": "regression", "target": "y", "columns": ["a", "b"]}
    assert source_of_path("a.parquet", "y", ["a", "b"], regression=True) == chosen
    assert source_of_path("a.npz") == {"name": "NPZ", "path": "a.npz"}
    assert source_of_path(str(tmp_path)) == {"name": "ImageFolder", "path": str(tmp_path)}
    assert source_of_path("Digits(train=10)") is None
    (tmp_path / "x.tsv").write_text("a\tb\n")
    for path, message in (
        (tmp_path / "x.tsv", r"data are read from \.csv, .*, or a folder of images; got .*x\.tsv"),
        (tmp_path / "y", "is not there"),
    ):
        with pytest.raises(NervaError, match=message):
            source_of_path(str(path))
    with pytest.raises(NervaError, match="--target is for a table"):
        source_of_path("Digits", "y")


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["oops", *range(11)], "line 2: column 'x' has numbers, but 'oops' here; leave the cell empty"),
        ([*range(20), "a", "b"], "line 22: column 'x' has numbers, but 'a' here \\(and 1 other cell\\)"),
        (["7x", *[1, 2] * 50], "line 2: column 'x' has numbers, but '7x' here"),
        (["0", "1", "2", "3+"] * 3, ""),
        (["oops", "", "a"] * 3, ""),
    ],
)
def test_a_column_of_numbers_with_an_odd_cell_is_no_category(tmp_path: Path, cells: list[Any], message: str) -> None:
    """Neither as a feature, where each number would be an input, nor as the target, where it would be a class."""
    path, classes = tmp_path / "a.csv", ["c" if k % 2 else "d" for k in range(len(cells))]
    for header, rows, task in (
        ("x,y", zip(cells, classes, strict=True), "classification"),
        ("y,x", zip(classes, cells, strict=True), "classification"),
        ("y,x", zip(classes, cells, strict=True), "regression"),
    ):
        path.write_text("\n".join([header, *(f"{a},{b}" for a, b in rows)]))
        if message:
            with pytest.raises(NervaError, match=message):
                TableFile(path=str(path), task=task).load()
        elif header == "x,y":
            assert TableFile(path=str(path), scaling="none").load().inputs == len(set(cells))  # one of them may say "is missing"


@pytest.mark.parametrize("name", ["", "Unnamed: 0", "__index_level_0__"])
def test_an_index_that_pandas_wrote_is_no_feature(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"{name},x,y\n" + "\n".join(f"{k},{k % 3},{'cd'[k % 2]}" for k in range(20)))
    with pytest.raises(NervaError, match=r"column 1 of 3 has no name.*index=False"):
        TableFile(path=str(path)).load()
    assert TableFile(path=str(path), columns=("x",)).load().encoding.features == ("x",)
    path.write_text("x,y,\n" + "\n".join(f"{k % 3},{'cd'[k % 2]}," for k in range(20)))
    with pytest.raises(NervaError, match="column 3 of 3 has no name"):
        TableFile(path=str(path)).load()
    path.write_text(",x,,y\n1,2,3,a\n4,5,6,b\n")
    with pytest.raises(NervaError, match="2 columns have no name"):
        TableFile(path=str(path)).load()
