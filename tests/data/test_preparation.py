from __future__ import annotations

import json

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.data.preparation import Column, columns_from, learn, prepare
from nerva_core.data.tables import DataTable

TABLE = DataTable("t", {"age": np.array([1.0, 9.0, np.nan, 3.0]), "colour": ["red", "blue", None, "green"], "id": ["a", "b", "c", "d"]})
TRAIN = np.array([0, 1, 2])


def test_what_is_learned_is_of_the_training_set_alone() -> None:
    age, colour = learn(TABLE, ["age", "colour"], TRAIN)
    assert age == Column("age", (), fill=5.0, indicator=True)  # the median of 1 and 9
    assert colour == Column("colour", ("blue", "red"), indicator=True)
    assert (*age.inputs, *colour.inputs) == ("age", "age is missing", "colour = blue", "colour = red", "colour is missing")
    X, notes = prepare(TABLE, [age, colour])
    np.testing.assert_array_equal(X, [[1, 0, 0, 1, 0], [9, 0, 1, 0, 0], [5, 1, 0, 0, 1], [3, 0, 0, 0, 0]])
    assert notes == ["t: 'colour' has texts that the training had not, taken as none of its categories: green", "t: not used: column id"]


def test_an_imputed_number_is_told() -> None:
    (age,) = learn(TABLE, ["age"], TRAIN, missing="impute")
    X, notes = prepare(TABLE, [age])
    np.testing.assert_array_equal(X, [[1], [9], [5], [3]])
    assert notes[0] == "t: 1 missing number of 'age' taken as 5"


@pytest.mark.parametrize(
    ("name", "rows", "message"),
    [
        ("age", [0, 1, 2], "column 'age' has no value in row 3"),
        ("colour", [1, 2], "column 'colour' has no value in row 3"),
        ("age", [2], "has no value in any of 1 training examples"),
    ],
)
def test_missing_values_may_be_refused(name: str, rows: list[int], message: str) -> None:
    with pytest.raises(NervaError, match=message):
        learn(TABLE, [name], np.array(rows), missing="refuse")


def test_a_text_of_its_own_in_every_row_is_no_category() -> None:
    names = DataTable("t", {"name": [f"n{k}" for k in range(101)], "age": np.ones(101)})
    with pytest.raises(NervaError, match=r"has 101 different texts in 101 rows.* leave it out with --columns age$"):
        learn(names, ["name", "age"], np.arange(101))
    for rows in (20, 100):
        with pytest.raises(NervaError, match=f"has {rows} different texts in {rows} rows"):
            learn(names, ["name", "age"], np.arange(rows))
    assert len(learn(names, ["name"], np.arange(19))[0].categories) == 19
    repeated = DataTable("t", {"name": [f"n{k % 100}" for k in range(101)]})
    assert len(learn(repeated, ["name"], np.arange(101))[0].categories) == 100


def test_a_column_of_the_other_kind() -> None:
    with pytest.raises(NervaError, match="row 1: column 'age' was one of numbers in the training, got 'red'"):
        prepare(DataTable("t", {"age": ["red"]}), [Column("age")])
    X, _ = prepare(DataTable("t", {"kind": np.array([1.0, 2.0, np.nan])}), [Column("kind", ("1", "2"), indicator=True)])
    np.testing.assert_array_equal(X, [[1, 0, 0], [0, 1, 0], [0, 0, 1]])


def test_columns_are_written_and_read() -> None:
    columns = learn(TABLE, ["age", "colour"], TRAIN)
    text = json.dumps([column.as_table() for column in columns])
    assert columns_from(json.loads(text)) == columns
    for wrong in ({}, [1], [{"name": "a"}], [{"name": "a", "categories": [1], "fill": 0, "indicator": True}]):
        with pytest.raises(ValueError, match=r"column|categories"):
            columns_from(wrong)
