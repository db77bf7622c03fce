"""Inputs for the comparison: ordinary ones, and those at which implementations go wrong. All are exact in their dtype."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nerva_core.algebra.memory import Array


def awkward(rng: np.random.Generator, dtype: str) -> Array:
    """A row of numbers of both signs: zero, subnormal, tiny, near one, at thresholds, where functions saturate, huge.

    The largest is a quarter of the largest number, so that 2x and x - y are finite.
    """
    info = np.finfo(dtype)
    tiny, largest = float(info.smallest_normal), float(info.max)
    magnitudes = [float(info.smallest_subnormal), tiny / 1024, tiny, tiny**0.5, float(info.eps), 1e-8, 1e-4, 0.01, 0.25, 0.5, 0.75]
    magnitudes += [1 - float(info.epsneg), 1.0, 1 + float(info.eps), 1.25, 2.0, 8.5, 12.5, 16.7, 19.0, 30.0, 36.7, 37.5, 38.4, 50.0]
    magnitudes += [87.0, 88.5, 103.0, 700.0, 709.5, 744.0, 1e4, 1e10, largest**0.25, largest**0.49, largest**0.75, largest / 4]
    scales = np.repeat([1e-3, 1.0, 10.0, 30.0], 24)
    values = np.concatenate([[0.0], magnitudes, np.negative(magnitudes), rng.normal(size=scales.size) * scales])
    return values.astype(dtype)[None]


def normal(rng: np.random.Generator, m: int, n: int, dtype: str, scale: float = 1.0) -> Array:
    """An m x n matrix of normally distributed numbers."""
    return (rng.normal(size=(m, n)) * scale).astype(dtype)


def near_ties(rng: np.random.Generator, m: int, n: int, dtype: str) -> Array:
    """Rows whose elements are equal, or neighbours."""
    start = normal(rng, m, 1, dtype)
    steps = rng.integers(0, 3, size=(m, n)) * np.finfo(dtype).eps
    return np.asarray(start * (1 + steps), dtype)


def one_hot(rng: np.random.Generator, m: int, n: int, dtype: str) -> Array:
    """Rows with a single 1."""
    return np.eye(n, dtype=dtype)[rng.integers(0, n, size=m)]


def probabilities(rng: np.random.Generator, m: int, n: int, dtype: str) -> Array:
    """Rows of numbers between 0 and 1, multiples of 1/64, that sum to 1 exactly."""
    return (rng.multinomial(64, np.full(n, 1 / n), size=m) / 64).astype(dtype)


def on_grid(rng: np.random.Generator, s: Sequence[float], m: int, n: int, dtype: str) -> Array:
    """Grid points and their neighbours. A point that is not exact in the dtype, so that no element can be on it, is left out."""
    points = np.array(s).astype(dtype)[np.array(s).astype(dtype) == np.array(s)]
    below, above = np.nextafter(points, points - 1), np.nextafter(points, points + 1)
    return rng.choice(np.concatenate([points, points, below, above]), size=(m, n))


def matrices(rng: np.random.Generator, m: int, n: int, dtype: str) -> dict[str, Array]:
    """Matrices to feed to a layer, by the name of what is awkward about them."""
    largest = float(np.finfo(dtype).max)
    sign = rng.choice([-1.0, 1.0], size=(m, n))
    constant = np.full((m, n), 0.75)
    return {
        "ordinary": normal(rng, m, n, dtype),
        "large logits": (sign * 1e4).astype(dtype),
        "near ties": near_ties(rng, m, n, dtype),
        "thresholds": rng.choice([0.0, 1.0, 0.5, -0.5], size=(m, n)).astype(dtype),
        "constant": constant.astype(dtype),
        "huge variance": normal(rng, m, n, dtype, largest**0.45),
        "tiny variance": normal(rng, m, n, dtype, largest**-0.45),
        "offset": (1000 + normal(rng, m, n, dtype, 0.01)).astype(dtype),
        "subnormal": normal(rng, m, n, dtype, float(np.finfo(dtype).smallest_normal) / 16),
        "one row": normal(rng, 1, n, dtype),
        "one column": normal(rng, m, 1, dtype),
    }
