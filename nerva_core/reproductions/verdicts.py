"""Verdicts on the statements of papers, from the values of several seeds: one rule for all experiments, ``judge``."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from scipy.stats import t as student

LEVEL = 0.05
"""How often at most a statement about an effect that is not there gets another verdict than "cannot be told", half of it on each side."""
FEWEST_SEEDS = 5
"""With fewer seeds nothing is said: with two, Student's quantile at this level is 12.7 standard errors."""


class Verdict(StrEnum):
    """What may honestly be said of a statement of a paper."""

    REPRODUCES = "reproduces"
    DIRECTION = "direction only"
    DOES_NOT = "does not reproduce"
    UNKNOWN = "cannot be told"

    @property
    def meaning(self) -> str:
        """When it is given; ``judge`` decides by the seeds."""
        return {
            Verdict.REPRODUCES: "the whole confidence interval exceeds what the paper states",
            Verdict.DIRECTION: "the effect is there, but is not shown to be as large as stated, or is there under some conditions only",
            Verdict.DOES_NOT: "the whole confidence interval is below what the paper states, and no effect is shown; or a theorem says so",
            Verdict.UNKNOWN: f"the interval has both in it, a run diverged, or there are fewer than {FEWEST_SEEDS} seeds",
        }[self]


@dataclass(frozen=True)
class Statistic:
    """The values of one quantity, one a seed."""

    values: tuple[float, ...]

    @classmethod
    def of(cls, values: Iterable[float]) -> Statistic:
        """The statistic of these values; a run that diverged gives NaN."""
        return cls(tuple(float(value) for value in values))

    @property
    def finite(self) -> tuple[float, ...]:
        """The values of the runs that did not diverge."""
        return tuple(value for value in self.values if math.isfinite(value))

    @property
    def mean(self) -> float:
        """The mean; NaN if a run diverged."""
        return statistics.fmean(self.values) if len(self.finite) == len(self.values) else math.nan

    @property
    def deviation(self) -> float:
        """The standard deviation of a sample (divisor n - 1); NaN of a single value."""
        return statistics.stdev(self.values) if len(self.finite) == len(self.values) > 1 else math.nan

    def interval(self, comparisons: int = 1) -> tuple[float, float]:
        """The confidence interval of the mean: Student's, at ``LEVEL``, corrected for so many comparisons (Bonferroni).

        From -∞ to ∞ if there are fewer than ``FEWEST_SEEDS`` values, or one of them is of a run that diverged.
        """
        n = len(self.values)
        if n < FEWEST_SEEDS or len(self.finite) < n:
            return -math.inf, math.inf
        half = float(student.ppf(1 - LEVEL / comparisons / 2, n - 1)) * self.deviation / math.sqrt(n)
        return self.mean - half, self.mean + half

    def text(self, digits: int = 2) -> str:
        """``85.50 ± 0.33``, or how many runs diverged."""
        if len(self.finite) < len(self.values):
            return f"{len(self.values) - len(self.finite)} of {len(self.values)} diverge"
        spread = f" ± {self.deviation:.{digits}f}" if len(self.values) > 1 else ""
        return f"{self.mean:.{digits}f}{spread}"

    def __sub__(self, other: Statistic | float) -> Statistic:
        """The differences, seed by seed: runs of the same seed share initial values and the order of examples."""
        others = other.values if isinstance(other, Statistic) else (other,) * len(self.values)
        return Statistic.of(a - b for a, b in zip(self.values, others, strict=True))


def judge(difference: Statistic, stated: float = 0.0, comparisons: int = 1) -> Verdict:
    """The verdict on "the difference exceeds ``stated``", the margin that the paper prints, or 0, from its values by seed.

    Its confidence interval decides: above ``stated`` it reproduces; above 0 it has the direction; below ``stated`` it does not reproduce.
    Where the best or any of several conditions is taken, ``comparisons`` is their number.
    """
    low, high = difference.interval(comparisons)
    if low > stated:
        return Verdict.REPRODUCES
    if low > 0 and stated > 0:
        return Verdict.DIRECTION
    return Verdict.DOES_NOT if high < stated else Verdict.UNKNOWN


def reaches(accuracy: Statistic, paper: str, comparisons: int = 1) -> Verdict:
    """Whether a network is as accurate as the paper's, to the digits it prints. A lower accuracy has no direction: it is not that."""
    half_a_digit = 0.5 * 10.0 ** -len(paper.partition(".")[2])
    return judge(accuracy - (float(paper) - half_a_digit), comparisons=comparisons)


def every(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict on "all of these hold": the weakest of theirs."""
    order = (Verdict.DOES_NOT, Verdict.UNKNOWN, Verdict.DIRECTION, Verdict.REPRODUCES)
    return min(verdicts, key=order.index)


def either(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict on "one of these holds", each judged with their number as ``comparisons``: the best; refuted only if all are."""
    for verdict in (Verdict.REPRODUCES, Verdict.DIRECTION, Verdict.UNKNOWN):
        if verdict in verdicts:
            return verdict
    return Verdict.DOES_NOT


def summarize(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict on a statement tried under several conditions: all reproduce, or some have the direction, or it fails in one."""
    if {Verdict.REPRODUCES, Verdict.DIRECTION} & set(verdicts):
        return Verdict.REPRODUCES if set(verdicts) == {Verdict.REPRODUCES} else Verdict.DIRECTION
    return Verdict.DOES_NOT if Verdict.DOES_NOT in verdicts else Verdict.UNKNOWN


def exactly(holds: Sequence[bool]) -> Verdict:
    """The verdict on a statement about what has no noise, such as descent on a given loss: whether it holds in each condition tried."""
    return Verdict.REPRODUCES if all(holds) else Verdict.DIRECTION if any(holds) else Verdict.DOES_NOT
