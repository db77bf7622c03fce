"""Workers that are processes of MPI, by mpi4py: started by mpiexec, or by srun."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from nerva_core.algebra.memory import Array
from nerva_core.algebra.numeric_backend import require
from nerva_core.algebra.workers import TIME_OUT, WorkerLostError, Workers, time_out

WAITING = 2e-5
"""Seconds between two looks whether another worker has answered, once it has taken longer than ``SPINNING`` looks."""
SPINNING = 2000


class MPIWorkers(Workers):
    """All processes of the MPI world."""

    def __init__(self) -> None:
        with _ended_after(time_out()):
            self.comm = require("mpi4py.MPI", "mpi").COMM_WORLD
        self.rank, self.count = self.comm.rank, self.comm.size

    def exchange(self, X: Array, other: int) -> Array:
        given, received = np.ascontiguousarray(X), np.empty(X.shape, X.dtype)
        self._wait([self.comm.Irecv(received, source=other), self.comm.Isend(given, dest=other)])
        return received

    def gather(self, X: Array) -> list[Array]:
        parts = np.empty((self.count, *X.shape), X.dtype)
        self._wait([self.comm.Iallgather(np.ascontiguousarray(X), parts)])
        return list(parts)

    def stop(self) -> None:
        pass  # mpi4py does, when the process ends

    def _wait(self, requests: list[Any]) -> None:
        """MPI itself would wait for ever. WorkerLostError after the time that is allowed."""
        end, looks = time.monotonic() + time_out(), 0
        while not type(requests[0]).Testall(requests):
            looks += 1
            if looks > SPINNING:
                time.sleep(WAITING)
            if time.monotonic() > end:
                raise WorkerLostError(f"another worker has not answered for {time_out():g} seconds ({TIME_OUT} is how long to wait)")


@contextlib.contextmanager
def _ended_after(seconds: float) -> Iterator[None]:
    """Let SIGALRM end this process after so many seconds in this block: MPI waits for ever, in C, for a worker that does not start."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return
    before = signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
