"""Inputs of matrix operations: points at which functions are difficult, matrices of all shapes, grids, patterns, families, windows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nerva_core.algebra.geometry import Geometry
from nerva_core.algebra.numeric_backend import DType

Arguments = tuple[Any, ...]


def points(dtype: DType) -> np.ndarray[Any, Any]:
    """Random numbers of several magnitudes, and those where floating point goes wrong: zeros, subnormals, large and infinite ones."""
    rng = np.random.default_rng(1)
    limits = np.finfo(dtype)
    positive = [0, limits.smallest_subnormal, limits.tiny / 4, limits.tiny, limits.eps / 2, limits.eps, 1e-8, 1e-3, 0.5, 1, 2, 5, 9, 12]
    positive += [17, 18.2, 20, 36, 37.5, 60, 80, 87, 88.5, 95, 103, 700, 708, 709.5, 720, 740, 1e4, limits.max / 8, np.inf]
    random = np.concatenate([scale * rng.normal(size=6) for scale in (1e-3, 1, 10, 100)])
    return np.concatenate([random, positive, np.negative(positive)]).astype(dtype)


def in_shapes(values: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
    """All values in one matrix, and some of them as one row, one column and 1 x 1."""
    rows = np.resize(values, (6, -(-len(values) // 6)))
    return [rows, values[None, :5], values[:5, None], values[:1, None]]


def unary(condition: Callable[[Any], Any] = lambda x: x == x) -> Callable[[DType], list[Arguments]]:
    def arguments(dtype: DType) -> list[Arguments]:
        values = points(dtype)
        return [(X,) for X in in_shapes(values[condition(values)])]

    return arguments


def pairs(dtype: DType, finite: bool = False) -> list[Arguments]:
    """X and Y with ties, and every magnitude beside several others."""
    values = points(dtype)
    values = values[np.isfinite(values)] if finite else values
    X, Y = np.tile(values, 4), np.concatenate([values, np.roll(values, 7), -values, values[::-1]])
    return [*zip(in_shapes(X), in_shapes(Y), strict=True), (X[None, 90:], Y[None, 90:])]


def finite_pairs(dtype: DType) -> list[Arguments]:
    return pairs(dtype, finite=True)


def quotients(dtype: DType) -> list[Arguments]:
    """Finite pairs where Y is not negative, among them 0 / 0."""
    zero = np.zeros((2, 3), dtype)
    return [(X, np.abs(Y)) for X, Y in finite_pairs(dtype)] + [(zero, zero)]


def choices(dtype: DType) -> list[Arguments]:
    """Indicators C, and pairs with infinities on the side that is not chosen."""
    rng = np.random.default_rng(2)
    return [((rng.random(X.shape) < 0.5).astype(dtype), X, Y) for X, Y in pairs(dtype)]


def matrices(dtype: DType) -> list[np.ndarray[Any, Any]]:
    """Matrices to reduce: random, large, with cancellation, subnormal, with ties, zero; 1 x 1, one row, one column."""
    rng = np.random.default_rng(3)
    tiny = np.finfo(dtype).smallest_subnormal
    shapes = [(3, 4), (1, 1), (1, 5), (5, 1), (7, 2)]
    random = [rng.normal(size=shape) for shape in shapes]
    special = [[[1e4, -1e4, 1.0], [-1e4, 1e4, 1e-4]], [[tiny, 2 * tiny], [0, tiny]], [[2, 2, 1], [0, 0, 0], [-1, -3, -1]]]
    return [np.array(X, dtype) for X in [*random, 1e4 * random[0], *special]]


def reductions(dtype: DType) -> list[Arguments]:
    infinite = np.array([[np.inf, 1, -2], [0, 1, 2]], dtype)
    return [(X,) for X in [*matrices(dtype), infinite]]


def products(dtype: DType) -> list[Arguments]:
    rng = np.random.default_rng(4)
    return [(X, (c * rng.normal(size=(X.shape[1], k))).astype(dtype)) for X in matrices(dtype) for c, k in ((1, 3), (1e4, 1))]


def columns(dtype: DType) -> list[np.ndarray[Any, Any]]:
    return [X[:, :1] for X in matrices(dtype)]


def rows(dtype: DType) -> list[np.ndarray[Any, Any]]:
    return [X[:1] for X in matrices(dtype)]


def square(dtype: DType) -> list[Arguments]:
    rng = np.random.default_rng(5)
    return [(np.array([[3]], dtype),), (rng.normal(size=(4, 4)).astype(dtype),)]


EVEN = tuple((k - 50) / 64 for k in range(101))
"""Grid points that are exact in float32, so that an element can lie on one."""
GRIDS = ((0.0,), (-1.5, -1.0, 0.0, 0.125, 2.0), tuple(k * abs(k) / 64 for k in range(-12, 13)), EVEN)


def on_grids(dtype: DType) -> list[tuple[np.ndarray[Any, Any], tuple[float, ...]]]:
    """Matrices with a grid: its points and their neighbours, and numbers of every magnitude."""
    cases = []
    for s in GRIDS:
        at = np.array(s, dtype)
        values = np.concatenate([points(dtype), at, np.nextafter(at, at - 1), np.nextafter(at, at + 1)])
        cases += [(X, s) for X in in_shapes(values[::-1])]
    return cases


PATTERNS = (((0, 0, 2, 2, 2), (0, 3, 0, 1, 3), 4, 5), ((0,), (0,), 1, 1), ((0, 0, 1, 1), (0, 1, 0, 1), 2, 2), ((63,), (39,), 64, 40))
"""Rows, columns, K and D: with an empty row and columns, with all places, and one place of many."""


def on_patterns(*kinds: str) -> Callable[[DType], list[Arguments]]:
    """Integers, and the places of every pattern. A kind is the weights "w", an N x K or N x D matrix, or a number K or D."""

    def arguments(dtype: DType) -> list[Arguments]:
        rng, cases = np.random.default_rng(8), []
        for rows, columns, K, D in PATTERNS:
            r, c = (np.array(numbers, dtype).reshape(-1, 1) for numbers in (rows, columns))
            sizes = {"NK": (3, K), "ND": (3, D), "w": (1, len(rows))}
            given = {kind: rng.integers(-9, 10, size).astype(dtype) for kind, size in sizes.items()}
            cases.append(tuple({"r": r, "c": c, "K": K, "D": D, **given}[kind] for kind in kinds))
        return cases

    return arguments


def step_functions(dtype: DType) -> list[Arguments]:
    rng = np.random.default_rng(6)
    return [(X, s, rng.normal(size=(len(s) + 1, X.shape[1])).astype(dtype)) for X, s in on_grids(dtype)]


def sums_on_grids(dtype: DType) -> list[Arguments]:
    """Of the largest grid small matrices only: the exact sums would take longer than all that is compared with them."""
    rng = np.random.default_rng(7)
    return [(rng.exponential(size=X.shape).astype(dtype), X, s) for X, s in on_grids(dtype) if X.size * len(s) <= 5000]


def numbers(dtype: DType) -> list[float | int]:
    """Numbers and sizes, exact in the dtype."""
    return [3, -2, float(np.dtype(dtype).type(0.1))]


def not_minus_zero(x: np.ndarray[Any, Any]) -> Any:
    """1 / -0 is -∞; the definitions know one zero."""
    return (x != 0) | ~np.signbit(x)


def square_of(ops: Any, X: Any) -> Any:
    return ops.hadamard(X, X)


def family(rng: np.random.Generator, members: int, m: int, n: int, dtype: DType) -> np.ndarray[Any, Any]:
    return rng.normal(size=(members, m, n)).astype(dtype)


def families(dtype: DType, *numbers: int) -> list[Arguments]:
    rng = np.random.default_rng(8)
    return [(family(rng, 6, m, n, dtype), *numbers) for m, n in ((1, 1), (2, 3), (4, 1))]


def parts(dtype: DType) -> list[Arguments]:
    return [tuple(F) for (F,) in families(dtype)]


GEOMETRIES = (
    Geometry.of((5,), 3),
    Geometry.of((4, 4), 2, stride=2),
    Geometry.of((5, 4), 3, padding=1),
    Geometry.of((6, 5), 2, stride=3),  # some positions are seen by none
    Geometry.of((7,), 3, stride=2, padding=2, dilation=2),
    Geometry((4, 3), (2, 3), (1, 2), (1, 0), (2, 1)),
)


def whole(rng: np.random.Generator, m: int, n: int, dtype: DType) -> np.ndarray[Any, Any]:
    """Small integers: sums and products of them are exact."""
    return rng.integers(-4, 5, size=(m, n)).astype(dtype)


def on_windows(shapes: Callable[[Geometry], list[tuple[int, int]]], *more: Any) -> Callable[[DType], list[Arguments]]:
    def arguments(dtype: DType) -> list[Arguments]:
        rng = np.random.default_rng(9)
        return [(*(whole(rng, m, n, dtype) for m, n in shapes(G)), *more, G) for G in GEOMETRIES]

    return arguments


def long_rows(dtype: DType) -> list[Arguments]:
    """Rows of every length, also where the square of a number is none of the dtype."""
    rng = np.random.default_rng(11)
    X = rng.normal(size=(6, 5)) * np.array([0, 1e-3, 1, 100, 1e15, float(np.finfo(dtype).max) / 8])[:, None]
    return [(X.astype(dtype), epsilon) for epsilon in (1e-8, 0.5)]


def labelled(dtype: DType) -> list[Arguments]:
    return [(np.array([[2], [0], [2], [4]], dtype), 5), (np.array([[0]], dtype), 1)]


def attentions(dtype: DType) -> list[Arguments]:
    """Scores with masks: some numbers are large, and a family with one mask for all."""
    rng = np.random.default_rng(10)
    mask = np.tril(np.ones((4, 4))).astype(dtype)
    return [(c * family(rng, 1, 4, 4, dtype)[0], mask) for c in (1, 50)] + [(family(rng, 3, 4, 4, dtype), mask)]
