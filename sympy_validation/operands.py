"""Operands of a proof: they stand for a matrix, a scalar or a size, and refuse to be decided by or handed to NumPy."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, NoReturn

import numpy as np

from nerva_core.algebra.errors import NervaError
from sympy_validation.cases import Case
from sympy_validation.faults import is_own

REVERSED = {"multiply": "__rmul__", "add": "__radd__", "subtract": "__rsub__", "divide": "__rtruediv__", "power": "__rpow__"}


class ComparedError(TypeError):
    """Code decides by something that is arbitrary in a proof, which would prove one branch only."""

    cases: Sequence[Case] = ()
    """In each of which it is not arbitrary, if there are such cases."""


_asked: list[ComparedError] = []
"""The first comparison since ``watched`` began."""


def undecided(what: str, cases: Sequence[Case] = ()) -> ComparedError:
    """The error, in the words of the user."""
    error = ComparedError(f"what follows depends on {what}, which is arbitrary in a proof for all of them")
    error.cases = cases
    if not _asked:
        _asked.append(error)
    return error


@contextmanager
def watched() -> Iterator[None]:
    """ComparedError for a comparison in what follows, also if the code that compares catches the exception and goes on."""
    _asked.clear()
    yield
    if _asked:
        raise _asked[0]


class Operand:
    """A value that cannot be compared, and that NumPy's functions refuse instead of taking it for a number."""

    __slots__ = ()
    what = "a matrix"

    def _compare(self, *_: Any) -> NoReturn:
        raise undecided(f"the value of {self.what}")

    __bool__: Any = _compare
    __lt__: Any = _compare
    __le__: Any = _compare
    __gt__: Any = _compare
    __ge__: Any = _compare

    def __eq__(self, other: object) -> Any:
        return True if self is other else self._compare()

    def __hash__(self) -> int:
        return id(self)

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        raise NervaError(f"NumPy cannot compute with {self.what} of a proof: use the operations of ops")

    def __array_function__(self, function: Any, *_: Any) -> NoReturn:
        raise NervaError(f"np.{function.__name__} cannot compute with {self.what} of a proof: use the operations of ops")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **named: Any) -> Any:
        """A NumPy number * X is the number * X, and a function of a number that of the prover; anything else of NumPy is refused."""
        if method == "__call__" and len(inputs) == 1 and not named and hasattr(self, "function"):
            return self.function(ufunc.__name__)
        reverse = REVERSED.get(ufunc.__name__, "")
        if method == "__call__" and len(inputs) == 2 and isinstance(inputs[0], np.generic) and hasattr(self, reverse):
            return getattr(self, reverse)(inputs[0].item())
        return self.__array_function__(ufunc)


@cache
def _own(filename: str) -> bool:
    return is_own(filename)


def by_own_code(depth: int) -> bool:
    """Whether the function so many calls above is the user's own."""
    return _own(sys._getframe(depth + 1).f_code.co_filename)
