"""The ways that a user's code takes: which instruction follows which, and which exceptions it catches.

A proof is about the way that symbols took. So a run on numbers is held to it: an instruction that follows another one there, but
never did on symbols, shows that the code decides by something that differs between the two.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, TypeVar, cast

from sympy_validation.faults import fault, is_own
from sympy_validation.outside import asked_outside

F = TypeVar("F", bound=Callable[..., Any])
Step = tuple[CodeType, int, int]
"""Code, the offset of an instruction, and that of the next one that ran; -1 before the first."""

LOOKED_UP = (KeyError, IndexError)
"""What code may catch that has looked something up in a container of its own."""


@dataclass
class Ways:
    """The steps of a user's code, and the exceptions that it has caught."""

    steps: set[Step] = field(default_factory=set)
    caught: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    """What it asks for that is none of its arguments, and where."""
    _seen: set[CodeType] = field(default_factory=set)

    def __call__(self, frame: FrameType, event: str, _: Any) -> Any:
        """What ``sys.settrace`` is given: whether the call of a function is followed, and how."""
        if not _is_followed(frame):
            return None
        if frame.f_code not in self._seen:
            self._seen.add(frame.f_code)
            name = asked_outside(frame)
            self.outside += [f"{name} ({Path(frame.f_code.co_filename).name}, {frame.f_code.co_name})"] if name else []
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return _Call(self)

    def add(self, other: Ways) -> None:
        """The ways that were taken elsewhere, too."""
        self.steps |= other.steps
        self.outside += other.outside


@dataclass
class _Call:
    """One call of a function."""

    ways: Ways
    last: int = -1
    raised: BaseException | None = None

    def __call__(self, frame: FrameType, event: str, argument: Any) -> _Call:
        if event == "exception":
            self.raised = None if isinstance(argument[1], StopIteration) or _looked_up(argument) else argument[1]
        elif event == "opcode":
            if self.raised is not None:  # this function goes on
                self.ways.caught.append(fault(self.raised))
                self.raised = None
            self.ways.steps.add((frame.f_code, self.last, frame.f_lasti))
            self.last = frame.f_lasti
        return self


def _looked_up(raised: Any) -> bool:
    """Whether a user's code has raised the exception itself, by looking something up."""
    kind, _, trace = raised
    while trace.tb_next:
        trace = trace.tb_next
    return issubclass(kind, LOOKED_UP) and _is_followed(trace.tb_frame)


@contextmanager
def followed() -> Iterator[Ways]:
    """The ways that a user's code takes in what follows."""
    ways, before = Ways(), sys.gettrace()
    sys.settrace(ways)
    try:
        yield ways
    finally:
        sys.settrace(before)


def unfollowed(method: F) -> F:
    """The method, inside of which nothing of a user's runs: nothing is followed there, which would take time."""

    @functools.wraps(method)
    def quiet(*arguments: Any, **named: Any) -> Any:
        trace = sys.gettrace()
        if not isinstance(trace, Ways):
            return method(*arguments, **named)
        sys.settrace(None)
        try:
            return method(*arguments, **named)
        finally:
            sys.settrace(trace)

    return cast("F", quiet)


def line_of(step: Step) -> str:
    """For example ``my_layer.py, line 7``: where the second instruction of the step stands."""
    code, _, offset = step
    lines = (line for start, end, line in code.co_lines() if start <= offset < end and line)
    return f"{Path(code.co_filename).name}, line {next(lines, code.co_firstlineno)}"


def _is_followed(frame: FrameType) -> bool:
    """Whether the code is a user's; what is made from text is if it is run among the names of the user's file."""
    filename = frame.f_code.co_filename
    return _is_file_of_user(frame.f_globals.get("__file__") or "" if filename.startswith("<") else filename)


@functools.cache
def _is_file_of_user(filename: str) -> bool:
    return bool(filename) and is_own(filename)
