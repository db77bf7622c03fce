import pytest

from nerva_core.algebra.errors import NervaError
from sympy_validation.foreign.code import UnitBack, assigned, is_unit


def backward(dy):
    dw, dx = dy, dy
    return dw, dx


def test_gradients_are_given_in_order_by_names_or_by_keys() -> None:
    assert assigned((1, 2), ["x", "w"], backward) == {"x": 1, "w": 2}
    assert assigned({"dw": 2, "dx": 1}, ["x", "w"], backward) == {"x": 1, "w": 2}
    assert assigned((1, None, 3), ["x", "b"], backward, ["x", "m", "b"]) == {"x": 1, "b": 3}
    assert assigned((1, {"dw": 2}), ["x", "w"], backward) == {"x": 1, "w": 2}
    with pytest.raises(NervaError, match="const"):
        assigned(1, ["x", "w"], backward)


def test_a_loss_takes_no_gradient() -> None:
    assert is_unit(UnitBack(lambda _: {}))
    assert not is_unit(lambda _: {})
