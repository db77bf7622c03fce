"""Operands of a proof: they stand for a matrix, a scalar or a size, and refuse to be decided by or handed to NumPy."""

from __future__ import annotations

import fractions
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from types import FrameType
from typing import Any, NoReturn

import numpy as np

from nerva_core.algebra.errors import NervaError
from sympy_validation.cases import Case
from sympy_validation.faults import is_library, is_own
from sympy_validation.ways import Ways, followed

REVERSED = {"multiply": "__rmul__", "add": "__radd__", "subtract": "__rsub__", "divide": "__rtruediv__", "power": "__rpow__"}


class ComparedError(TypeError):
    """Code decides by something that is arbitrary in a proof, which would prove one branch only."""

    cases: Sequence[Case] = ()
    """In each of which it is not arbitrary, if there are such cases."""


_asked: list[Exception] = []
"""The first question without an answer since ``watched`` began."""


def undecided(what: str, cases: Sequence[Case] = ()) -> ComparedError:
    """The error, in the words of the user."""
    return unanswered(f"what follows depends on {what}, which is arbitrary in a proof for all of them", cases)


def unanswered(words: str, cases: Sequence[Case] = ()) -> ComparedError:
    """The error for a question that a number would answer."""
    error = ComparedError(words)
    error.cases = cases
    _ask(error)
    return error


def _ask(error: Exception) -> None:
    if not _asked:
        _asked.append(error)


def _refused(words: str) -> NervaError:
    error = NervaError(f"{words} of a proof: use the operations of ops")
    _ask(error)
    return error


@contextmanager
def watched(ways: Ways | None = None) -> Iterator[None]:
    """The exception for what has no answer in what follows, also if the code that asks catches it and goes on.

    Nor is there an answer to whether something raises an exception, if code catches it. Otherwise the ways of the code are added to
    ``ways``.
    """
    _asked.clear()
    with followed() as found:
        yield
    if _asked:
        raise _asked[0]
    if found.caught:
        raise ComparedError(f"what follows depends on an exception that is caught, and that numbers may not raise: {found.caught[0]}")
    if ways is not None:
        ways.add(found)


class Opaque:
    """What stands for something else in a user's code, which may not look at what it is."""

    __slots__ = ()
    what = "a matrix"

    def __getattr__(self, name: str) -> NoReturn:
        """Code that asks for what only numbers have would go on otherwise than with them."""
        if not name.startswith("_") and by_own_code(1):
            raise unanswered(f"{self.what} of a proof has no {name!r}: use the operations of ops")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def _type(self) -> type:
        if by_own_code(1):
            raise undecided(f"the type of {self.what}")
        return type(self)

    def _no_text(self, depth: int = 2) -> None:
        """In a user's code nothing may depend on what it looks like."""
        if by_own_code(depth):
            raise undecided(f"the text of {self.what}")

    __class__: Any = property(_type)
    """What ``isinstance`` looks at where the type itself does not say yes."""


class ArbitraryNumber(Opaque):
    """A number that is arbitrary in a proof: what Python asks of a number, and what is not known here, is not answered."""

    __slots__ = ()
    what = "a number"

    def _decide(self, *_: Any) -> NoReturn:
        raise undecided(f"the value of {self.what}")

    def _is(self, sign: str, other: Any) -> bool:
        """The answer to a comparison; an exception where there is none."""
        raise NotImplementedError

    def __lt__(self, other: Any) -> bool:
        return self._is("<", other)

    def __le__(self, other: Any) -> bool:
        return self._is("<=", other)

    def __gt__(self, other: Any) -> bool:
        return self._is(">", other)

    def __ge__(self, other: Any) -> bool:
        return self._is(">=", other)

    __int__: Any = _decide
    __index__: Any = _decide
    __float__: Any = _decide
    __complex__: Any = _decide
    __round__: Any = _decide
    __trunc__: Any = _decide
    __floor__: Any = _decide
    __ceil__: Any = _decide
    __mod__: Any = _decide
    __rmod__: Any = _decide
    __divmod__: Any = _decide
    __rdivmod__: Any = _decide
    __floordiv__: Any = _decide
    __rfloordiv__: Any = _decide

    def _decided(self) -> None:
        """In a user's code nothing may depend on the text, the hash or the type."""
        if by_own_code(2):
            self._decide()


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

    __len__: Any = _compare
    __iter__: Any = _compare
    __contains__: Any = _compare
    __getitem__: Any = _compare

    def __eq__(self, other: object) -> Any:
        return True if self is other else self._compare()

    def __hash__(self) -> int:
        return id(self)

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        raise _refused(f"NumPy cannot compute with {self.what}")

    def __array_function__(self, function: Any, *_: Any) -> NoReturn:
        raise _refused(f"np.{function.__name__} cannot compute with {self.what}")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **named: Any) -> Any:
        """A NumPy number * X is the number * X, and a function of a number that of the prover; anything else of NumPy is refused."""
        if method == "__call__" and len(inputs) == 1 and not named and hasattr(self, "function"):
            return self.function(ufunc.__name__)
        reverse = REVERSED.get(ufunc.__name__, "")
        if method == "__call__" and len(inputs) == 2 and isinstance(inputs[0], np.generic) and hasattr(self, reverse):
            return getattr(self, reverse)(inputs[0].item())
        return self.__array_function__(ufunc)


@cache
def _owner(filename: str) -> bool | None:
    """Whether the file is the user's own; None if it is of Python or installed, and so works for whoever calls it.

    ``Fraction(1, 3) * X`` asks for the type of X, to leave the product to X: this is no question of the user.
    """
    if filename == fractions.__file__:
        return False
    return is_own(filename) or (None if not is_library(filename) else False)


def by_own_code(depth: int) -> bool:
    """Whether the function so many calls above is the user's own, or is called by it through Python's or installed code."""
    frame: FrameType | None = sys._getframe(depth + 1)
    while frame and (owner := _owner(frame.f_code.co_filename)) is None:
        frame = frame.f_back
    return bool(frame and owner)
