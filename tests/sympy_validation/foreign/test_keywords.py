import pytest

from sympy_validation.foreign.errors import NotCaptured
from sympy_validation.foreign.keywords import plain


def test_names_of_two_libraries() -> None:
    assert plain({"dim": 1, "keepdim": True, "dtype": float}) == {"axis": 1, "keepdims": True}


def test_what_changes_values_is_not_dropped() -> None:
    with pytest.raises(NotCaptured):
        plain({"out": object()})
    assert plain({"correction": 0}) == {"correction": 0}
