"""Exceptions of a user's code, told with the type, the file and the line."""

from __future__ import annotations

import traceback
from functools import cache
from pathlib import Path

from nerva_core.algebra.errors import NervaError

PACKAGES = ("nerva_core", "backends", "sympy_validation")
HERE = Path(__file__).resolve().parent.parent


def fault(error: BaseException) -> str:
    """For example ``AttributeError: ... (my_layer.py, line 7: return X.nothing)``; a message of ours needs no type."""
    kind = "" if isinstance(error, NervaError) else f"{type(error).__name__}: "
    return f"{kind}{error}{place(error)}"


def place(error: BaseException) -> str:
    """The last line that is the user's own, as `` (my_layer.py, line 7: return X.nothing)``; empty if there is none."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if is_own(frame.filename):
            return f" ({Path(frame.filename).name}, line {frame.lineno}: {frame.line})"
    return ""


@cache
def is_library(filename: str) -> bool:
    """Whether the file is part of this library."""
    path = Path(filename).resolve()
    return any(path.is_relative_to(HERE / package) for package in PACKAGES)


@cache
def is_own(filename: str) -> bool:
    """Whether the file is neither part of this library, nor installed, nor of Python itself."""
    path = Path(filename).resolve()
    installed = "site-packages" in path.parts or Path(traceback.__file__).parent in path.parents
    return not (is_library(filename) or filename.startswith("<") or installed)
