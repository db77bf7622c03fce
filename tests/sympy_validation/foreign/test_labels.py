import numpy as np
import pytest

from sympy_validation.foreign.errors import NotCaptured
from sympy_validation.foreign.functions import eye, filled, triangle
from sympy_validation.foreign.labels import positions
from tests.sympy_validation.foreign.points import agree, both


def test_elements_by_labels() -> None:
    agree(lambda x, y: x[y], "x: V D, y: N T in V")
    agree(lambda x, y: x[positions(x.shape[0]), y], "x: N K, y: N in K", lambda x, y: x[np.arange(len(x)), y])
    agree(lambda x, y: x * y.one_hot(), "x: N K, y: N in K", lambda x, y: x * np.eye(4)[y])


def test_changes_at_labels() -> None:
    def f(x, y, rows):
        z = x * 1.0
        z[rows, y] -= 2.0
        return z

    agree(lambda x, y: f(x, y, positions(x.shape[0])), "x: N K, y: N in K", lambda x, y: f(x, y, np.arange(len(x))))


def test_equal_labels_are_not_added_in_silence() -> None:
    def f(x, y):
        z = x * 1.0
        z[y] += 1.0
        return z

    with pytest.raises(NotCaptured):
        both(f, "x: V D, y: N in V")


def test_triangles() -> None:
    agree(lambda x: triangle(x, -1) + triangle(x, 1, upper=True), "x: T T", lambda x: np.tril(x, -1) + np.triu(x, 1))
    agree(lambda x: x * eye(x.shape[0]) + filled(x.shape, 1), "x: 3 3", lambda x: x * np.eye(3) + 1)


def test_a_label_is_no_number() -> None:
    with pytest.raises(NotCaptured, match="number of a formula"):
        both(lambda x, y: x * y, "x: N, y: N in K")
