from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np

from nerva_core.data.preparation import Column, prepare
from nerva_core.data.tables import DataTable
from nerva_core.interoperability.preparation import preparation_source


def test_the_module_prepares_as_the_model_does(tmp_path: Path) -> None:
    columns = [Column("age", fill=5.0, indicator=True), Column('the "colour"', ("it's", "red"), indicator=True), Column("n")]
    table = DataTable("t", {"age": np.array([1.0, np.nan]), 'the "colour"': ["red", None], "n": np.array([2.0, 3.0])})
    (tmp_path / "prepare.py").write_text(preparation_source(columns))
    spec = importlib.util.spec_from_file_location("prepare", tmp_path / "prepare.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    rows = [{"age": 1.0, 'the "colour"': "red", "n": "2"}, {"age": float("nan"), 'the "colour"': None, "n": 3}]
    np.testing.assert_array_equal(module.prepare(rows), prepare(table, columns)[0])
