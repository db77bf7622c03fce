"""Runs in several processes: each completes one after the other, and keeps them in its folder, where they are read afterwards."""

from __future__ import annotations

import functools
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from nerva_core.algebra.errors import NervaError
from nerva_core.reproductions.runs import complete, folder_of
from nerva_core.training.config import Config, parse_config
from nerva_core.training.trainer import Trainer

Told = Callable[[int, float], None]
"""Receives the number of a run, and the fraction of it that is done."""

_worker: dict[str, Any] = {}
"""In a process of the pool: where it tells what is done, and whether it is to end."""


def complete_in_parallel(configs: Sequence[Config], jobs: int, runs: Path, told: Told) -> None:
    """Complete these runs in so many processes; each has an equal part of the processor cores.

    KeyboardInterrupt ends the processes; what they have saved is kept. NervaError if one of them is killed.
    """
    context = multiprocessing.get_context("spawn")  # a framework's threads do not survive a fork
    updates, ending, numbers = context.SimpleQueue(), context.Event(), context.SimpleQueue()
    for number in range(jobs):
        numbers.put(number)
    initial = (updates, ending, numbers, jobs)
    with ProcessPoolExecutor(jobs, context, _begin, initial) as pool:
        pending = {pool.submit(_complete, k, config.to_toml(), str(runs)) for k, config in enumerate(configs)}
        try:
            while pending:
                done, pending = wait(pending, timeout=0.2, return_when=FIRST_COMPLETED)
                while not updates.empty():
                    told(*updates.get())
                for future in done:
                    future.result()
        except BrokenProcessPool:
            raise NervaError("a process that trained was killed, perhaps for want of memory; continue with fewer --jobs") from None
        finally:
            ending.set()
            pool.shutdown(cancel_futures=True)


def _begin(updates: Any, ending: Any, numbers: Any, jobs: int) -> None:
    """What a process of the pool does first: it leaves Ctrl-C to its parent, ends with it, and takes its cores."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    number = numbers.get()
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, cores[number % len(cores) :: jobs])
    _worker.update(updates=updates, ending=ending)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _complete(number: int, config: str, runs: str) -> None:
    wanted = parse_config(config)
    trainer = _trainer(wanted.model_copy(update={"seed": 0}).to_toml())
    trainer.restart(wanted.seed)

    def told(fraction: float) -> None:
        if _worker["ending"].is_set():
            raise KeyboardInterrupt
        _worker["updates"].put((number, fraction))

    complete(trainer, folder_of(Path(runs), trainer), told)


@functools.lru_cache(maxsize=1)
def _trainer(config: str) -> Trainer:
    """The trainer of a configuration: what it has compiled serves all seeds."""
    return Trainer(parse_config(config))
