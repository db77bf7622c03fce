import pytest

from sympy_validation.all_sizes.symbols import Size
from sympy_validation.foreign.errors import NotCaptured, SizeNeeded
from sympy_validation.foreign.sizes import Dim, dim, least_of, merged, undim

T, H, A = (dim(Size(name)) for name in "THA")


def test_sums_and_products() -> None:
    assert T + 2 - 2 == T
    assert repr(T + 2) == "T+2"
    assert T + T == 2 * T
    assert H * A == A * H
    assert (H * A) // H == A
    assert (3 * H * A) // 3 == H * A
    assert T - T == 0


def test_what_is_not_decided() -> None:
    assert T >= 1
    assert T + 2 > T
    with pytest.raises(SizeNeeded):
        _ = T < 5
    with pytest.raises(SizeNeeded):
        range(T)
    with pytest.raises(SizeNeeded):
        _ = T // 2
    with pytest.raises(NotCaptured, match="product"):
        _ = T // H


def test_factors() -> None:
    assert merged((2, 3, Size("A"), 1)) == (6, Size("A"))
    assert undim((2, 3)) == 6
    assert isinstance(undim((2, Size("A"))), Dim)


def test_rounded_quotients() -> None:
    half = (T - 1) // 2 + 1
    assert repr((2 * T + 3) // 2) == "T+1"
    assert half.is_rounded
    assert half.names() == ["T"]
    assert half - half == 0
    with pytest.raises(SizeNeeded):  # it may be 1
        _ = half == 1
    with pytest.raises(SizeNeeded):
        _ = (T + 1) % 2
    assert least_of(T - 2 * ((T - 1) // 2)) == 1  # 2 ((T - 1) // 2) is at most T - 1
    assert least_of(T - 3 * ((T - 1) // 2)) < 0
