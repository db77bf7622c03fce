"""Dynamic sparse training: which weights of a sparse layer leave their places, and which empty places get one instead.

The names and parameters are those of the Nerva library, ``Magnitude(0.3)``, ``SET(0.3)``, ``Threshold(0.01)`` and ``Random``; RigL is that
of Evci et al. (2020).
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from nerva_core.algebra.memory import Array
from nerva_core.algebra.registry import Entry, NonNegative, Positive, Share, Table


@dataclass(frozen=True)
class Pruner(Entry):
    """Which weights leave."""

    @abstractmethod
    def pruned(self, w: Array, T: float) -> Array:
        """The numbers of the weights that leave after T epochs, those that leave first in front; w is a vector."""


@dataclass(frozen=True)
class FractionPruner(Pruner):
    """A fraction ζ of the weights leaves."""

    zeta: Share
    n: Positive | None = None
    """If given, the fraction falls as ζ/2 (1 + cos(π T / n)), and is 0 from epoch n on, as in RigL."""

    def fraction(self, T: float) -> float:
        """The fraction after T epochs."""
        if self.n is None:
            return self.zeta
        return self.zeta / 2 * (1 + math.cos(math.pi * T / self.n)) if self.n > T else 0.0

    def smallest(self, w: Array, numbers: Array, T: float) -> Array:
        """The fraction of these weights that is nearest to 0; of equal ones the first."""
        order = np.argsort(np.abs(w[numbers]), kind="stable")
        return numbers[order[: round(self.fraction(T) * len(numbers))]]


PRUNERS: Table[Pruner] = Table("pruner", Pruner)


@PRUNERS.add
@dataclass(frozen=True)
class Magnitude(FractionPruner):
    """The fraction ζ of all weights that is nearest to 0."""

    def pruned(self, w: Array, T: float) -> Array:
        return self.smallest(w, np.arange(len(w)), T)


@PRUNERS.add
@dataclass(frozen=True)
class SET(FractionPruner):
    """The fraction ζ of the positive weights, and of the negative ones, that is nearest to 0 (Mocanu et al. 2018).

    A weight that is 0 is among the positive ones.
    """

    def pruned(self, w: Array, T: float) -> Array:
        both = np.concatenate([self.smallest(w, np.flatnonzero(signs), T) for signs in (w >= 0, w < 0)])
        return both[np.argsort(np.abs(w[both]), kind="stable")]


@PRUNERS.add
@dataclass(frozen=True)
class ThresholdPruner(Pruner):
    """All weights with |w| < t."""

    aliases = ("Threshold",)

    t: NonNegative

    def pruned(self, w: Array, T: float) -> Array:
        below = np.flatnonzero(np.abs(w) < self.t)
        return below[np.argsort(np.abs(w[below]), kind="stable")]


@dataclass(frozen=True)
class Grower(Entry):
    """Which empty places get a weight."""

    def needs_gradient(self) -> bool:
        """Whether it is given the gradient at all places."""
        return False

    @abstractmethod
    def grown(self, rng: np.random.Generator, empty: Array, count: int, gradient: Array | None) -> Array:
        """So many of the empty places, without repetition; ``gradient`` is that of the loss at each of these."""


GROWERS: Table[Grower] = Table("grower", Grower)


@GROWERS.add
@dataclass(frozen=True)
class Random(Grower):
    """Each empty place is as likely as any other."""

    def grown(self, rng: np.random.Generator, empty: Array, count: int, gradient: Array | None) -> Array:
        return rng.choice(empty, count, replace=False)


@GROWERS.add
@dataclass(frozen=True)
class RigL(Grower):
    """The places where |gradient| of the next batch is largest (Evci et al. 2020); of equal ones the first."""

    def needs_gradient(self) -> bool:
        return True

    def grown(self, rng: np.random.Generator, empty: Array, count: int, gradient: Array | None) -> Array:
        assert gradient is not None
        return empty[np.argsort(-np.abs(gradient), kind="stable")[:count]]
