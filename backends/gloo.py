"""Workers that are processes of torch.distributed, by gloo: started by torchrun, or by whatever sets the same variables."""

from __future__ import annotations

import datetime
import os
from typing import Any

from nerva_core.algebra.workers import WorkerLostError, Workers, rendezvous, time_out

Tensor = Any


class GlooWorkers(Workers):
    """All processes of ``torch.distributed``."""

    def __init__(self, torch: Any) -> None:
        self.rank, self.count, _ = rendezvous(os.environ)
        self.torch, self.distributed = torch, torch.distributed
        if not self.distributed.is_initialized():
            try:
                self.distributed.init_process_group("gloo", timeout=datetime.timedelta(seconds=time_out()))
            except (RuntimeError, ValueError) as error:
                raise WorkerLostError(f"the workers cannot find each other within {time_out():g} seconds: {_first_line(error)}") from None

    def exchange(self, X: Tensor, other: int) -> Tensor:
        given = X.contiguous()
        received = self.torch.empty_like(given)
        try:
            sent = self.distributed.isend(given, other)
            self.distributed.recv(received, other)
            sent.wait()
        except RuntimeError as error:
            raise self._lost(error) from None
        return received

    def gather(self, X: Tensor) -> list[Tensor]:
        given = X.contiguous()
        parts = [self.torch.empty_like(given) for _ in range(self.count)]
        try:
            self.distributed.all_gather(parts, given)
        except RuntimeError as error:
            raise self._lost(error) from None
        return parts

    def stop(self) -> None:
        if self.distributed.is_initialized():
            self.distributed.destroy_process_group()

    def _lost(self, error: RuntimeError) -> WorkerLostError:
        return WorkerLostError(f"another worker has ended, or has not answered for {time_out():g} seconds ({_first_line(error)})")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
