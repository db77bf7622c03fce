from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.matrix_ops import MatrixOps
from nerva_core.algebra.trees import leaves
from tests.conftest import make_backend

pytest.importorskip("tensorflow")


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("length", [1, 2, 5])
def test_a_loop_that_is_compiled_gives_what_the_definition_gives(length: int, reverse: bool) -> None:
    """Also where the number of rows is left open."""
    ops: Any = make_backend("tensorflow", "float64")
    rng = np.random.default_rng(0)

    def body(state: Any, x: Any, y: Any) -> Any:
        H, C = state
        return (ops.hadamard(H, x) + y, C - H), (H, ops.columns_sum(C))

    def run(H: Any, X: Any, Y: Any) -> Any:
        return ops.scan(body, (H, 0.5 * H), (X, Y), length, reverse)

    compiled = ops.compile(run)
    for rows in (3, 4, 5):
        given = [ops.matrix(rng.normal(size=(rows, 2))), *(ops.tf.constant(rng.normal(size=(length, rows, 2))) for _ in range(2))]
        expected = MatrixOps.scan(ops, body, (given[0], 0.5 * given[0]), tuple(given[1:]), length, reverse)
        for found, value in zip(leaves(compiled(*given)), leaves(expected), strict=True):
            np.testing.assert_allclose(found, value, rtol=1e-13)


def test_the_number_of_steps_may_be_left_open() -> None:
    ops: Any = make_backend("tensorflow", "float64")

    def run(X: Any) -> Any:
        return ops.scan(lambda state, x: ((2.0 * state[0] + x,), (state[0],)), (ops.ones(1, 1),), (X,), ops.members(X))

    compiled = ops.tf.function(run, input_signature=[ops.tf.TensorSpec([None, 1, 1], ops.tf.float64)], autograph=False)
    for length in (1, 2, 4):
        X = ops.tf.constant(np.arange(1.0, 1.0 + length).reshape(length, 1, 1))
        for found, value in zip(leaves(compiled(X)), leaves(run(X)), strict=True):
            np.testing.assert_array_equal(found, value)


def test_outside_of_a_compiled_step_there_is_no_loop() -> None:
    ops: Any = make_backend("tensorflow", "float64")
    calls = []

    def body(state: Any, x: Any) -> Any:
        calls.append(x)
        return (state[0] + x,), (x,)

    ops.scan(body, (ops.zeros(1, 1),), (ops.family(*(ops.ones(1, 1) for _ in range(4))),), 4)
    assert len(calls) == 4
