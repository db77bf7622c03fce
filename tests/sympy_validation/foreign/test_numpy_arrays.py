"""Methods of arrays of NumPy on symbols, against NumPy."""

import pytest

from sympy_validation.foreign.errors import NotCaptured
from tests.sympy_validation.foreign.points import agree, both


def test_methods_with_axes() -> None:
    agree(lambda x: x.sum(axis=0) + x.mean(axis=0) + x.var(axis=0, ddof=1) + x.std(axis=0), "x: N D")
    agree(lambda x: x.transpose(1, 0, 2).repeat(2, axis=1).ravel(), "x: N D K")
    agree(lambda x: x.clip(-1.0, 1.0).squeeze().astype(float).cumsum(axis=1), "x: N 1 D")


def test_a_stride_is_no_number() -> None:
    with pytest.raises(NotCaptured, match="an address in memory"):
        both(lambda x: x.strides[0].bit_length(), "x: N D")
    with pytest.raises(NotCaptured, match="a stride times"):
        both(lambda x: x.strides[0] * x, "x: N D")
