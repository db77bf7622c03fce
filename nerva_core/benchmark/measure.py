"""Measuring: every contender in a process of its own, asked in turn, so that whatever slows the machine slows all of them."""

from __future__ import annotations

import contextlib
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import nerva_core
from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import backend_classes
from nerva_core.benchmark.contenders import Contender

Kind = Literal["ours", "opponent", "floor"]
Status = Literal["measured", "absent", "refused", "failed"]

TOLERANCE = {"float32": 1e-4, "float64": 1e-8}
"""The relative difference that the losses of the first steps may have."""


@dataclass(frozen=True)
class Spread:
    """The median of some measurements, and the quartiles."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Quartiles by linear interpolation; a single value is all three."""
        low, median, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else [values[0]] * 3
        return cls(median, low, high)


@dataclass(frozen=True)
class Timing:
    """One contender on one configuration."""

    configuration: str
    backend: str
    contender: str
    kind: Kind
    status: Status
    note: str = ""
    steps: list[float] = field(default_factory=list)
    """Seconds of a step, one number a round."""
    samples_per_step: int = 0
    warmup: float = 0.0
    """Seconds of the first steps, with all compilation."""
    compilation: float = 0.0
    """What of it later steps do not take."""
    peak_memory: int = 0
    """Bytes, of the whole process."""
    usual_products: float = 1.0
    """Of matrix products alone: how many times as long the framework's own layers take for them."""

    @property
    def step(self) -> Spread:
        """Seconds of a step."""
        return Spread.of(self.steps)

    @property
    def samples_per_second(self) -> float:
        """Of the median step."""
        return self.samples_per_step / self.step.median


def ratio(ours: Timing, other: Timing) -> Spread:
    """How many times as fast as the other ours is: the quotients of each round, so that a slow round counts for both."""
    return Spread.of([theirs / mine for mine, theirs in zip(ours.steps, other.steps, strict=True)])


def ratio_at_equal_products(ours: Timing, other: Timing, products: Timing) -> Spread:
    """The ratio if the other multiplied as fast as the fastest products: what of it is not the gain of another matrix product."""
    rounds = zip(ours.steps, other.steps, products.steps, strict=True)
    return Spread.of([(theirs - (products.usual_products - 1) * floor) / mine for mine, theirs, floor in rounds])


def disagreement(ours: Sequence[float], theirs: Sequence[float], dtype: str) -> str | None:
    """What differs, if the first losses do: then the other one computes something else, and its speed is of no interest."""
    if len(ours) != len(theirs):
        return f"it reports {len(theirs)} losses, ours {len(ours)}"
    for step, (mine, other) in enumerate(zip(ours, theirs, strict=True), 1):
        if not math.isclose(mine, other, rel_tol=TOLERANCE[dtype]):
            return f"it computes something else: the loss of step {step} is {other:.7g}, ours {mine:.7g}"
    return None


class WorkerError(NervaError):
    """A contender's process ended."""


