"""Grids and initial values of the step functions of trainable matrix activation functions (TMAF, sections 2 and 3).

A grid s_1 < ... < s_p has the intervals (-∞, s_1], (s_1, s_2], ..., (s_p, ∞), closed on the right, also the first (printed open:
erratum 002-09). A step function has a trained value on each. Adding a grid is one entry here; configurations then know it by its name.
"""

from __future__ import annotations

import functools
import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from statistics import NormalDist

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import Scalar, Size
from nerva_core.algebra.numeric_backend import backend
from nerva_core.algebra.registry import Count, Entry, Table
from nerva_core.equations.activations import Activation, ReLU


@dataclass(frozen=True)
class Grid(Entry):
    """The fixed points at which a step function may jump."""

    @abstractmethod
    def points(self) -> Sequence[Scalar]:
        """s_1 < ... < s_p."""

    def intervals(self) -> Size:
        """p + 1, the number of intervals, and of step values."""
        return len(self.points()) + 1


GRIDS: Table[Grid] = Table("grid", Grid)


@GRIDS.add
@dataclass(frozen=True)
class TenIntervals(Grid):
    """The grid of section 3.1: ±1.4, ±0.92, ±0.56, ±0.26 and 0. The ten intervals are not equally likely (errata 002-07 and 002-08)."""

    def points(self) -> tuple[float, ...]:
        return (-1.4, -0.92, -0.56, -0.26, 0.0, 0.26, 0.56, 0.92, 1.4)


@GRIDS.add
@dataclass(frozen=True)
class Deciles(Grid):
    """The deciles of the standard normal distribution: ten intervals of probability 0.1, as section 3.1 means to have."""

    def points(self) -> tuple[float, ...]:
        upper = [NormalDist().inv_cdf(k / 10) for k in range(6, 10)]
        return (*(-x for x in reversed(upper)), 0.0, *upper)


@functools.cache
def even_points(low: float, high: float, count: int) -> tuple[float, ...]:
    """low + k (high - low) / count for k = 0, ..., count, each rounded once: low, high are taken as the decimals that they print as."""
    first, last = Fraction(str(low)), Fraction(str(high))
    return tuple(float(first + k * (last - first) / count) for k in range(count + 1))


@GRIDS.add
@dataclass(frozen=True)
class Even(Grid):
    """``count`` intervals of equal length between ``low`` and ``high``, and the two outside."""

    low: float = -1.0
    high: float = 1.0
    count: Count = 100

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (-math.inf < self.low < self.high < math.inf):
            raise NervaError(f"Even: low must be less than high, and both finite, got low={self.low}, high={self.high}")

    def points(self) -> tuple[float, ...]:
        return even_points(self.low, self.high, self.count)


@GRIDS.add
@dataclass(frozen=True)
class Alpha(Grid):
    """The grid of α in section 3.2: s = -1 + kh for k = 0, ..., 100 and h = 0.02, which is (k - 50)h, so that 0 is one (erratum 002-13)."""

    def points(self) -> tuple[float, ...]:
        return even_points(-1.0, 1.0, 100)


@GRIDS.add
@dataclass(frozen=True)
class Beta(Grid):
    """The grid of β in section 3.2: s = -2.01 + kh for k = 0, ..., 100 and h = 0.02 (erratum 002-11)."""

    def points(self) -> tuple[float, ...]:
        return even_points(-2.01, -0.01, 100)


@GRIDS.add
@dataclass(frozen=True)
class Gamma(Grid):
    """The grid of γ in section 3.2: s = 0.01 + kh for k = 0, ..., 100 and h = 0.02."""

    def points(self) -> tuple[float, ...]:
        return even_points(0.01, 2.01, 100)


@GRIDS.add
@dataclass(frozen=True)
class Points(Grid):
    """Grid points of one's own."""

    s: tuple[float, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "s", tuple(self.s))
        if not self.s:
            raise NervaError("Points: a grid needs at least one point, got none")
        for point in self.s:
            if not -math.inf < point < math.inf:
                raise NervaError(f"Points: grid points must be finite, got {point}")
        for before, point in pairwise(self.s):
            if not before < point:
                raise NervaError(f"Points: grid points must be strictly increasing, got {point} after {before}")

    def points(self) -> tuple[float, ...]:
        return self.s


@dataclass(frozen=True)
class StepValues(Entry):
    """The initial values of a step function on the intervals of its grid."""

    @abstractmethod
    def values(self, grid: Grid) -> tuple[float, ...]:
        """t_0, ..., t_p; NervaError if they do not fit the grid."""


STEP_VALUES: Table[StepValues] = Table("initial step values", StepValues)


@STEP_VALUES.add
@dataclass(frozen=True)
class Like(StepValues):
    """t_j = f(x) / x in the middle x of its interval, f'(0) if that is 0, so that α(x) x starts like f(x).

    Of an unbounded interval x is the number at a distance 1 from its end. ReLU and LeakyReLU are met exactly if 0 is a grid point
    (erratum 002-06).
    """

    activation: Activation = ReLU()

    def values(self, grid: Grid) -> tuple[float, ...]:
        s = grid.points()
        x = [s[0] - 1, *((a + b) / 2 for a, b in pairwise(s)), s[-1] + 1]
        ops = backend("numpy", dtype="float64")
        X = ops.matrix([x])
        f, slope = (rule(ops, X)[0] for rule in (self.activation.value, self.activation.gradient))
        return tuple(float(f[j] / x[j] if x[j] else slope[j]) + 0.0 for j in range(len(x)))


@STEP_VALUES.add
@dataclass(frozen=True)
class Same(StepValues):
    """The same value on every interval."""

    t: float = 0.0

    def values(self, grid: Grid) -> tuple[float, ...]:
        return (self.t,) * int(grid.intervals())


@STEP_VALUES.add
@dataclass(frozen=True)
class Given(StepValues):
    """Values of one's own, one an interval."""

    t: tuple[float, ...]

    def values(self, grid: Grid) -> tuple[float, ...]:
        if len(self.t) != grid.intervals():
            raise NervaError(f"Given: the grid has {grid.intervals()} intervals, got {len(self.t)} values")
        return self.t
