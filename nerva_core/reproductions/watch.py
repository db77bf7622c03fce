"""Progress of an experiment: the runs that are done, and the time that is left."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Progress = Callable[[str, float, float | None], None]
"""Told what is being done, how much of all is done, from 0 to 1, and how many seconds are left; None while that is not known."""


@dataclass(frozen=True)
class PlannedRun:
    """One run: what it is called, the kind whose runs take about as long, and how much it is, in examples."""

    name: str
    kind: str
    amount: float


class Watch:
    """Estimates the time that is left from the runs so far: those of a kind take as long for an example, others as the mean."""

    def __init__(self, works: Sequence[PlannedRun], jobs: int, progress: Progress, clock: Callable[[], float] = time.monotonic) -> None:
        self._works, self._jobs, self._progress, self._clock = works, jobs, progress, clock
        self._done = [0.0] * len(works)
        self._first: dict[int, tuple[float, float]] = {}
        self._paces: dict[int, float] = {}

    def tell(self, number: int, fraction: float) -> None:
        """So much of a run is done."""
        now, work = self._clock(), self._works[number]
        before, started = self._first.setdefault(number, (fraction, now))
        if fraction > before:
            self._paces[number] = (now - started) / ((fraction - before) * work.amount)
        self._done[number] = fraction
        total = sum(w.amount for w in self._works)
        done = sum(d * w.amount for d, w in zip(self._done, self._works, strict=True))
        self._progress(work.name, done / total, self.seconds_left())

    def seconds_left(self) -> float | None:
        """The estimate; None before anything is known."""
        if not self._paces:
            return None
        by_kind: dict[str, list[float]] = {}
        for number, pace in self._paces.items():
            by_kind.setdefault(self._works[number].kind, []).append(pace)
        mean = statistics.fmean(map(statistics.fmean, by_kind.values()))
        paces = [statistics.fmean(by_kind.get(work.kind, [mean])) for work in self._works]
        return sum(p * (1 - d) * w.amount for p, d, w in zip(paces, self._done, self._works, strict=True)) / self._jobs


def duration(seconds: float) -> str:
    """As text: 40 s, 12 min, 3 h 5 min, 12 days."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min" if minutes < 48 * 60 else f"{minutes / 24 / 60:.0f} days"
