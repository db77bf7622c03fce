"""Text files as sequences of numbers: nothing is lost, and what is filled up is padding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.data import SOURCES, Text
from nerva_core.data.dataset import PADDING, Dataset
from nerva_core.data.text import encode, sequences
from tests.conftest import make_backend

TEXT = "the cat sat on the mat; é!\n" * 4


def load(tmp_path: Path, text: str = TEXT, **options: object) -> Dataset:
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode())
    return Text(path=str(path), **options).load()


@pytest.mark.parametrize("unit", ["characters", "bytes"])
def test_the_text_can_be_read_back(tmp_path: Path, unit: str) -> None:
    data = load(tmp_path, length=7, unit=unit)
    assert data.inputs == data.positions == 7
    assert data.outputs == data.classes == (256 if unit == "bytes" else len(set(TEXT)))
    read = ""
    for X, T in ((data.Xtrain, data.Ttrain), (data.Xtest, data.Ttest)):
        targets = T.reshape(-1)[T.reshape(-1) != PADDING]
        assert len(T.reshape(-1)) - len(targets) < 7
        numbers = [int(X.flat[0]), *targets]
        np.testing.assert_array_equal(X.reshape(-1)[: len(targets)], numbers[:-1])
        read += "".join(data.class_names[k] for k in numbers)
    assert (read.encode("latin-1").decode() if unit == "bytes" else read) == TEXT


def test_sequences() -> None:
    X, T = sequences(np.array([3, 1, 4, 1, 5]), 3)
    np.testing.assert_array_equal(X, [[3, 1, 4], [1, 0, 0]])
    np.testing.assert_array_equal(T, [[1, 4, 1], [5, PADDING, PADDING]])


def test_targets_are_one_hot_rows_and_padding_is_zero(tmp_path: Path) -> None:
    data, ops = load(tmp_path, length=7), make_backend("numpy", "float64")
    T = ops.matrix(data.targets(data.Ttrain, data.outputs))
    rows = ops.to_numpy(data.rows_of_targets(ops, T))
    assert rows.shape == (data.Ttrain.size, data.classes)
    expected = [(k != PADDING) for k in data.Ttrain.reshape(-1)]
    np.testing.assert_array_equal(rows.sum(axis=1), expected)
    np.testing.assert_array_equal(rows.argmax(axis=1)[expected], data.Ttrain.reshape(-1)[expected])


def test_by_name() -> None:
    assert SOURCES.parse("Text(path='a.txt', length=8)") == Text(path="a.txt", length=8)


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NervaError, match="too short: 0 of its 3 characters are in the test set"):
        load(tmp_path, "abc")
    with pytest.raises(NervaError, match="not scaled, got scaling = 'unit'"):
        load(tmp_path, scaling="unit")
    with pytest.raises(NervaError, match=r"nothing\.txt is not there"):
        Text(path=str(tmp_path / "nothing.txt")).load()
    (tmp_path / "b.txt").write_bytes(b"\xff\xfe" * 40)
    with pytest.raises(NervaError, match="not UTF-8 text: invalid start byte at byte 0; read it with unit = 'bytes'"):
        Text(path=str(tmp_path / "b.txt")).load()
    with pytest.raises(NervaError, match="the character 'z' is not in the text of the training, which has 2 different"):
        encode("az", ("a", "b"))
