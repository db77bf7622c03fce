from __future__ import annotations

import numpy as np

from nerva_core.equations.losses import SquaredError
from nerva_core.equations.optimizers import Adam
from nerva_core.layers import multilayer_perceptron
from tests.backends.plan.test_planned import Run
from tests.conftest import make_backend


def test_a_step_makes_no_matrix(monkeypatch) -> None:
    """What is known to the kernels runs into memory that is there: no operation of the backend is called again."""
    run = Run("numpy", multilayer_perceptron("ReLU;ReLU;Linear", [4, 5, 5, 3]), SquaredError(), Adam(), record=False)
    state, _ = run.ops.run_steps(run.step, run.state(), run.data, run.given(slice(0, 1)))
    for name in (
        "add",
        "matmul",
        "hadamard",
        "scale",
        "maximum",
        "less_equal",
        "columns_sum",
        "rows_sum",
        "take_rows",
        "sqrt",
        "reciprocal",
    ):
        monkeypatch.setattr(type(run.ops), name, None)
    new, _ = run.ops.run_steps(run.step, state, run.data, run.given(slice(1, None)))
    assert new.params[0].W is state.params[0].W


def test_numbers_change_from_step_to_step_and_so_does_what_is_computed_from_them() -> None:
    ops = make_backend("numpy", "float64")

    def step(ops, state, c):
        (x,) = state
        return ((1 - c / 2) * x,), (x,)

    _, outputs = ops.run_steps(step, (ops.matrix([[1.0]]),), (), (np.array([1.0, 0.5, 0.5, 1.0]),))
    np.testing.assert_array_equal(outputs.ravel(), [1, 0.5, 0.375, 0.28125])
