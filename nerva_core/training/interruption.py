"""Signals that ask a run to end: they are noted, and obeyed between two calls of the backend, when the state is whole."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Interrupted(KeyboardInterrupt):  # as KeyboardInterrupt
    """A run has ended at a signal, and its state is saved."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number
        """Of the signal."""


class Interruption:
    """The first signal that asked to end, if any has."""

    def __init__(self, notify: Callable[[int], None]) -> None:
        self.number: int | None = None
        self._notify = notify

    def receive(self, number: int, _: FrameType | None) -> None:
        """Note the signal; a second one does not wait, and is a KeyboardInterrupt at once."""
        if self.number is not None:
            raise KeyboardInterrupt
        self.number = number
        self._notify(number)


@contextlib.contextmanager
def deferred_signals(notify: Callable[[int], None] = lambda number: None) -> Iterator[Interruption]:
    """Within this block SIGINT, SIGTERM and SIGHUP are only noted; ``notify`` is told of the first.

    Ignored signals stay ignored (nohup). Outside the main thread, where Python lets nobody handle signals, nothing is changed.
    """
    interruption = Interruption(notify)
    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.getsignal(number) for number in SIGNALS if signal.getsignal(number) not in (signal.SIG_IGN, None)}
    try:
        for number in before:
            signal.signal(number, interruption.receive)
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
