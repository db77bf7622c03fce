"""The operations of the user's code, recorded in their order while the backward pass runs."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from sympy_validation.foreign.run import Current
from sympy_validation.foreign.tensor import Storage

P = ParamSpec("P")
R = TypeVar("R")


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
            run.operations.append((f.__name__, operands, given, result))
            if run.change and run.change[0] == number:
                changed: R = run.change[1](f, operands, given, result)
                return changed
            return result
        finally:
            run.depth -= 1

    return counted
