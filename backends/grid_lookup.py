"""Grid lookup: the interval of a grid in which an element lies, found without comparing it with every grid point."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from nerva_core.algebra.memory import Array

FEW = 16
"""Up to so many grid points, comparing with each of them is fastest where a framework fuses the comparisons."""


class Progression(NamedTuple):
    """Grid point number k is (F + jH) + (f + jL) for j = k - o, to the last bit, as F + jH is exact and the rest small."""

    o: int
    F: float
    H: float
    f: float
    L: float

    def __call__(self, k: Any) -> Any:
        j = k - self.o
        return (self.F + self.H * j) + (self.f + self.L * j)


@dataclass(frozen=True, eq=False)
class GridPoints:
    """The grid points in a dtype. If they are nearly even, the one nearest to x is number rint((x - first) * per_unit)."""

    values: Array
    even: bool
    first: float
    last: float
    per_unit: float
    progression: Progression | None
    """How to compute the points from their numbers, which vectorizes better than to look them up; None if they are not such a sequence."""


@functools.lru_cache(maxsize=256)
def _points(s: tuple[float, ...], dtype: str) -> GridPoints:
    values = np.array(s, dtype=dtype)
    spacing = (s[-1] - s[0]) / (len(s) - 1) if len(s) > 1 else 1.0
    # An eighth of the spacing, and a number of points far below 1 / eps, leave room for every rounding on the way to the nearest point.
    even = len(s) < 2**16 and bool(np.all(np.abs(values - (s[0] + spacing * np.arange(len(s)))) < spacing / 8))
    return GridPoints(values, even, float(values[0]), float(values[-1]), 1 / spacing, _progression(s, values) if even else None)


def _progression(s: tuple[float, ...], values: Array) -> Progression | None:
    """The points as s_o + jh, for the decimals as which they print, if every rounding of f + jL, fused or not, leads to the same points."""
    real, eps = values.dtype.type, Fraction(float(np.finfo(values.dtype).eps))
    o = min(range(len(s)), key=lambda k: abs(s[k]))
    origin, first, last = (Fraction(repr(x)) for x in (s[o], s[0], s[-1]))
    h = (last - first) / max(1, len(s) - 1)
    unit = 2 * eps * Fraction(2) ** math.frexp(max(map(abs, s)))[1]  # F + jH is less than 1/eps of it
    F, H = (round(number / unit) * unit for number in (origin, h))
    f, L = origin - F, h - H
    for k, value in enumerate(values):
        exact, error = origin + (k - o) * h, 2 * eps * (abs(f) + abs((k - o) * L))
        if any(real(float(bound)) != value for bound in (exact - error, exact + error)):
            return None
    return Progression(o, *map(float, (F, H, real(float(f)), real(float(L)))))


def points(s: Sequence[float], dtype: str) -> GridPoints:
    """The grid points s_1 < ... < s_p, rounded to the dtype."""
    return _points(tuple(map(float, s)), dtype)
