"""Recording: equal operations are one, what nothing needs is not there, numbers are computed from step to step."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from backends.plan.graph import CONSTANT, LEAF, MADE_POINTWISE, POINTWISE, Builder, StepGraph, StepNode, StepNumber, record
from nerva_core.algebra.errors import NervaError
from nerva_core.equations.optimizers import Momentum
from nerva_core.interpreters.traced import OPERATIONS
from nerva_core.layers import multilayer_perceptron
from tests.backends.plan.test_planned import Run as _Run
from tests.backends.plan.test_planned import SquaredError
from tests.conftest import make_backend


def recorded(layers: str, sizes: list[int]) -> StepGraph:
    run = _Run("numpy", multilayer_perceptron(layers, sizes), SquaredError(), Momentum(), record=False)
    return record(run.ops, run.step, run.state(), run.data, run.first())


def operations(graph: StepGraph) -> Counter[str]:
    return Counter(node.name for node in graph.nodes() if node.name not in (LEAF, CONSTANT))


def test_the_gradient_of_the_networks_input_is_not_computed() -> None:
    """Two products a layer and one more for the DX of every layer but the first."""
    assert operations(recorded("ReLU;ReLU;Linear", [4, 5, 5, 3]))["matmul"] == 3 + 3 + 2


def test_an_expression_that_is_written_twice_is_computed_once() -> None:
    ops = make_backend("numpy", "float64")

    def step(ops: Any, state: Any, X: Any) -> Any:
        return state, (ops.elements_sum(ops.exp(X) + ops.exp(X)),)

    graph = record(ops, step, (), (), (np.ones((2, 2)),))
    assert operations(graph)["exp"] == 1


def test_zeros_of_different_sign_are_different_constants() -> None:
    builder = Builder(make_backend("numpy", "float64"))
    assert builder.node("full", 0.0, 1, 1) is not builder.node("full", -0.0, 1, 1)
    assert builder.node("full", 0.0, 1, 1) is builder.node("full", 0.0, 1, 1)
    assert builder.uniform(builder.node("full", 2.0, 2, 3)) == 2.0
    assert builder.uniform(builder.node("identity", 2)) is None


def test_numbers_know_how_they_are_computed_but_not_what_they_are() -> None:
    eta = StepNumber({}, None, (), 0.5)
    expression = 1 - eta / 2 + 3 * eta**2 - (-eta)
    assert expression.value == 1 - 0.25 + 0.75 + 0.5
    assert (eta / 2) is (eta / 2)
    for ask in (bool, float, int, lambda n: n < 1, lambda n: n >= 1):
        with pytest.raises(NervaError, match="has no value while the step is recorded"):
            ask(eta)


def test_the_pointwise_operations_are_operations() -> None:
    assert set(OPERATIONS) >= POINTWISE - MADE_POINTWISE


def test_nodes_are_put_just_before_and_after_others() -> None:
    first, second, third, before, earlier, after, last = (StepNode(LEAF, (), np.zeros((1, 1))) for _ in range(7))
    before.run_before(second)
    earlier.run_before(before)
    after.run_after(first, second)
    last.run_after(after)
    assert sorted([last, after, third, second, before, earlier, first], key=lambda node: node.order) == [
        first,
        earlier,
        before,
        second,
        after,
        last,
        third,
    ]
