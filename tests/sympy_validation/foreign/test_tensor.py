import numpy as np
import pytest

from sympy_validation.foreign.errors import NotCaptured, ShapesDiffer
from tests.sympy_validation.foreign.points import agree, both


def test_broadcasting() -> None:
    agree(lambda x, y: x + y, "x: N 1 D, y: T D")
    agree(lambda x, y: x * y, "x: 2 D, y: D")
    with pytest.raises(ShapesDiffer):
        both(lambda x, y: x + y, "x: N D, y: N")


def test_axes_that_are_numbered_in_two_ways_are_refused() -> None:
    with pytest.raises(NotCaptured, match="two ways"):
        both(lambda x, y: x + y, "x: (N D), y: (D N)")


def test_a_view_reads_what_its_base_has_now() -> None:
    def f(x):
        first = x[:, 0:1]
        turned = x.T
        x[:, 1] = 7.0
        first += 1.0
        return first * 1.0 + turned[0].reshape(-1, 1) + x.sum()

    agree(f, "x: N 2")


def test_a_change_of_what_may_be_a_copy_is_refused() -> None:
    def f(x):
        y = x.T.reshape(-1)
        y += 1.0
        return x

    with pytest.raises(NotCaptured, match="a view or a copy"):
        both(f, "x: N D")


def test_arrays_of_numbers_are_constants() -> None:
    agree(lambda x: x * np.array([1.0, 2.0, 0.5]), "x: N 3")
