"""The keywords of the libraries, in one form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sympy_validation.foreign.errors import NotCaptured
from sympy_validation.foreign.tensor import Storage

IGNORED = ("dtype", "out_dtype", "device", "copy", "order", "requires_grad", "memory_format", "non_blocking", "initial", "precision",
           "preferred_element_type", "casting", "subok", "inplace", "optimize", "indexing", "stable", "pin_memory")  # fmt: skip
"""They change no value, or only how it is stored; of ``initial`` the sum with 0."""


def plain(given: dict[str, Any]) -> dict[str, Any]:
    """The keywords in NumPy's names, without those that change no value."""
    if given.get("where") is not None or given.get("out") is not None:
        raise NotCaptured("the keyword where or out")
    names = {"dim": "axis", "keepdim": "keepdims", "dims": "axis"}
    return {names.get(name, name): value for name, value in given.items() if name not in (*IGNORED, "where", "out")}


def method(name: str) -> Callable[..., Any]:
    """The operation of tensors with this name, as a function."""

    def call(x: Any, *operands: Any, **given: Any) -> Any:
        return getattr(Storage.of(x), name)(*operands, **plain(given))

    call.__name__ = name
    return call


def function(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function of tensors with the libraries' keywords."""

    def call(*operands: Any, **given: Any) -> Any:
        return f(*operands, **plain(given))

    call.__name__ = f.__name__
    return call


def same(x: Any, *_: Any, **__: Any) -> Any:
    """What changes no value."""
    return x
