import pytest

from sympy_validation.foreign.errors import SizeNeeded
from tests.sympy_validation.foreign.points import agree, both


def test_slices_of_numbers_and_of_factors() -> None:
    agree(lambda x: x[:, 1:3] * x[:, ::-1][:, 0:2], "x: N 4")
    agree(lambda x: x[..., 0::2] - x[..., 1::2], "x: N (D 2)")
    agree(lambda x: x[:, : x.shape[1] // 3] + x[:, 2 * (x.shape[1] // 3) :], "x: N (3 D)")


def test_slices_by_constants_of_a_size() -> None:
    agree(lambda x: x[1:] - x[:-1], "x: T D")
    agree(lambda x: x[0] * 2, "x: T D")


def test_changes_of_slices() -> None:
    def f(x):
        y = x * 1.0
        y[1:] += x[:-1]
        y[:-1] = x[1:]
        return y

    agree(f, "x: T D")


def test_a_change_where_a_mask_holds() -> None:
    def f(x):
        y = x * 1.0
        y[x < 0] = 0.5
        return y

    agree(f, "x: N D")


def test_other_elements_need_the_size() -> None:
    with pytest.raises(SizeNeeded):
        both(lambda x: x[-1], "x: T D")
