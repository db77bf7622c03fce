from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from backends.plan.graph import Graph, record
from backends.plan.rewrites import delay, fold_scales
from tests.conftest import make_backend


def recorded(step: Any) -> Graph:
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
