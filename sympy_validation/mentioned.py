"""The numbers that a user's code mentions: where it decides by a number, it is wrong there or beside it, if it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import CodeType, FunctionType
from typing import Any

from sympy_validation.faults import is_own

MOST = 12
"""So many numbers are looked at."""
LARGEST_ROWS, LARGEST_COLUMNS = 2000, 320
"""Matrices of more rows or columns would take long."""


def mentioned(entry: type) -> list[float]:
    """The numbers other than 0 and 1 in the methods of the class and in what they call and name in its file, each once."""
    found = dict.fromkeys(number for function in _functions(entry) for number in _numbers(function))
    return [number for number in found if number not in (0, 1)][:MOST]


def sizes_beside(numbers: list[float]) -> list[tuple[int, int, int]]:
    """(N, D, K) of which one is a number that is mentioned, one less or one more."""
    near = dict.fromkeys(int(c) + step for c in numbers if c == int(c) for step in (0, 1, -1))
    rows = [(n, 2, 3) for n in near if 1 <= n <= LARGEST_ROWS]
    return rows + [size for n in near if 1 <= n <= LARGEST_COLUMNS for size in ((2, n, 3), (2, 3, n))]


def values_beside(numbers: list[float], whole: bool, most: int = 32) -> list[Any]:
    """What is mentioned, less and more, as values of a hyper-parameter: whole numbers from 1 to ``most``, or any."""
    if whole:
        near = dict.fromkeys(int(c) + step for c in numbers if c == int(c) for step in (0, 1, 2, -1))
        return [n for n in near if 1 <= n <= most]
    return [*dict.fromkeys(value for c in numbers for value in (c, c - 0.01 * max(1.0, abs(c)), c + 0.01 * max(1.0, abs(c))))]


def _functions(entry: type) -> Iterator[Callable[..., Any]]:
    for base in entry.__mro__:
        for value in vars(base).values():
            value = getattr(value, "__func__", getattr(value, "fget", value))
            if isinstance(value, FunctionType) and is_own(value.__code__.co_filename):
                yield value


def _numbers(function: Any, seen: set[int] | None = None) -> Iterator[float]:
    seen = set() if seen is None else seen
    if id(function) in seen:
        return
    seen.add(id(function))
    yield from _constants(function.__code__)
    for name in _names(function.__code__):
        value = function.__globals__.get(name)
        if isinstance(value, FunctionType) and is_own(value.__code__.co_filename):
            yield from _numbers(value, seen)
        yield from _of(value)


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names(inner)


def _constants(code: CodeType) -> Iterator[float]:
    for constant in code.co_consts:
        yield from _constants(constant) if isinstance(constant, CodeType) else _of(constant)


def _of(value: Any) -> Iterator[float]:
    """Of a number itself; of a tuple or set of them, each; of digits the number that they are."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e9:
        yield value
    if isinstance(value, (tuple, frozenset)):
        for each in value:
            yield from _of(each)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 9:
        yield int(value)
