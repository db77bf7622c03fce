"""The process of one contender. It is asked in lines of JSON on stdin, and answers in lines of JSON on stdout.

Frameworks disturb each other in one process, and each takes its settings from the environment when it is imported.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.benchmark.configurations import CHECKED_STEPS, named_problem, problem_of_text
from nerva_core.benchmark.contenders import Contender, NoCounterpartError, Ours, OursInJax, OursInTensorFlow, OursInTorch
from nerva_core.benchmark.floors import FLOORS, Floor
from nerva_core.benchmark.measure import Kind
from nerva_core.benchmark.opponents import OPPONENTS

CONTENDERS: tuple[type[Contender], ...] = (Ours, OursInTorch, OursInJax, OursInTensorFlow, *OPPONENTS, *FLOORS)
"""Each is known by the name of its class."""


def kind_of(contender: type[Contender]) -> Kind:
    """What it is in the comparison."""
    return "ours" if issubclass(contender, Ours) else "floor" if issubclass(contender, Floor) else "opponent"


class Session:
    """The memory of a worker between two questions."""

    def __init__(self, contender: str, threads: int) -> None:
        self.cls = {cls.__name__: cls for cls in CONTENDERS}[contender]
        self.threads = threads
        self.contender: Contender | None = None
        self.rows = np.empty((0, 0), int)
        self.rng = np.random.default_rng(0)

    def start(self, name: str, text: str | None) -> dict[str, Any]:
        """Make the contender for a configuration, check, warm up: its first losses and what that took."""
        self.contender = None
        gc.collect()
        reset_peak_memory()
        problem = named_problem(name) if text is None else problem_of_text(text, name)
        try:
            self.contender = self.cls(problem, self.threads)
        except NoCounterpartError as error:
            return {"absent": str(error)}
        self.rows = problem.rows
        started = time.perf_counter()
        losses = self.contender.losses(problem.rows[:CHECKED_STEPS])
        self.contender.timed_epoch(self.rows)
        warmup = time.perf_counter() - started
        again = self.contender.timed_epoch(self.rows) * (1 + self.contender.epochs_for_losses(self.rows))
        return {
            "losses": losses,
            "warmup": warmup,
            "compilation": max(0.0, warmup - again),
            "note": self.contender.note,
            "usual_products": self.contender.usual_products,
            "batch": self.rows.shape[1],
        }

    def run(self, seconds: float, processor_time: bool = False) -> dict[str, Any]:
        """Train for so long at least, in whole epochs: the seconds of a step, by the clock or those that processors worked on it."""
        assert self.contender is not None
        total, steps = 0.0, 0
        while steps == 0 or total < seconds:
            rows = self.rng.permutation(self.rows.size).reshape(self.rows.shape)
            started = time.process_time()
            elapsed = self.contender.timed_epoch(rows)
            total += time.process_time() - started if processor_time else elapsed
            steps += len(self.rows)
        return {"step": total / steps, "peak": peak_memory()}


def reset_peak_memory() -> None:
    """So that the next reading is of what follows; where the system does not allow it, the peak is that of the process."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory() -> int:
    """The largest resident memory, in bytes."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        unit = 1 if sys.platform == "darwin" else 1024
        return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def limit_threads(threads: int) -> None:
    """On Linux, by the processors this process may use, which every framework respects."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def main() -> None:
    """Answer until stdin ends. What a framework prints goes to stderr."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    contender, threads = sys.argv[1], int(sys.argv[2])
    limit_threads(threads)
    session = Session(contender, threads)
    for line in sys.stdin:
        question = json.loads(line)
        try:
            answer = session.start(**question["start"]) if "start" in question else session.run(**question["run"])
        except NervaError as error:
            answer = {"error": str(error)}
        answers.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
