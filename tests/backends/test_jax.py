"""What is particular to JAX; the operations are tested by test_matrix_ops.py, for all backends."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.trees import leaves, stacked
from tests.conftest import make_backend

pytest.importorskip("jax")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_float64_is_switched_on_only_when_it_is_asked_for(dtype: str) -> None:
    """In a process of its own, as the switch is one of the process."""
    program = f"""
import nerva_core as nc
ops = nc.backend("jax", dtype="{dtype}")
import jax
assert jax.config.jax_enable_x64 == ("{dtype}" == "float64")
X = ops.compile(lambda X: 0.1 * X + ops.ones(2, 1) @ ops.identity(1))(ops.matrix([[1], [2]]))
assert X.dtype == "{dtype}", X.dtype
assert ops.scalar(0.1).dtype == "{dtype}"
"""
    environment = {key: value for key, value in os.environ.items() if key != "JAX_ENABLE_X64"}
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, env=environment, timeout=120)


def test_a_step_is_traced_once_for_all_numbers() -> None:
    ops = make_backend("jax", "float64")
    traced = []

    @ops.compile
    def step(X: Any, eta: Any) -> Any:
        traced.append(1)
        return eta * X

    for eta in (0.1, 0.2, 0.3):
        step(ops.matrix([[1.0]]), ops.scalar(eta))
    assert len(traced) == 1


def test_a_matrix_is_on_the_device() -> None:
    ops = make_backend("jax", "float32")
    (device,) = ops.matrix([[1.0]]).devices()
    assert device.platform == "cpu"


def test_the_inputs_of_steps_are_read_where_they_lie() -> None:
    ops = make_backend("jax", "float32")
    (noise,) = stacked([(np.full((100, 70), k, np.float32),) for k in range(3)])
    assert ops.jax.device_put(noise).unsafe_buffer_pointer() == noise.ctypes.data


@pytest.mark.parametrize("reverse", [False, True])
def test_a_scan_that_is_compiled_is_one_loop(reverse: bool) -> None:
    ops: Any = make_backend("jax", "float64")
    xs = ops.family(*(ops.matrix([[x]]) for x in (1.0, 2.0, 4.0)))

    def run(xs: Any) -> Any:
        return ops.scan(lambda state, x: ((2 * state[0] + x,), (state[0],)), (ops.ones(1, 1),), (xs,), 3, reverse)

    assert str(ops.jax.make_jaxpr(run)(xs)).count("scan[") == 1
    for found, expected in zip(leaves(ops.compile(run)(xs)), leaves(run(xs)), strict=True):
        np.testing.assert_array_equal(ops.to_numpy(found), ops.to_numpy(expected))
