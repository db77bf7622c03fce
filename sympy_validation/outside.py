"""What a user's code takes from outside of its arguments: it may be something else in the next run, or in the next call.

A proof is about a function of its arguments. Code that asks the clock, the system or the program that runs it is none, and neither is
code that keeps something between its calls.
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any

import numpy as np

from sympy_validation.faults import is_own

KNOWN = """
__future__ abc annotated_types backends builtins cmath collections contextlib copy dataclasses decimal enum fractions functools itertools
math nerva_core numbers numpy operator random statistics string sympy_validation types typing warnings
"""
"""Modules in which nothing depends on anything else; random numbers that are drawn are found by the state of their generators."""
FUNCTIONS_OF_ARGUMENTS = frozenset(KNOWN.split())
ASKING = frozenset({"globals", "id", "input", "open", "__import__"})
"""Functions of Python that ask for something else than their arguments."""
INNER = frozenset({"builtins", "ctypes", "environ", "gc", "inspect", "modules", "os", "sys"})
"""Attributes that lead out of a module."""
SPECIAL = frozenset({"__doc__", "__init__", "__name__", "__post_init__", "__qualname__", "__version__", "__all__"})
"""Attributes with underscores that tell nothing of what stands for a matrix."""
LOADED = ("LOAD_GLOBAL", "LOAD_NAME")
ATTRIBUTES = ("LOAD_ATTR", "LOAD_METHOD")
DEPTH = 4
"""So deep is looked into containers."""


def asked_outside(frame: FrameType) -> str:
    """What the code that is called takes from outside of its arguments, in words; empty if nothing."""
    code = frame.f_code
    closure = frame.f_locals if code.co_freevars else {}
    values = [(name, frame.f_globals.get(name)) for name in _names(code, LOADED)]
    for name, value in (*values, *((name, closure.get(name)) for name in code.co_freevars)):
        if _is_outside(value) or (value is None and name in ASKING):
            return name
    attributes = _names(code, ATTRIBUTES)
    return next((name for name in attributes if name in INNER or (_is_special(name) and name not in SPECIAL)), "") or _imported(code)


@cache
def _names(code: CodeType, operations: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(i.argval for i in dis.get_instructions(code) if i.opname in operations))


def _imported(code: CodeType) -> str:
    return next((name for name in _names(code, ("IMPORT_NAME",)) if not _is_known(name)), "")


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _is_outside(value: Any) -> bool:
    """Whether it is of a module whose functions depend on more than their arguments, or gives something else each time it is asked."""
    if isinstance(value, ModuleType):
        return not _is_known(value.__name__)
    if isinstance(value, Iterator):
        return True
    owner = getattr(value, "__module__", None) if callable(value) else type(value).__module__
    return isinstance(owner, str) and not _is_known(owner)


def _is_known(module: str) -> bool:
    """Whether the module is one of those above, or the user's own, whose code is followed."""
    if module.partition(".")[0] in FUNCTIONS_OF_ARGUMENTS:
        return True
    filename = getattr(sys.modules.get(module), "__file__", None)
    return module not in sys.modules or (filename is not None and is_own(filename))


class KeptOutside:
    """What a user's entry, and the modules of its code, hold; ``changed`` tells what has become another value since."""

    def __init__(self, entry: Any) -> None:
        self._entry = entry
        self._before = self._state()

    def changed(self) -> str:
        """The first name whose value is another one; empty if there is none."""
        before, after = self._before, self._state()
        names = dict.fromkeys((*before, *after))
        return next((name for name in names if name not in before or name not in after or before[name] != after[name]), "")

    def _state(self) -> dict[str, Any]:
        """The values that can be compared, by where they are found."""
        found: dict[str, Any] = {}
        for names in self._modules():
            for name, value in list(names.items()):
                if not _is_special(name):
                    found |= _tokens(name, value, DEPTH)
        for name, value in vars(self._entry).items():
            if not isinstance(getattr(type(self._entry), name, None), cached_property):
                found |= _tokens(f"self.{name}", value, DEPTH)
        return found

    def _modules(self) -> list[Mapping[str, Any]]:
        """The names of each module in which the entry has methods of the user's."""
        functions = (value for kind in type(self._entry).__mro__ for value in vars(kind).values() if isinstance(value, FunctionType))
        return [*{id(f.__globals__): f.__globals__ for f in functions if is_own(f.__code__.co_filename)}.values()]


def _tokens(name: str, value: Any, depth: int) -> dict[str, Any]:
    """The value, if it is a number or a text, or the values in it."""
    if isinstance(value, (int, float, complex, str, bytes, type(None))):
        return {name: repr(value)}
    if isinstance(value, np.ndarray):
        return {name: (value.shape, value.tobytes() if value.dtype != object else None)}
    return {name: id(value)} | {
        key: token for part, x in _inside(value) if depth for key, token in _tokens(name + part, x, depth - 1).items()
    }


def _inside(value: Any) -> Iterable[tuple[str, Any]]:
    """The values that can be exchanged in it, with how they are found."""
    if isinstance(value, Mapping):
        return [("[...]", len(value)), *((f"[{key!r}]", x) for key, x in list(value.items())[:100])]
    if isinstance(value, (list, set, frozenset, tuple)) or type(value).__name__ == "deque":
        return [("[...]", len(value)), *((f"[{k}]", x) for k, x in enumerate(list(value)[:100]))]
    if isinstance(value, FunctionType) and is_own(value.__code__.co_filename):
        cells = zip(value.__code__.co_freevars, value.__closure__ or (), strict=True)
        inner = [(f".{name}", cell.cell_contents) for name, cell in cells if _is_filled(cell)]
        return [*inner, *((f".{k}", x) for k, x in enumerate(value.__defaults__ or ())), *((f".{k}", x) for k, x in vars(value).items())]
    own = value if isinstance(value, type) else type(value)
    if is_own(getattr(sys.modules.get(own.__module__), "__file__", None) or "<"):
        return [(f".{key}", x) for key, x in list(getattr(value, "__dict__", {}).items()) if not _is_special(key)]
    return ()


def _is_filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not NotImplemented
    except ValueError:
        return False
