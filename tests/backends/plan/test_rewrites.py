from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from backends.plan.graph import StepGraph, record
from backends.plan.rewrites import delay, fold_scales, share_intervals
from tests.conftest import make_backend


def recorded(step: Any) -> StepGraph:
    """The graph of a step on two square matrices and a number, which returns what it computes."""
    ops = make_backend("numpy", "float64")
    state = (ops.matrix([[1, 2], [3, 4]]), ops.matrix([[5, 6], [7, 8]]))
    return record(ops, lambda ops, state, c: (state, step(ops, *state, c)), state, (), (np.asarray(0.5),))


@pytest.mark.parametrize(
    ("step", "names"),
    [
        (lambda ops, X, Y, c: (X + c * Y,), ["add"]),
        (lambda ops, X, Y, c: (c * X + Y,), ["add"]),
        (lambda ops, X, Y, c: (2 * X - c * Y,), ["scale", "subtract"]),
        (lambda ops, X, Y, c: (c * X - Y,), ["scale", "subtract"]),
        (lambda ops, X, Y, c: (X - c * Y, c * Y), ["scale", "subtract"]),
        (lambda ops, X, Y, c: (X - c * Y, Y + c * Y), ["scale", "subtract", "add"]),
        (lambda ops, X, Y, c: (c * X + c * X,), ["scale", "add"]),
    ],
)
def test_a_scaled_summand_is_folded_where_nothing_else_needs_it(step: Any, names: list[str]) -> None:
    graph = recorded(step)
    before = [node.name for node in graph.nodes() if node.operands]
    fold_scales(graph, lambda node: False)
    assert [node.name for node in graph.nodes() if node.operands] == before
    fold_scales(graph, lambda node: True)
    assert [node.name for node in graph.nodes() if node.operands] == names
    folded = [node for node in graph.nodes() if len(node.arguments) == 3]
    assert len(folded) == (len(before) > len(names))


def test_the_number_of_a_folded_summand_is_its_own() -> None:
    graph = recorded(lambda ops, X, Y, c: (2 * X - c * Y, 3 * Y + X))
    X, Y = graph.state
    fold_scales(graph, lambda node: True)
    difference, total = graph.outputs
    assert difference.arguments[1:] == (Y, graph.given[0])
    assert total.arguments == (X, Y, 3)


def test_a_product_is_computed_just_before_its_only_reader() -> None:
    def step(ops: Any, X: Any, Y: Any, c: Any) -> Any:
        P, Q, R, S = X @ Y, Y @ X, X @ X, Y @ Y
        return ops.exp(X), c * P, Q, ops.columns_sum(R), S - X, S + Y

    graph = recorded(step)
    delay(graph, lambda node: node.name == "matmul")
    names = [node.name for node in graph.nodes() if node.operands]
    assert names == ["matmul", "matmul", "matmul", "exp", "matmul", "scale", "columns_sum", "subtract", "add"]


def test_intervals_are_found_once_for_a_matrix_and_a_grid() -> None:
    s, other = (0.0, 2.5), (1.0, 2.0)

    def step(ops: Any, X: Any, Y: Any, c: Any) -> Any:
        T = ops.full(3, 3, 2) + ops.row_repeat(ops.columns_sum(Y), 3)
        t = ops.column_repeat(ops.rows_sum(T), 2)
        values = [ops.step_function(X, s, T), ops.step_function(X, s, t), ops.step_function(X, other, T), ops.step_function(Y, s, T)]
        return *values, ops.interval_sums(Y, X, s), ops.interval_sums(X, X, other)

    graph = recorded(step)
    assert Counter(node.name for node in graph.nodes())["step_function"] == 4
    share_intervals(graph, {"column_repeat"})
    found = Counter(node.name for node in graph.nodes())
    assert (found["cell_index"], found["values_at"], found["sums_at"], found["contiguous"]) == (3, 4, 2, 1)
    assert found["step_function"] == found["interval_sums"] == 0
    nodes = graph.nodes()
    assert all(nodes.index(operand) < nodes.index(node) for node in nodes for operand in node.operands)
