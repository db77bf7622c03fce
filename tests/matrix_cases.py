"""Arguments for every operation of ``MatrixOps``, and how far from its definition a backend may be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from nerva_core.algebra.numeric_backend import DType
from tests.reference import mp

Arguments = tuple[Any, ...]


@dataclass(frozen=True)
class Case:
    """Arguments for an operation (arrays are matrices), and how far from the exact value it may be.

    ``ulps`` counts units in the last place of the exact value; of the sum of the absolute values of the terms where ``terms``.
    ``infinity`` replaces ∞ in the definition.
    """

    arguments: Callable[[DType], list[Arguments]]
    ulps: float = 0
    terms: bool = False
    elementwise: bool = False
    infinity: Any = mp.inf


# Inputs ----------------------------------------------------------------------


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


def step_functions(dtype: DType) -> list[Arguments]:
    rng = np.random.default_rng(6)
    return [(X, s, rng.normal(size=(len(s) + 1, X.shape[1])).astype(dtype)) for X, s in on_grids(dtype)]


def sums_on_grids(dtype: DType) -> list[Arguments]:
    rng = np.random.default_rng(7)
    return [(rng.exponential(size=X.shape).astype(dtype), X, s) for X, s in on_grids(dtype)]


def numbers(dtype: DType) -> list[float | int]:
    """Numbers and sizes, exact in the dtype."""
    return [3, -2, float(np.dtype(dtype).type(0.1))]


def not_minus_zero(x: np.ndarray[Any, Any]) -> Any:
    """1 / -0 is -∞; the definitions know one zero."""
    return (x != 0) | ~np.signbit(x)


def square_of(ops: Any, X: Any) -> Any:
    return ops.hadamard(X, X)


# The table of cases ----------------------------------------------------------------------

nonnegative = unary(lambda x: (x >= 0) & not_minus_zero(x))

CASES: dict[str, Case] = {
    # Exact: nothing is rounded.
    "shape": Case(reductions),
    "full": Case(lambda dtype: [(c, m, n) for c in numbers(dtype) for m, n in ((1, 1), (2, 3), (1, 4), (4, 1))]),
    "identity": Case(lambda dtype: [(1,), (4,)]),
    "zeros": Case(lambda dtype: [(3,), (2, 3), (1, 1)]),
    "ones": Case(lambda dtype: [(3,), (2, 3), (1, 1)]),
    "constant": Case(lambda dtype: [(rows,) for rows in ([[1, -2], [3, float(np.dtype(dtype).type(0.1))]], [[5]], ((1, 2, 3),))]),
    "unit": Case(lambda dtype: [(0, 1), (0, 3), (2, 3)]),
    "shift": Case(lambda dtype: [(n, o) for n in (1, 4) for o in (-5, -2, -1, 0, 1, 3, 4)]),
    "shift_columns": Case(lambda dtype: [(X, o) for X in matrices(dtype) for o in (-6, -2, -1, 0, 1, 3, 5)]),
    "step_function": Case(step_functions),
    "transpose": Case(reductions),
    "negate": Case(reductions),
    "diag": Case(square),
    "Diag": Case(lambda dtype: [(x,) for x in [*rows(dtype), *columns(dtype)]]),
    "column_repeat": Case(lambda dtype: [(x, n) for x in columns(dtype) for n in (1, 3)]),
    "row_repeat": Case(lambda dtype: [(x, m) for x in rows(dtype) for m in (1, 3)]),
    "fill": Case(lambda dtype: [(x[:1], m, n) for x in columns(dtype) for m, n in ((1, 1), (2, 3))]),
    "rows_max": Case(reductions),
    "columns_max": Case(reductions),
    "reshape": Case(lambda dtype: [(X, *shape) for X in matrices(dtype) for shape in ((X.size, 1), X.T.shape)]),
    "take_columns": Case(lambda dtype: [(X, [*reversed(range(X.shape[1])), 0]) for X in matrices(dtype)]),
    "join_columns": Case(lambda dtype: [(X, X[:, :1]) for X in matrices(dtype)]),
    "sort_rows": Case(reductions),
    "stop_gradient": Case(reductions),
    "less": Case(pairs, elementwise=True),
    "less_equal": Case(pairs, elementwise=True),
    "greater": Case(pairs, elementwise=True),
    "greater_equal": Case(pairs, elementwise=True),
    "equal": Case(pairs, elementwise=True),
    "where": Case(choices, elementwise=True),
    "maximum": Case(pairs, elementwise=True),
    "minimum": Case(pairs, elementwise=True),
    "abs": Case(unary(), elementwise=True),
    "sign": Case(unary(), elementwise=True),
    "clip": Case(lambda dtype: [(X, low, high) for (X,) in unary()(dtype) for low, high in ((-1.0, 2.0), (0, 0), (1.0, -1.0))]),
    # Rounded once.
    "add": Case(finite_pairs, ulps=0.5, elementwise=True),
    "subtract": Case(finite_pairs, ulps=0.5, elementwise=True),
    "hadamard": Case(finite_pairs, ulps=0.5, elementwise=True),
    "scale": Case(lambda dtype: [(c, X) for X in matrices(dtype) for c in numbers(dtype)], ulps=0.5),
    "divide": Case(lambda dtype: [(X, c) for X in matrices(dtype) for c in numbers(dtype)], ulps=1),  # XLA: times 1/c
    "reciprocal": Case(unary(not_minus_zero), ulps=1.5, elementwise=True),  # TensorFlow: Newton's method in float32
    "sqrt": Case(nonnegative, ulps=1, elementwise=True),  # torch: not the processor's instruction
    # Several roundings: of a square root and a quotient, of a product and a sum.
    "inv_sqrt": Case(nonnegative, ulps=2, elementwise=True),
    "quotient": Case(quotients, ulps=1, elementwise=True),
    "apply": Case(lambda dtype: [(square_of, X) for X in matrices(dtype)], ulps=0.5),
    # Sums of at most 12 terms; the error is that of the terms, which may cancel.
    "dot": Case(lambda dtype: [(x, -x[::-1, ::-1]) for x in [*rows(dtype), *columns(dtype)]], ulps=3, terms=True),
    "matmul": Case(products, ulps=3, terms=True),
    "columns_sum": Case(reductions, ulps=3, terms=True),
    "rows_sum": Case(reductions, ulps=3, terms=True),
    "elements_sum": Case(reductions, ulps=6, terms=True),
    "columns_mean": Case(reductions, ulps=3, terms=True),
    "rows_mean": Case(reductions, ulps=3, terms=True),
    "interval_sums": Case(sums_on_grids, ulps=8),  # of up to 40 positive terms
    # Elementary functions, to the accuracy of the frameworks' approximations.
    "exp": Case(unary(), ulps=2, elementwise=True),
    "log": Case(nonnegative, ulps=2, elementwise=True),
    "xlogy": Case(quotients, ulps=3, elementwise=True),
    "expm1": Case(unary(), ulps=3, elementwise=True),
    "log1p": Case(unary(lambda x: x >= -1), ulps=3, elementwise=True),
    "sigmoid": Case(unary(), ulps=4, elementwise=True),
    "log_sigmoid": Case(unary(), ulps=3, elementwise=True),
    "softplus": Case(unary(), ulps=3, elementwise=True),
    "tanh": Case(unary(), ulps=4, elementwise=True, infinity=mp.mpf(10) ** 400),  # at ∞ the definition reads ∞/∞: its limit
    "arctan": Case(unary(), ulps=5, elementwise=True),  # XLA in float32
    "normal_pdf": Case(unary(), ulps=4, elementwise=True),
    "normal_cdf": Case(unary(), ulps=4, elementwise=True),
}
