"""Python's ``type``, ``isinstance``, ``hasattr`` and their like in a user's code: what stands for a matrix there has no answers to them."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from functools import wraps
from types import GenericAlias, ModuleType
from typing import Any

from nerva_core.algebra.matrix_ops import MatrixOps
from sympy_validation.operands import Opaque, undecided

OPERATIONS = frozenset(name for name in dir(MatrixOps) if not name.startswith("_"))


class _TypeOf(type):
    """Makes ``TypeOf`` look like ``type``."""

    def __call__(cls, *arguments: Any, **named: Any) -> Any:
        if len(arguments) == 1:
            _look_at(arguments[0], "type")
        return type(*arguments, **named)

    def __instancecheck__(cls, x: Any) -> bool:
        return isinstance(x, type)

    def __subclasscheck__(cls, kind: Any) -> bool:
        return issubclass(kind, type)

    def __getitem__(cls, of: Any) -> GenericAlias:
        return GenericAlias(type, of)


class TypeOf(metaclass=_TypeOf):
    """``type``."""


def _asking(function: Callable[..., Any], what: str) -> Callable[..., Any]:
    """The function, which is not told what stands for something else."""

    @wraps(function)
    def asked(*arguments: Any) -> Any:
        if arguments and not (len(arguments) > 1 and what == "attributes" and _is_operation(*arguments[:2])):
            _look_at(arguments[0], what)
        return function(*arguments)

    return asked


def _is_operation(x: Any, name: Any) -> bool:
    return isinstance(x, MatrixOps) and name in OPERATIONS


def _look_at(x: Any, what: str) -> None:
    if issubclass(type(x), Opaque):
        raise undecided(f"the {what} of {x.what}")


REPLACED: dict[str, Any] = {
    "type": TypeOf,
    "isinstance": _asking(isinstance, "type"),
    "hasattr": _asking(hasattr, "attributes"),
    "getattr": _asking(getattr, "attributes"),
    "vars": _asking(vars, "attributes"),
    "dir": _asking(dir, "attributes"),
}


def ask_no_symbols(module: ModuleType) -> None:
    """Replace these functions among the names of the module, unless it has its own."""
    for name, function in REPLACED.items():
        if vars(module).get(name, getattr(builtins, name)) is getattr(builtins, name):
            setattr(module, name, function)
