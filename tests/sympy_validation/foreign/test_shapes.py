import pytest

from sympy_validation.foreign.errors import NotCaptured, ShapesDiffer
from tests.sympy_validation.foreign.points import agree, both


def test_reshape_by_factors() -> None:
    agree(lambda x: x.reshape(x.shape[0], -1, 2).transpose(2, 0, 1), "x: N (D 2)")
    agree(lambda x: x.reshape(-1, x.shape[-1]), "x: N T D")
    agree(lambda x: x.reshape(3, 2, -1), "x: 6 D")
    agree(lambda x: x.swapaxes(0, -1).reshape(-1), "x: 2 3 4")


def test_shapes_that_do_not_fit() -> None:
    with pytest.raises((ShapesDiffer, NotCaptured)):
        both(lambda x: x.reshape(x.shape[1], -1), "x: N D")
    with pytest.raises(ShapesDiffer):
        both(lambda x: x.reshape(5), "x: 2 3")
