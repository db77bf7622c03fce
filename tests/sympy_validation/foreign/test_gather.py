"""Elements by index, read, changed and added to."""

import numpy as np
import pytest

from sympy_validation.foreign.errors import NotCaptured
from tests.sympy_validation.foreign.points import agree, both


def test_elements_by_labels() -> None:
    agree(lambda x, y: x[:, y], "x: N K, y: T in K")
    agree(lambda x, y: x[y] * x[y], "x: K D, y: N in K")


def test_elements_by_numbers() -> None:
    agree(lambda x: x[:, [2, 0, 2]] * x[:, [1, 1, 0]], "x: N 3")


def test_elements_are_added_as_often_as_their_label_occurs() -> None:
    def increased(x, y, z):
        result = z * 1.0
        result.increase_at((y,), x)
        return result

    def expected(x, y, z):
        np.add.at(z, y, x)
        return z

    agree(increased, "x: N D, y: N in K, z: K D", expected)
    agree(increased, "x: N D, y: N in 4, z: 4 D", expected)


def test_a_place_is_no_memory_where_a_label_may_occur_twice() -> None:
    def f(x, y):
        z = x * 1.0
        z[y] -= 1
        return z

    with pytest.raises(NotCaptured):
        both(f, "x: K D, y: N in K")


def test_indices_along_axes_apart_are_not_captured() -> None:
    with pytest.raises(NotCaptured, match="side by side"):
        both(lambda x, y: x[y, :, y], "x: K D K, y: N in K")
