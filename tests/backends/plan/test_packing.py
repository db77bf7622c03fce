from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

from backends.plan.graph import record
from backends.plan.memory import PACK
from backends.plan.packing import packed
from nerva_core.equations.gradient_activations import NormClipping
from nerva_core.equations.losses import SquaredError
from nerva_core.equations.optimizers import GAF, Momentum
from nerva_core.layers import multilayer_perceptron
from tests.backends.plan.test_graph import operations, recorded
from tests.backends.plan.test_planned import Run
from tests.conftest import make_backend


def test_the_update_of_all_parameters_is_that_of_one_row() -> None:
    """Momentum: two scalings, a difference and a sum, whatever the number of parameters."""
    for layers, sizes in (("ReLU;Linear", [4, 5, 3]), ("ReLU;ReLU;ReLU;Linear", [4, 5, 5, 5, 3])):
        plain = recorded(layers, sizes)
        graph = packed(plain)
        parameters = 2 * (len(sizes) - 1)
        assert len(plain.state) == 2 * parameters
        assert len(graph.state) == 2
        assert operations(plain)["scale"] - operations(graph)["scale"] == 2 * (parameters - 1)
        assert operations(graph)[PACK] == 1
        assert sorted(graph.segments) == list(range(len(plain.state)))


def test_what_is_not_elementwise_in_an_update_is_not_packed() -> None:
    run = Run("numpy", multilayer_perceptron("ReLU;Linear", [4, 5, 3]), SquaredError(), GAF(Momentum(), NormClipping()), record=False)
    graph = record(run.ops, run.step, run.state(), run.data, run.first())
    assert packed(graph) is graph


def test_a_sum_of_hundreds_of_terms_is_computed() -> None:
    ops = make_backend("numpy", "float64")

    def step(ops: Any, state: Any, X: Any) -> Any:
        sums = [functools.reduce(ops.add, [k * X for k in range(700)]) for _ in state]
        return (sums[0], ops.hadamard(sums[0], sums[1])), (ops.elements_sum(X),)

    (total, square), _ = ops.run_steps(step, (ops.zeros(1, 2), ops.zeros(1, 2)), (), (np.ones((1, 1, 2)),))
    np.testing.assert_array_equal(total, [[244650, 244650]])
    np.testing.assert_array_equal(square, [[244650**2, 244650**2]])


@pytest.mark.parametrize("name", ["numpy", "torch"])
def test_two_parameters_may_have_one_gradient(name: str) -> None:
    """The gradient is one value, which lies in one place: parameters beside one another are not updated by what is beside it."""
    ops = make_backend(name, "float64")

    def step(ops: Any, state: Any, X: Any, eta: Any) -> Any:
        b, c = state
        D = ops.columns_sum(X + ops.row_repeat(b + c, 3))
        return (b - eta * D, c - eta * D), (ops.elements_sum(D),)

    def state() -> Any:
        return ops.matrix([[1.0, 2.0]]), ops.matrix([[3.0, -1.0]])

    data, inputs = (ops.matrix([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]),), (np.full(4, 0.1),)
    planned, values = ops.run_steps(step, state(), data, inputs)
    plain, expected = ops.run_plainly(step, state(), data, inputs)
    np.testing.assert_allclose(values, expected, rtol=1e-12)
    for found, right in zip(planned, plain, strict=True):
        np.testing.assert_allclose(ops.to_numpy(found), ops.to_numpy(right), rtol=1e-12)
