"""Workers that are processes of MPI, by mpi4py: started by mpiexec, or by srun."""

from __future__ import annotations

import time
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
