"""The limits of time and memory of one proof: what does not end is told, and the next theorem is tried."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from nerva_core.algebra.errors import NervaError

try:
    import resource
except ImportError:  # on Windows
    resource = None  # type: ignore[assignment]

SECONDS, GIBIBYTES = 60.0, 4.0
AGAIN = 1.0
"""The seconds after which code is stopped again that had to end first, or that has swallowed the exception."""
WAITING, WAITING_LEAST = 20, 300.0
"""So many times as long may pass by the clock, and at least so many seconds: other programs may have the processor."""


class NoVerdict(BaseException):
    """The time is over."""


@dataclass(frozen=True)
class Limits:
    """How long a proof may take, in seconds of the processor, and how much memory it may take, in GiB, besides what is taken already.

    What waits, and so takes no processor, is stopped after a multiple of the time by the clock.
    """

    seconds: float = SECONDS
    gibibytes: float = GIBIBYTES

    def __post_init__(self) -> None:
        if not (self.seconds > 0 and self.gibibytes > 0):
            raise NervaError(f"a limit must be more than 0, got {self.seconds:g} s and {self.gibibytes:g} GiB")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Run what follows within the limits: NoVerdict or MemoryError. Time is only limited in the main thread of a process."""
        with self._time(), self._memory():
            yield

    @contextmanager
    def _time(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
            yield
            return

        def stop(_: int, frame: FrameType | None) -> None:
            if not _must_end(frame):
                raise NoVerdict

        timers = (
            (signal.SIGPROF, signal.ITIMER_PROF, self.seconds),
            (signal.SIGALRM, signal.ITIMER_REAL, max(WAITING * self.seconds, WAITING_LEAST)),
        )
        before = [signal.signal(number, stop) for number, _, _ in timers]
        for _, timer, seconds in timers:
            signal.setitimer(timer, seconds, AGAIN)
        try:
            yield
        finally:
            for (number, timer, _), old in zip(timers, before, strict=True):
                signal.setitimer(timer, 0)
                signal.signal(number, old)

    @contextmanager
    def _memory(self) -> Iterator[None]:
        taken = _address_space()
        if resource is None or not taken:
            yield
            return
        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        most = taken + int(self.gibibytes * 2**30)
        if soft != resource.RLIM_INFINITY:
            most = min(most, soft)
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (soft, hard))

    def words(self, error: BaseException) -> str:
        """What is told of an exception that a limit has caused; empty for another one."""
        if isinstance(error, NoVerdict):
            return f"no verdict within {self.seconds:g} s"
        return f"no verdict within {self.gibibytes:g} GiB" if isinstance(error, MemoryError) else ""


def _must_end(frame: FrameType | None) -> bool:
    """Whether a module is being imported, which would be half a module for the rest of the process, or XLA collects garbage, which
    swallows exceptions."""
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>" or frame.f_code.co_name == "_xla_gc_callback":
            return True
        frame = frame.f_back
    return False


def _address_space() -> int:
    """The bytes of addresses that this process has; 0 where that is not known."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except (OSError, AttributeError):
        return 0