class Worker:
    """The process of one contender."""

    def __init__(self, contender: type[Contender], threads: int) -> None:
        self.contender = contender
        self._log = tempfile.TemporaryFile()  # noqa: SIM115
        command = [sys.executable, "-m", "nerva_core.benchmark.worker", contender.__name__, str(threads)]
        pipe = subprocess.PIPE
        environment = environment_of(contender, threads)
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=self._log, text=True, env=environment)

    def ask(self, **question: Any) -> dict[str, Any]:
        """The answer. NervaError if it is one; WorkerError with the last line the process wrote if there is none."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
            answer: dict[str, Any] = json.loads(self._process.stdout.readline() or "{}")
        except BrokenPipeError:
            answer = {}
        if not answer:
            self._log.seek(0)
            lines = self._log.read().decode(errors="replace").strip().splitlines() or ["without a word"]
            raise WorkerError(f"its process ended: {lines[-1]}")
        if "error" in answer:
            raise NervaError(answer["error"])
        return answer

    def close(self) -> None:
        """End the process."""
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._log.close()


def environment_of(contender: type[Contender], threads: int) -> dict[str, str]:
    """Threads, quiet frameworks on the processor, this package, and what the contender needs."""
    count = str(threads)
    libraries = {f"{name}_NUM_THREADS": count for name in ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM")}
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu", "PYTHONWARNINGS": "ignore"}
    here = str(Path(nerva_core.__file__).parent.parent)
    path = os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))
    return {**os.environ, **libraries, **quiet, "PYTHONPATH": path, **contender.environment}


def missing(contender: type[Contender]) -> str | None:
    """The package that must be installed first, if any."""
    needed = (backend_classes()[contender.backend].requires, *contender.requires)
    return next((module for module in needed if find_spec(module) is None), None)


@dataclass(frozen=True)
class Plan:
    """A plan of measurements: ``rounds`` times at least ``seconds`` each, with ``threads``."""

    rounds: int
    seconds: float
    threads: int
    processor_time: bool = False
    """Whether seconds are those that processors work, all threads together, and not those of the clock."""


Question = tuple[str, str | None]
"""The name of a configuration, and the text of its file if it has one."""


def measure_backend(
    contenders: Sequence[tuple[Kind, type[Contender]]],
    configurations: Sequence[Question],
    plan: Plan,
    dtype_of: Callable[[str], str],
    progress: Callable[[str], None],
) -> Iterator[Timing]:
    """The contenders of one backend, the first of which is ours, on every configuration."""
    with contextlib.ExitStack() as stack:
        workers: dict[type[Contender], Worker] = {}
        for _, contender in contenders:
            if missing(contender) is None:
                workers[contender] = Worker(contender, plan.threads)
                stack.callback(workers[contender].close)
        for name, text in configurations:
            yield from _measure(contenders, workers, (name, text), plan, dtype_of(name), progress)


def _measure(
    contenders: Sequence[tuple[Kind, type[Contender]]],
    workers: dict[type[Contender], Worker],
    configuration: Question,
    plan: Plan,
    dtype: str,
    progress: Callable[[str], None],
) -> Iterator[Timing]:
    name, text = configuration
    started: dict[type[Contender], dict[str, Any]] = {}
    problems: dict[type[Contender], tuple[Status, str]] = {}
    for kind, contender in contenders:
        progress(f"{name}: {contender.backend}, {contender.name}: first steps")
        if contender not in workers:
            problems[contender] = "absent", f"{missing(contender)} is not installed"
            continue
        try:
            answer = workers[contender].ask(start={"name": name, "text": text})
        except WorkerError as error:
            if kind == "ours":
                raise
            problems[contender] = "failed", str(error)
            del workers[contender]
            continue
        if "absent" in answer:
            problems[contender] = "absent", answer["absent"]
        elif kind == "opponent" and (difference := disagreement(started[contenders[0][1]]["losses"], answer["losses"], dtype)):
            problems[contender] = "refused", difference
        else:
            started[contender] = answer
    progress(f"{name}: {contenders[0][1].backend}: {plan.rounds} rounds")
    steps, peaks = _rounds([(contender, workers[contender]) for contender in started], plan)
    for kind, contender in contenders:
        known = name, contender.backend, contender.name, kind
        if contender in problems:
            yield Timing(*known, *problems[contender])
            continue
        first = started[contender]
        yield Timing(
            *known,
            status="measured",
            note=first["note"],
            usual_products=first["usual_products"],
            steps=steps[contender],
            samples_per_step=first["batch"],
            warmup=first["warmup"],
            compilation=first["compilation"],
            peak_memory=peaks[contender],
        )


def _rounds(
    workers: Sequence[tuple[type[Contender], Worker]], plan: Plan
) -> tuple[dict[type[Contender], list[float]], dict[type[Contender], int]]:
    """Seconds of a step in every round, and the peak memory. Each round begins with another contender."""
    steps: dict[type[Contender], list[float]] = {contender: [] for contender, _ in workers}
    peaks = dict.fromkeys(steps, 0)
    for k in range(plan.rounds):
        shift = k % len(workers)
        for contender, worker in [*workers[shift:], *workers[:shift]]:
            answer = worker.ask(run={"seconds": plan.seconds, "processor_time": plan.processor_time})
            steps[contender].append(answer["step"])
            peaks[contender] = answer["peak"]
    return steps, peaks
