from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

from backends.xla import LARGE, OPTION, CopiedTransposes, loops_for_sums, run_step
from nerva_core.algebra.numeric_backend import backend
from tests.conftest import make_backend


@pytest.mark.parametrize(
    ("version", "given", "inside"),
    [
        ("0.10.2", None, f"--xla_backend_extra_options={OPTION}"),
        ("0.10.2", "--xla_a=1", f"--xla_a=1 --xla_backend_extra_options={OPTION}"),
        ("0.10.2", "--xla_backend_extra_options=x", "--xla_backend_extra_options=x"),
        ("0.9.0", None, None),
    ],
)
def test_the_flags_are_set_only_inside_and_only_where_they_are_known(
    version: str, given: str | None, inside: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XLA_FLAGS", raising=False)
    if given is not None:
        monkeypatch.setenv("XLA_FLAGS", given)
    with loops_for_sums("jax", version):
        assert os.environ.get("XLA_FLAGS") == inside
    assert os.environ.get("XLA_FLAGS") == given


@pytest.mark.parametrize("large", [False, True])
def test_the_transposed_left_factor_of_a_large_product_is_computed_apart_and_nothing_else_is(large: bool) -> None:
    m, N, n = 4096 if large else 4095, 32, 32
    assert (m * N * n >= LARGE) == large
    rng = np.random.default_rng(0)
    DY, X, W = rng.normal(size=(N, m)), rng.normal(size=(N, n)), rng.normal(size=(m, n))
    copied = []

    def apart(f: Any, A: Any) -> Any:
        copied.append(A)
        return np.ascontiguousarray(f(A))

    def step(ops: Any, DY: Any, X: Any, W: Any) -> Any:
        return ops.transpose(DY) @ X, ops.matmul(X, ops.transpose(W)), DY @ W, ops.transpose(ops.transpose(DY)) @ W

    results = CopiedTransposes(make_backend("numpy", "float64"), apart).call(step, DY, X, W)
    for result, expected in zip(results, (DY.T @ X, X @ W.T, DY @ W, DY @ W), strict=True):
        np.testing.assert_allclose(result, expected, rtol=1e-12, atol=1e-12)
    assert [A.shape for A in copied] == ([(N, m), (m, N)] if large else [])


@pytest.mark.parametrize("name", ["jax", "tensorflow"])
@pytest.mark.parametrize("value", [1.0, -1.0, np.nan])
def test_a_step_multiplies_by_a_large_transpose_as_the_equations_do(name: str, value: float) -> None:
    """Whatever stands first in the matrix, which is how the branch is chosen in TensorFlow."""
    pytest.importorskip(name)
    rng = np.random.default_rng(0)
    DY, X = rng.normal(size=(256, 128)), rng.normal(size=(256, 128))
    DY[0, 0] = value
    assert LARGE <= 128 * 256 * 128
    ops = make_backend(name, "float64")

    def step(ops: Any, state: Any, X: Any, DY: Any, k: Any) -> Any:
        (DW,) = state
        return (DW + ops.transpose(DY) @ X,), (ops.elements_sum(X),)

    (DW,), _ = ops.run_steps(step, ops.matrices((np.zeros((128, 128)),)), ops.matrices((X, DY)), (np.arange(3),))
    np.testing.assert_allclose(ops.to_numpy(DW), 3 * (DY.T @ X), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("device", "seen"), [("cpu", CopiedTransposes), ("cpu:0", CopiedTransposes), ("gpu:0", object)])
def test_only_on_a_processor_is_a_step_given_other_operations(device: str, seen: type) -> None:
    ops = backend("numpy")
    ops.device = device
    given = run_step(ops, lambda f, A: f(A), lambda ops: [ops])
    assert isinstance(given[0], seen)
    assert (given[0] is ops) == (seen is object)


@pytest.mark.parametrize("dtype", ["float64", "bfloat16"])
@pytest.mark.parametrize("name", ["jax", "tensorflow"])
def test_a_loop_of_a_step_is_compiled_once_and_not_step_by_step(name: str, dtype: str) -> None:
    pytest.importorskip(name)
    ops, calls = backend(name, dtype), []

    def body(state: Any, x: Any) -> Any:
        calls.append(x)
        return (0.5 * state[0] + x,), (x - state[0],)

    def step(ops: Any, state: Any, X: Any, k: Any) -> Any:
        (last,), (found,) = ops.scan(body, state, (ops.split(X, 1, 2),), 30)
        return (last + ops.members_sum(found),), (ops.elements_sum(last),)

    X = np.arange(60.0).reshape(30, 2)
    (last,), _ = ops.run_steps(step, ops.matrices((np.ones((1, 2)),)), ops.matrices((X,)), (np.arange(2),))
    assert 0 < len(calls) < 30
    plain = make_backend("numpy", "float64")
    state = plain.matrices((np.ones((1, 2)),))
    for _ in range(2):
        state, _ = step(plain, state, plain.matrix(X), 0)
    np.testing.assert_allclose(ops.to_numpy(last), state[0], rtol=1e-12 if dtype == "float64" else 0.02)
