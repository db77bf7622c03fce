"""How a backend finds the interval of a grid in which an element lies, without comparing it with every grid point."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

FEW = 16
"""Up to so many grid points, comparing with each of them is fastest where a framework fuses the comparisons."""


@dataclass(frozen=True, eq=False)
class Points:
    """The grid points in a dtype. If they are nearly even, the one nearest to x is number rint((x - first) * per_unit)."""

    values: np.ndarray[Any, Any]
    even: bool
    first: float
    last: float
    per_unit: float


@functools.lru_cache(maxsize=256)
def _points(s: tuple[float, ...], dtype: str) -> Points:
    values = np.array(s, dtype=dtype)
    spacing = (s[-1] - s[0]) / (len(s) - 1) if len(s) > 1 else 1.0
    # An eighth of the spacing, and a number of points far below 1 / eps, leave room for every rounding on the way to the nearest point.
    even = len(s) < 2**16 and bool(np.all(np.abs(values - (s[0] + spacing * np.arange(len(s)))) < spacing / 8))
    return Points(values, even, float(values[0]), float(values[-1]), 1 / spacing)


def points(s: Sequence[float], dtype: str) -> Points:
    """The grid points s_1 < ... < s_p, rounded to the dtype."""
    return _points(tuple(map(float, s)), dtype)
