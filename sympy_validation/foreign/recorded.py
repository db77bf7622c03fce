"""The operations of the user's code, recorded in their order while the backward pass runs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from types import FrameType
from typing import Any, ParamSpec, TypeVar

from sympy_validation.foreign.run import Current
from sympy_validation.foreign.tensor import Storage

P = ParamSpec("P")
R = TypeVar("R")


OURS = str(Path(__file__).parent)


@dataclass(frozen=True)
class Recorded:
    """An operation of the backward pass, and where it stands in the user's files."""

    name: str
    operands: tuple[Any, ...]
    given: Mapping[str, Any]
    result: Storage
    place: tuple[str, int]


def place() -> tuple[str, int]:
    """The file and the line of the code that has called this module's."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(OURS):
        frame = frame.f_back
    return (frame.f_code.co_filename, frame.f_lineno) if frame else ("", 0)


def operation(f: Callable[P, R]) -> Callable[P, R]:
    """An operation of the user's code, which the search of a repair may change while the backward pass runs."""

    @wraps(f)
    def counted(*operands: P.args, **given: P.kwargs) -> R:
        run = Current.run
        run.depth += 1
        try:
            result = f(*operands, **given)
            if run.depth > 1 or not run.recording or not isinstance(result, Storage):
                return result
            number = len(run.operations)
            run.operations.append(Recorded(f.__name__, operands, given, result, place()))
            if number in run.changes:
                changed: R = run.changes[number](f, operands, given, result)
                return changed
            return result
        finally:
            run.depth -= 1

    return counted
