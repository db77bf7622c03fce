"""Workers: processes that share out the rows of every batch, and add up what they found in one order, whatever their number is."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from nerva_core.algebra.errors import NervaError

T = TypeVar("T")

TIME_OUT = "NERVA_TIME_OUT"
"""The variable of the environment with the seconds that a worker waits for the others, 300 without it."""


def time_out() -> float:
    """The seconds that a worker waits for another one, which may be evaluating or writing a checkpoint, before it gives up."""
    text = os.environ.get(TIME_OUT, "300")
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e6:
        raise NervaError(f"{TIME_OUT} must be a number of seconds, got {text!r}")
    return seconds


NEEDED = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
"""The variables of the environment by which workers find each other, where their launcher does not say it otherwise."""


def rendezvous(environment: Mapping[str, str]) -> tuple[int, int, str]:
    """(the number of this worker, the number of all, where they meet), by the variables of torchrun; NervaError if one is missing."""
    missing = [name for name in NEEDED if name not in environment]
    if missing:
        raise NervaError(f"workers find each other by {', '.join(NEEDED)} in the environment, as torchrun sets them; missing: {missing[0]}")
    return int(environment["RANK"]), int(environment["WORLD_SIZE"]), f"{environment['MASTER_ADDR']}:{environment['MASTER_PORT']}"


class WorkerLostError(NervaError):
    """Another worker has ended, or has not answered in time: what it had to add is missing."""


def fold(items: Sequence[T], add: Callable[[T, T], T]) -> T:
    """The items added up as a binary tree: neighbours first, ((a + b) + (c + d)) + ..., so that the order is that of their number alone."""
    level = list(items)
    while len(level) > 1:
        pairs = [add(a, b) for a, b in zip(level[::2], level[1::2], strict=False)]
        level = pairs + level[2 * len(pairs) :]
    return level[0]


def block_sizes(N: int, blocks: int) -> tuple[int, ...]:
    """N rows in so many blocks, of equal size where possible; they depend on N and the number of blocks only."""
    return tuple(N * (b + 1) // blocks - N * b // blocks for b in range(blocks))


def is_power_of_two(n: int) -> bool:
    """Whether n is 1, 2, 4, ..."""
    return n & (n - 1) == 0


class Workers(ABC):
    """All workers, as one of them sees them; an array is one of the framework that they use."""

    rank: int
    """The number of this worker, from 0."""
    count: int
    """How many there are."""
    alike: bool = False
    """Whether all run one program, so that their blocks must have the same sizes."""

    @abstractmethod
    def exchange(self, X: Any, other: int) -> Any:
        """What worker ``other`` gives for X, of the same shape: both call this at the same time. WorkerLostError if it does not answer."""

    @abstractmethod
    def gather(self, X: Any) -> list[Any]:
        """X of every worker, in the order of their ranks; all are of one shape. WorkerLostError if one does not answer."""

    def sum(self, parts: Sequence[Any]) -> Any:
        """The sum of the parts of all workers, each of which has as many, as a binary tree over all of them in the order of the ranks.

        Where the numbers are powers of two, neighbours exchange sums, then neighbours of neighbours, ...: a + b is b + a, so all workers
        find the same bits, those of the tree.
        """
        if not (is_power_of_two(self.count) and is_power_of_two(len(parts))):
            return fold([part for k in zip(*map(self.gather, parts), strict=True) for part in k], lambda a, b: a + b)
        total, distance = fold(parts, lambda a, b: a + b), 1
        while distance < self.count:
            total = total + self.exchange(total, self.rank ^ distance)
            distance *= 2
        return total

    @abstractmethod
    def stop(self) -> None:
        """Leave the others, when all is done."""


class Alone(Workers):
    """The only worker."""

    rank, count = 0, 1

    def exchange(self, X: Any, other: int) -> Any:
        return X

    def gather(self, X: Any) -> list[Any]:
        return [X]

    def stop(self) -> None:
        pass
