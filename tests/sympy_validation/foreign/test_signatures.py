import pytest

from nerva_core.algebra.errors import NervaError
from sympy_validation.foreign.signatures import named, returned_names, roles


def forward(x, w):
    out, cache = x * w, (x, w)
    return out, cache


def with_names(x):
    out, mean = x, x
    return out, mean


def test_roles() -> None:
    found = roles(forward, lambda dout, cache: None, ["x", "w"], (1, 2))
    assert found.outputs == 1
    assert found.arguments == (("gradient", 0), ("output", 1))
    assert roles(forward, lambda cache, dout: None, ["x", "w"], (1, 2)).arguments == (("output", 1), ("gradient", 0))
    named_roles = roles(with_names, lambda dout, x, mean: None, ["x"], (1, 2))
    assert named_roles.outputs == 1
    assert named_roles.arguments == (("gradient", 0), ("input", "x"), ("output", 1))
    assert roles(lambda x: x, lambda dy, y: None, ["x"], 5).arguments == (("gradient", 0), ("output", 0))


def test_what_is_not_clear_is_asked() -> None:
    with pytest.raises(NervaError, match="which values"):
        roles(forward, lambda dout, one, two: None, ["x", "w"], (1, 2))


def test_names() -> None:
    assert returned_names(with_names) == ["out", "mean"]
    assert named({"dW": 1, "grad_b": 2, "x": 3}, ["W", "b", "x", "z"]) == {"W": 1, "b": 2, "x": 3}
