"""Exceptions of a user's code are told with the file and the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from nerva_core.algebra.numeric_backend import backend
from nerva_core.algebra.user_files import load_file
from sympy_validation.faults import fault, is_own


def test_fault(tmp_path: Path) -> None:
    path = tmp_path / "faulty.py"
    path.write_text("def f(x):\n    return x.nothing\n", encoding="utf-8")
    with pytest.raises(AttributeError) as raised:
        load_file(path).f(3)
    assert fault(raised.value) == "AttributeError: 'int' object has no attribute 'nothing' (faulty.py, line 2: return x.nothing)"


def test_the_library_is_not_the_users_own() -> None:
    assert not is_own(fault.__code__.co_filename)
    assert not is_own("<string>")
    assert is_own("/home/me/my_layer.py")


def test_an_unknown_operation_has_near_names() -> None:
    with pytest.raises(AttributeError, match="there is no operation 'hadamart'; did you mean 'hadamard'"):
        getattr(backend("numpy"), "hadamart")  # noqa: B009  (a checker would refuse the name)
