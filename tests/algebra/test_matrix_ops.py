"""Conformance: every operation, on every backend and dtype, within a stated number of units in the last place of its definition.

The definition is the body that ``MatrixOps`` gives the operation, evaluated with 400 digits by ``ReferenceOps``. A result must be
a matrix in the backend's dtype; where the exact value is representable there is no inf, no nan and no warning.
"""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.matrix_ops import MatrixOps
from nerva_core.algebra.numeric_backend import Backend, DType
from nerva_core.interpreters.memberwise import Family
from tests.conftest import make_backend
from tests.helpers import as_one
from tests.matrix_cases import CASES
from tests.matrix_inputs import Arguments
from tests.reference import ReferenceOps, mp

REFERENCE = ReferenceOps()
OPERATIONS = sorted(
    name for name, _ in inspect.getmembers(MatrixOps, inspect.isfunction) if not name.startswith("_") and name not in ("scan", "size_power")
)
NUMBERS = ("shape", "members")
"""What gives no matrix."""

# Accepted differences, each with its reason.
FLUSHES_SUBNORMALS = {
    "jax": "XLA's code for the CPU treats subnormal numbers as zero",
    "tensorflow": "Eigen's threads and XLA treat subnormal numbers as zero",
}
UNDERFLOWS_EARLY = {
    ("torch", "sigmoid"): "torch computes 1 / (1 + e^-x), where e^-x overflows before the result underflows",
}

# The comparison ----------------------------------------------------------------------


def evaluate_exactly(name: str, arguments: Arguments, infinity: Any = mp.inf) -> Any:
    def exact(x: Any) -> Any:
        if not isinstance(x, np.ndarray):
            return x
        X = REFERENCE.matrix(x.astype(np.float64))
        X[np.isposinf(x)], X[np.isneginf(x)] = infinity, -infinity
        return Family(X) if X.ndim == 3 else X

    result = getattr(REFERENCE, name)(*map(exact, arguments))
    return np.stack(result) if isinstance(result, Family) else result


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
            result.append(expect(name, map_arrays(lambda X, fits=fits: np.where(fits, X, X.dtype.type(1)), arguments)))
            assert not result[-1].warns
    return result


def expect(name: str, arguments: Arguments) -> Expected:
    case = CASES[name]
    exact = evaluate_exactly(name, arguments, case.infinity)
    flushed = evaluate_exactly(name, map_arrays(without_subnormals, arguments), case.infinity)
    scale = evaluate_exactly(name, map_arrays(np.abs, arguments), case.infinity) if case.terms else exact
    dtype = next((x.dtype.name for x in arguments if isinstance(x, np.ndarray)), "float32")
    return Expected(arguments, exact, flushed, scale, name not in NUMBERS and not representable(exact, dtype).all())


def unit(scale: Any, dtype: DType) -> Any:
    """The distance of neighbouring numbers at ``scale``."""
    limits = np.finfo(dtype)
    nearest = np.dtype(dtype).type(min(float(abs(scale)), float(limits.max) / 2))
    return mp.mpf(float(max(np.spacing(nearest), limits.smallest_subnormal)))


def is_close(actual: float, exact: Any, allowed: Any, dtype: DType) -> bool:
    if not np.isfinite(actual):  # right if the exact value is beyond the largest number, by less than what is allowed
        return bool(abs(exact) + allowed > float(np.finfo(dtype).max) and (actual > 0) == (exact > 0) and not np.isnan(actual))
    return bool(mp.isfinite(exact) and abs(mp.mpf(float(actual)) - exact) <= allowed)


def assert_conforms(ops: Backend, name: str, expected: Expected, actual: Any) -> None:
    case = CASES[name]
    result = ops.to_numpy(actual)
    assert result.dtype == ops.dtype
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


def given(ops: Backend, X: np.ndarray[Any, Any]) -> Any:
    return ops.family(*map(ops.matrix, X)) if X.ndim == 3 else ops.matrix(X)


def called(ops: Backend, name: str, arrays: Arguments, arguments: Arguments) -> Any:
    """The operation's result. JAX compiles a call as a whole, not each step of a definition."""
    operation = getattr(ops, name)
    if name in NUMBERS:
        return operation(*arguments)
    places = [k for k, x in enumerate(arrays) if isinstance(x, np.ndarray)]

    def of_matrices(*matrices: Any) -> Any:
        with_matrices = dict(zip(places, matrices, strict=True))
        return operation(*(with_matrices.get(k, x) for k, x in enumerate(arguments)))

    return as_one(ops, of_matrices)(*(arguments[k] for k in places))


def test_every_operation_has_a_case() -> None:
    assert sorted(CASES) == OPERATIONS


@pytest.mark.sampled(2, "jax", "tensorflow")
@pytest.mark.parametrize("name", OPERATIONS)
def test_conformance(name: str, ops_of_dtype: Backend) -> None:
    ops = ops_of_dtype
    for expected in expectations(name, ops.dtype):
        arguments = map_arrays(functools.partial(given, ops), expected.arguments)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore" if expected.warns else "error")
            actual = called(ops, name, expected.arguments, arguments)
        if name in NUMBERS:
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
def test_operators_are_the_operations(name: str, ops_of_dtype: Backend) -> None:
    ops = ops_of_dtype
    for expected in expectations(name, ops.dtype):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore" if expected.warns else "error")
            assert_conforms(ops, name, expected, OPERATORS[name](*map_arrays(ops.matrix, expected.arguments)))


def test_a_scalar_of_the_backend_is_a_number(ops_of_dtype: Backend) -> None:
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
