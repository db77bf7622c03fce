from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.numeric_backend import Backend
from nerva_core.equations import softmax as functions
from tests.autodiff import jax_vjp
from tests.conftest import installed, load_frameworks
from tests.reference import ReferenceOps

ROWS = np.random.default_rng(3).normal(size=(5, 4)) * np.array([[0.1], [1], [10], [30], [3]])
EXTREME = np.array([[1e4, -1e4, 0.0, 1e4 - 1], [-1e4, -1e4, -1e4, -1e4], [0.0, 0.0, 0.0, 0.0], [-9999.0, 1e4, 9990.0, 9980.0]])
PAIRS = [("softmax", "stable_softmax"), ("log_softmax", "stable_log_softmax")]


@functools.cache
def exact(name: str, extreme: bool) -> Any:
    """The plain form, as printed, on numbers of 400 digits."""
    reference = ReferenceOps()
    return getattr(functions, name)(reference, reference.matrix(EXTREME if extreme else ROWS)).astype(float)


@pytest.mark.parametrize(("plain", "stable"), PAIRS)
def test_both_forms_are_the_definition(ops: Backend, plain: str, stable: str) -> None:
    for name in (plain, stable):
        np.testing.assert_allclose(
            ops.to_numpy(getattr(functions, name)(ops, ops.matrix(ROWS))), exact(plain, False), rtol=1e-13, atol=1e-14
        )


@pytest.mark.parametrize(("plain", "stable"), PAIRS)
def test_the_stable_form_is_right_for_extreme_inputs(ops_of_dtype: Backend, plain: str, stable: str) -> None:
    ops = ops_of_dtype
    result = ops.to_numpy(getattr(functions, stable)(ops, ops.matrix(EXTREME)))
    assert result.dtype == ops.dtype
    eps = float(np.finfo(ops.dtype).eps)
    atol = eps if "log" in plain else 0  # the logarithm of a sum is rounded where the sum is: near 1 that is an absolute error
    np.testing.assert_allclose(result, exact(plain, True), rtol=10 * eps, atol=max(atol, 1e-30))


@pytest.mark.parametrize("shape", [(1, 1), (3, 1), (1, 4)])
def test_rows_sum_to_one(ops: Backend, rng: np.random.Generator, shape: tuple[int, int]) -> None:
    Y = ops.to_numpy(functions.stable_softmax(ops, ops.matrix(rng.normal(size=shape))))
    assert Y.shape == shape
    np.testing.assert_allclose(Y.sum(axis=1), 1, rtol=1e-15)


def test_the_largest_element_of_a_shifted_row_is_zero(ops: Backend) -> None:
    Z = ops.to_numpy(functions.subtract_rows_max(ops, ops.matrix(ROWS)))
    np.testing.assert_array_equal(Z.max(axis=1), 0)


@pytest.mark.skipif(not installed("jax"), reason="jax is not installed")
@pytest.mark.parametrize(("name", "jacobian"), [("softmax", "softmax_jacobian"), ("log_softmax", "log_softmax_jacobian")])
def test_jacobians(ops: Backend, name: str, jacobian: str) -> None:
    """J_ij = ∂y_i/∂x_j, row by row against JAX's own derivative of its own function."""
    load_frameworks()
    import jax

    for x in ROWS:
        expected = np.array([jax_vjp(getattr(jax.nn, name), [x], e)[1][0] for e in np.eye(4)])
        actual = ops.to_numpy(getattr(functions, jacobian)(ops, ops.matrix(x)))
        np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-14)
