"""Import paths that documentation named before the modules had folders of their own."""

from __future__ import annotations

import importlib

import pytest

from nerva_core.former_paths import FORMER


@pytest.mark.parametrize("path", FORMER)
def test_a_former_path_is_the_same_module(path: str) -> None:
    module = importlib.import_module(FORMER[path])
    assert importlib.import_module(path) is module
    assert module.__name__ == FORMER[path]
    assert module.__spec__ is not None
    assert module.__spec__.name == FORMER[path]


def test_other_names_are_not_found() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"nerva_core\.nothing"):
        importlib.import_module("nerva_core.nothing")
