"""Arguments for every operation of ``MatrixOps``, and how far from its definition a backend may be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from nerva_core.algebra.geometry import Geometry
from nerva_core.algebra.numeric_backend import DType
from nerva_core.interpreters.traced import OPERANDS, OPERATIONS
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
    "members": Case(families),
    "family": Case(parts),
    "member": Case(lambda dtype: families(dtype, 4)),
    "split": Case(lambda dtype: [(np.arange(24, dtype=dtype).reshape(4, 6), m, n) for m, n in ((1, 1), (2, 3), (4, 2), (4, 6), (2, 6))]),
    "join": Case(lambda dtype: [case for k in (1, 2, 6) for case in families(dtype, k)]),
    "column_part": Case(lambda dtype: [(X, k, 3) for X in parts(dtype)[1][:2] for k in range(3)]),
    "column_range": Case(lambda dtype: [(X, first, X.shape[1] - first) for X in matrices(dtype) for first in range(X.shape[1])]),
    "join_column_parts": Case(parts),
    "transpose_columns": Case(lambda dtype: [(np.arange(24, dtype=dtype).reshape(2, 12), m) for m in (1, 3, 4, 12)]),
    "windows": Case(on_windows(lambda G: [(2 * G.positions, 3)])),
    "fold": Case(on_windows(lambda G: [(2 * G.places, 3 * G.offsets)])),
    "convolve": Case(on_windows(lambda G: [(2 * G.positions, 3), (3 * G.offsets, 2)])),
    "convolve_weights": Case(on_windows(lambda G: [(2 * G.positions, 3), (2 * G.places, 2)])),
    "convolve_inputs": Case(on_windows(lambda G: [(2 * G.places, 2), (3 * G.offsets, 2)])),
    "channel_windows": Case(on_windows(lambda G: [(2 * G.positions, 3)])),
    "channel_fold": Case(on_windows(lambda G: [(2 * G.places * 3, G.offsets)], 3)),
    "range_row": Case(lambda dtype: [(1,), (4,)]),
    "lower_ones": Case(lambda dtype: [(1,), (4,)]),
    "first_maxima": Case(lambda dtype: [(X,) for X in matrices(dtype)]),
    "one_hot": Case(labelled),
    "rows_at": Case(lambda dtype: [(np.arange(3.0 * n, dtype=dtype).reshape(n, 3), x) for x, n in labelled(dtype)]),
    "sums_at_rows": Case(lambda dtype: [(np.arange(3.0 * len(x), dtype=dtype).reshape(-1, 3), x, n) for x, n in labelled(dtype)]),
    "scattered": Case(on_patterns("w", "r", "c", "K", "D")),
    "sparse_product": Case(on_patterns("ND", "w", "r", "c", "K")),
    "sparse_product_t": Case(on_patterns("NK", "w", "r", "c", "D")),
    "sampled_product": Case(on_patterns("NK", "ND", "r", "c")),
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
    "inv_lengths": Case(long_rows, ulps=6),
    "norm": Case(lambda dtype: [(X,) for Y, _ in long_rows(dtype) for X in (Y, *(Y[k : k + 1] for k in range(len(Y))))], ulps=6),
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
    "members_sum": Case(families, ulps=6, terms=True),
    "masked_softmax": Case(attentions, ulps=300),  # of exponents up to 150
    "softmax_inputs": Case(lambda dtype: [(np.abs(P), DP) for P, DP in attentions(dtype)], ulps=8, terms=True),
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


# One example for interpreters ----------------------------------------------------------------------

SMALL: dict[str, Callable[[Any, Any], list[tuple[Any, ...]]]] = {
    "matmul": lambda m, n: [(m, n), (n, m)],
    "diag": lambda m, n: [(m, m)],
    "Diag": lambda m, n: [(1, n)],
    "row_repeat": lambda m, n: [(1, n)],
    "column_repeat": lambda m, n: [(m, 1)],
    "fill": lambda m, n: [(1, 1)],
    "join_columns": lambda m, n: [(m, n), (m, m)],
    "step_function": lambda m, n: [(m, n), (3, n)],
    "split": lambda m, n: [(2 * m, 3 * n)],
    "join": lambda m, n: [(m, n, 6)],
    "member": lambda m, n: [(m, n, 6)],
    "members_sum": lambda m, n: [(m, n, 6)],
    "family": lambda m, n: [(m, n), (m, n)],
    "join_column_parts": lambda m, n: [(m, n), (m, n)],
    "column_part": lambda m, n: [(m, 2 * n)],
    "column_range": lambda m, n: [(m, 3 * n)],
    "transpose_columns": lambda m, n: [(m, m * n)],
    "windows": lambda m, n: [(9 * m, n)],
    "fold": lambda m, n: [(4 * m, 4 * n)],
    "convolve": lambda m, n: [(9 * m, n), (4 * n, m)],
    "convolve_weights": lambda m, n: [(9 * m, n), (4 * m, m)],
    "convolve_inputs": lambda m, n: [(4 * m, m), (4 * n, m)],
    "channel_windows": lambda m, n: [(9 * m, n)],
    "channel_fold": lambda m, n: [(4 * m * n, 4)],
    "one_hot": lambda m, n: [(m, 1)],
    "rows_at": lambda m, n: [(n, m), (m, 1)],
    "sums_at_rows": lambda m, n: [(m, n), (m, 1)],
    "scattered": lambda m, n: [(1, n), (n, 1), (n, 1)],
    "sparse_product": lambda m, n: [(m, n), (1, n), (n, 1), (n, 1)],
    "sparse_product_t": lambda m, n: [(m, n), (1, n), (n, 1), (n, 1)],
    "sampled_product": lambda m, n: [(m, n), (m, n), (n, 1), (n, 1)],
}
"""The shapes of operands for an operation, with sizes m and n; of the others each operand is m x n."""
NUMBERS: dict[str, Any] = {
    "c": 2.0,
    "f": lambda ops, X: ops.exp(X),
    "low": 0.2,
    "high": 0.6,
    "j": 1,
    "o": 1,
    "k": 1,
    "first": 1,
    "count": 2,
}
NUMBERS |= {"K": 4, "D": 5}
NUMBERS |= {"rows": [[1, 2], [3, 4]], "s": [0.25, 0.5], "columns": [1, 0], "G": Geometry.of((3, 3), 2), "epsilon": 0.5}


def example(name: str, m: Any, n: Any, matrix: Callable[..., Any], **others: Any) -> list[Any]:
    """Arguments for an operation: ``matrix(rows, columns[, members])`` in the place of operands."""
    shapes = iter(SMALL.get(name, lambda m, n: [(m, n)] * len(OPERANDS[name]))(m, n))
    numbers = {**NUMBERS, "m": m, "n": n, "C": n, **others}
    arguments: list[Any] = []
    for key, p in list(OPERATIONS[name].parameters.items())[1:]:
        if p.kind is p.VAR_POSITIONAL:
            arguments += [matrix(*shape) for shape in shapes]
        else:
            arguments.append(matrix(*next(shapes)) if p.annotation == "M" else numbers[key])
    return arguments
