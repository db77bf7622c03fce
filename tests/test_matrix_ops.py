"""Conformance: every operation, on every backend and dtype, within a stated number of units in the last place of its definition.

The definition is the body that ``MatrixOps`` gives the operation, evaluated with 400 digits by ``ReferenceOps``. A result must be a
matrix in the backend's dtype; where the exact value is representable there is no inf, no nan and no warning.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from nerva_core.matrix_ops import MatrixOps
from nerva_core.numeric_backend import Backend, DType
from tests.conftest import make_backend
from tests.reference import ReferenceOps, mp

REFERENCE = ReferenceOps()
OPERATIONS = sorted(name for name, member in vars(MatrixOps).items() if callable(member) and not name.startswith("_"))

# Accepted differences, each with its reason.
FLUSHES_SUBNORMALS = {
    "jax": "XLA's code for the CPU treats subnormal numbers as zero",
    "tensorflow": "Eigen's threads and XLA treat subnormal numbers as zero",
}
UNDERFLOWS_EARLY = {
    ("torch", "sigmoid"): "torch computes 1 / (1 + e^-x), where e^-x overflows before the result underflows",
}

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


# The comparison ----------------------------------------------------------------------


def evaluate_exactly(name: str, arguments: Arguments, infinity: Any = mp.inf) -> Any:
    def exact(x: Any) -> Any:
        if not isinstance(x, np.ndarray):
            return x
        X = REFERENCE.matrix(x.astype(np.float64))
        X[np.isposinf(x)], X[np.isneginf(x)] = infinity, -infinity
        return X

    return getattr(REFERENCE, name)(*map(exact, arguments))


def map_arrays(f: Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]], arguments: Arguments) -> Arguments:
    return tuple(f(x) if isinstance(x, np.ndarray) else x for x in arguments)


def without_subnormals(X: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.where(np.abs(X) < np.finfo(X.dtype).tiny, X.dtype.type(0), X)


@dataclass(frozen=True)
class Expected:
    """The arguments of one call, the exact result, the same with subnormal inputs as zeros, and the unit of the error."""

    arguments: Arguments
    exact: Any
    flushed: Any
    scale: Any
    warns: bool


def representable(exact: Any, dtype: DType) -> np.ndarray[Any, Any]:
    limit = float(np.finfo(dtype).max)
    return np.array(np.frompyfunc(lambda y: abs(y) <= limit, 1, 1)(exact), dtype=bool)


@functools.cache
def expectations(name: str, dtype: DType) -> list[Expected]:
    """The calls of an operation. An elementwise one is called again with 1 where its result is not representable: without warnings."""
    case = CASES[name]
    result = []
    for arguments in case.arguments(dtype):
        expected = expect(name, arguments)
        result.append(expected)
        if case.elementwise and expected.warns:
            fits = representable(expected.exact, dtype)
            result.append(expect(name, map_arrays(lambda X, fits=fits: np.where(fits, X, X.dtype.type(1)), arguments)))  # type: ignore[misc]
            assert not result[-1].warns
    return result


def expect(name: str, arguments: Arguments) -> Expected:
    case = CASES[name]
    exact = evaluate_exactly(name, arguments, case.infinity)
    flushed = evaluate_exactly(name, map_arrays(without_subnormals, arguments), case.infinity)
    scale = evaluate_exactly(name, map_arrays(np.abs, arguments), case.infinity) if case.terms else exact
    dtype = next((x.dtype.name for x in arguments if isinstance(x, np.ndarray)), "float32")
    return Expected(arguments, exact, flushed, scale, name != "shape" and not representable(exact, dtype).all())


def unit(scale: Any, dtype: DType) -> Any:
    """The distance of neighbouring numbers at ``scale``."""
    limits = np.finfo(dtype)
    nearest = np.dtype(dtype).type(min(float(abs(scale)), float(limits.max) / 2))
    return mp.mpf(float(max(np.spacing(nearest), limits.smallest_subnormal)))


def is_close(actual: float, exact: Any, allowed: Any, dtype: DType) -> bool:
    if not np.isfinite(actual):  # right if the exact value is beyond the largest number, by less than what is allowed
        return bool(abs(exact) + allowed > float(np.finfo(dtype).max) and (actual > 0) == (exact > 0) and not np.isnan(actual))
    return bool(mp.isfinite(exact) and abs(mp.mpf(float(actual)) - exact) <= allowed)


def assert_conforms(ops: Backend[Any], name: str, expected: Expected, actual: Any) -> None:
    case = CASES[name]
    result = ops.to_numpy(actual)
    assert result.dtype == ops.dtype
    assert result.ndim == 2
    assert result.shape == expected.exact.shape
    flushes = ops.name in FLUSHES_SUBNORMALS
    floor = float(np.finfo(ops.dtype).tiny) if flushes or (ops.name, name) in UNDERFLOWS_EARLY else 0
    for index in np.ndindex(result.shape):
        allowed = case.ulps * unit(expected.scale[index], ops.dtype) + floor
        exact = [expected.exact[index]] + ([expected.flushed[index]] if flushes else [])
        if not any(is_close(result[index], y, allowed, ops.dtype) for y in exact):
            at = [float(X[index]) for X in expected.arguments if case.elementwise] or expected.arguments
            error = mp.nstr((mp.mpf(float(result[index])) - exact[0]) / unit(expected.scale[index], ops.dtype), 3)
            pytest.fail(f"{ops}.{name}{at} at {index} is {result[index]!r}, exact {mp.nstr(exact[0], 17)}: {error} ulp, not {case.ulps}")


def test_every_operation_has_a_case() -> None:
    assert sorted(CASES) == OPERATIONS


@pytest.mark.parametrize("name", OPERATIONS)
def test_conformance(name: str, ops_of_dtype: Backend[Any]) -> None:
    ops = ops_of_dtype
    for expected in expectations(name, ops.dtype):
        arguments = map_arrays(ops.matrix, expected.arguments)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore" if expected.warns else "error")
            actual = getattr(ops, name)(*arguments)
        if name == "shape":
            assert actual == expected.exact
        else:
            assert_conforms(ops, name, expected, actual)
        for before, after in zip(expected.arguments, arguments, strict=True):
            if isinstance(before, np.ndarray):
                np.testing.assert_array_equal(ops.to_numpy(after), before, err_msg=f"{name} changes its argument")


OPERATORS: dict[str, Callable[..., Any]] = {
    "matmul": lambda X, Z: X @ Z,
    "add": lambda X, Y: X + Y,
    "subtract": lambda X, Y: X - Y,
    "negate": lambda X: -X,
    "scale": lambda c, X: c * X,
    "divide": lambda X, c: X / c,
}


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_are_the_operations(name: str, ops_of_dtype: Backend[Any]) -> None:
    ops = ops_of_dtype
    for expected in expectations(name, ops.dtype):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore" if expected.warns else "error")
            assert_conforms(ops, name, expected, OPERATORS[name](*map_arrays(ops.matrix, expected.arguments)))


def test_a_scalar_of_the_backend_is_a_number(ops_of_dtype: Backend[Any]) -> None:
    ops = ops_of_dtype
    c, X = ops.scalar(0.25), ops.matrix([[2.0, -3.0]])
    for result in (c * X, ops.scale(c, X), X / (1 / c), ops.divide(X, 1 / c)):
        assert ops.to_numpy(result).dtype == ops.dtype
        np.testing.assert_array_equal(ops.to_numpy(result), [[0.5, -0.75]])
    np.testing.assert_array_equal(ops.to_numpy(ops.full(c, 1, 2)), [[0.25, 0.25]])


def test_the_comparison_refuses_a_wrong_value() -> None:
    """One unit in the last place beyond the tolerance is an error, and so are inf, nan and a wrong shape or dtype."""
    ops = make_backend("numpy", "float64")
    expected = expect("exp", (np.array([[1.0]]),))
    right = np.exp(np.array([[1.0]]))
    assert_conforms(ops, "exp", expected, right)
    for wrong in (right + 4 * np.spacing(right), right * np.inf, right * np.nan):
        with pytest.raises(pytest.fail.Exception):
            assert_conforms(ops, "exp", expected, wrong)
    for wrong in (right.astype(np.float32), right[0], np.tile(right, (1, 2))):
        with pytest.raises(AssertionError):
            assert_conforms(ops, "exp", expected, wrong)
