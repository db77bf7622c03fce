"""Rounding exact values to floating point, once.

A value is known by an enclosure. If both ends of the enclosure round to the same floating-point number, that is the correctly
rounded value; otherwise the enclosure is computed again with a higher precision.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from nerva_core.algebra.errors import NotInstalledError
from nerva_core.algebra.memory import Array
from nerva_core.interpreters.exact import ExactMatrix, ExactOps
from nerva_core.interpreters.exact_numbers import Balls, Decimals, Dyadic, Numbers, UndeterminedError

FORMATS = {"float64": (53, -1074, 1024), "float32": (24, -149, 128)}
"""The number of digits, the exponent of the smallest positive number, and the exponent of overflow."""

PRECISIONS = (192, 1280, 5120)
"""Binary digits: 57 decimal ones; enough for the smallest float64 after cancellation of ones; enough beyond doubt."""


def nearest(value: Dyadic, dtype: str) -> float:
    """The floating-point number that is nearest to m · 2^e, of two the even one; infinity beyond the range."""
    digits, smallest, overflow = FORMATS[dtype]
    mantissa, exponent = value
    sign = -1.0 if mantissa < 0 else 1.0
    magnitude = abs(mantissa).bit_length() + exponent  # 2^(magnitude - 1) <= |value| < 2^magnitude
    if mantissa == 0 or magnitude < smallest:
        return 0.0
    if magnitude > overflow:
        return sign * math.inf
    grid = max(magnitude - digits, smallest)
    shift = exponent - grid
    if shift >= 0:
        rounded = abs(mantissa) << shift
    else:
        rounded, rest = divmod(abs(mantissa), 1 << -shift)
        half = 1 << (-shift - 1)
        rounded += rest > half or (rest == half and rounded % 2 == 1)
    if rounded.bit_length() + grid > overflow:
        return sign * math.inf
    return sign * math.ldexp(rounded, grid)


@dataclass(frozen=True)
class Value:
    """An exact matrix as floating-point numbers: ``rounded`` to the dtype, nan where there is no value, and what is lost by it."""

    rounded: Array
    rest: Array

    @property
    def representable(self) -> Array:
        """Where the exact value exists and does not overflow."""
        return np.isfinite(self.rounded)


def kinds_of_numbers() -> Iterator[Numbers]:
    """What exact values are computed with, until the rounding is determined: balls, and at last, or without python-flint, many digits."""
    try:
        for bits in PRECISIONS:
            yield Balls(bits)
    except NotInstalledError:
        pass
    yield Decimals(PRECISIONS[-1])


def correctly_rounded(compute: Callable[[ExactOps], Sequence[ExactMatrix]], dtype: str) -> list[Value]:
    """The matrices that ``compute`` gives for exact operations, each element rounded once.

    UndeterminedError if even the highest precision does not decide a rounding or a comparison.
    """
    found: list[dict[tuple[int, int], tuple[float, float]]] = []
    shapes: list[tuple[int, int]] = []
    for numbers in kinds_of_numbers():
        with numbers.precision():
            try:
                matrices = compute(ExactOps(numbers))
            except UndeterminedError:
                continue
            shapes = [matrix.shape for matrix in matrices]
            found = found or [{} for _ in matrices]
            for matrix, known in zip(matrices, found, strict=True):
                _collect(matrix, known, dtype)
        if all(len(known) == m * n for known, (m, n) in zip(found, shapes, strict=True)):
            break
    if not shapes:
        raise UndeterminedError("no precision decides the comparisons")
    return [_value(known, shape) for known, shape in zip(found, shapes, strict=True)]


def _collect(matrix: ExactMatrix, known: dict[tuple[int, int], tuple[float, float]], dtype: str) -> None:
    for i, row in enumerate(matrix.rows):
        for j, number in enumerate(row):
            if (i, j) in known or (bounds := matrix.numbers.bounds(number)) is None:
                continue
            low, high = (nearest(bound, dtype) for bound in bounds)
            if low == high:
                known[i, j] = low, _rest(bounds, low)


def _rest(bounds: tuple[Dyadic, Dyadic], rounded: float) -> float:
    """The value minus its rounding, to a few digits."""
    if not math.isfinite(rounded):
        return 0.0
    numerator, denominator = rounded.as_integer_ratio()
    exponent = 1 - denominator.bit_length()
    mantissa, e = bounds[0]
    if e + 2200 < exponent:  # far below what a rest can hold: keep the leading digits only
        mantissa, e = mantissa >> (exponent - 2200 - e), exponent - 2200
    common = min(e, exponent)
    return nearest(((mantissa << (e - common)) - (numerator << (exponent - common)), common), "float64")


def _value(known: dict[tuple[int, int], tuple[float, float]], shape: tuple[int, int]) -> Value:
    pairs = np.array([[known.get((i, j), (math.nan, 0.0)) for j in range(shape[1])] for i in range(shape[0])])
    return Value(pairs[:, :, 0], pairs[:, :, 1])
