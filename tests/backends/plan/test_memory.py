from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from backends.plan.graph import CONSTANT, LEAF, StepGraph, StepNode, record
from backends.plan.memory import PACK, Buffer, Layout, StateMemory, allocate, offsets
from backends.plan.numpy_kernels import NumpyKernels
from backends.plan.packing import packed
from backends.plan.runs import runs
from tests.backends.plan.test_graph import recorded
from tests.conftest import make_backend


def allocated(graph: StepGraph, budget: int = NumpyKernels.block) -> Layout:
    return allocate(graph, runs(graph, NumpyKernels.views, budget), NumpyKernels.views, NumpyKernels.elementwise)


def test_parts_lie_side_by_side_each_on_a_cache_line() -> None:
    assert offsets([(3, 4), (1, 16), (2, 9)]) == ([0, 16, 32], 64)


def test_the_new_state_is_computed_where_the_old_one_was() -> None:
    graph = packed(recorded("ReLU;ReLU;Linear", [4, 5, 5, 3]))
    layout = allocated(graph)
    assert layout.copies == []
    assert [layout.place[node] for node in graph.new_state] == [layout.place[leaf] for leaf in graph.state]
    assert all(isinstance(layout.place[node], StateMemory) for node in graph.new_state)


def test_no_two_values_that_live_at_once_share_memory() -> None:
    """Except an elementwise result and the operand of its shape that it replaces."""
    graph = packed(recorded("ReLU;BatchNormalization;SReLU;Linear", [4, 6, 6, 3]))
    layout = allocated(graph)
    nodes = [node for run in layout.runs for node in run.nodes]
    last = {}
    for i, node in enumerate(nodes):
        for operand in node.operands:
            last[layout.root[operand]] = i
    for result in graph.results:
        last[layout.root.get(result, result)] = len(nodes)
    writer: dict[object, object] = {}
    shared = 0
    for i, node in enumerate(nodes):
        if node.name in (LEAF, CONSTANT, PACK, *NumpyKernels.views) or node in layout.inside:
            continue
        place = layout.place[node]
        before = writer.get(place)
        if before is not None:
            replaced = last[before] == i and node.name in NumpyKernels.elementwise and before in node.operands
            assert last[before] < i or replaced, (before, node)
            shared += 1
        writer[place] = node
    assert shared > 10
    assert len({place for place in layout.place.values() if isinstance(place, Buffer)}) < len(nodes) / 2


def in_blocks(step: Any, *shapes: tuple[int, int]) -> tuple[StepGraph, Layout]:
    """The packed graph of a step on matrices and some numbers of rows, and its layout when all that can goes in blocks of one row."""
    ops = make_backend("numpy", "float64")
    state = tuple(ops.matrix(np.random.default_rng(0).normal(size=shape)) for shape in shapes)
    graph = record(ops, step, state, (), (np.arange(shapes[0][0]),))
    NumpyKernels(ops).rewrite(graph)
    graph = packed(graph)
    return graph, allocated(graph, 1)


@pytest.fixture
def no_least(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backends.plan.runs.LEAST", 1)


def names_of(layout: Layout) -> list[list[str]]:
    return [[node.name for node in run.nodes] for run in layout.runs if run.block is not None]


def find(layout: Layout, name: str) -> StepNode:
    return next(node for run in layout.runs for node in run.nodes if node.name == name)


def test_what_a_run_reads_as_a_whole_is_not_overwritten_by_its_last_operation(no_least: None) -> None:
    def step(ops: Any, state: Any, order: Any) -> Any:
        P = state[0] @ state[1]
        return state, (P - ops.exp(ops.transpose(P)),)

    graph, layout = in_blocks(step, (6, 6), (6, 6))
    assert names_of(layout) == [["exp", "subtract"]]
    assert layout.place[graph.outputs[0]] is not layout.place[find(layout, "matmul")]


def test_a_sum_is_not_put_where_its_run_still_reads(no_least: None) -> None:
    def step(ops: Any, state: Any, order: Any) -> Any:
        Z = ops.tanh(state[0] @ state[1])
        return state, (ops.interval_sums(ops.exp(Z), Z, (0.0, 0.5, 1.0, 1.5, 2.0)),)

    graph, layout = in_blocks(step, (6, 6), (6, 6))
    assert names_of(layout) == [["tanh", "exp", "cell_index", "sums_at"]]
    assert layout.place[graph.outputs[0]] is not layout.place[find(layout, "matmul")]


def test_parameters_side_by_side_are_not_put_where_a_run_still_reads(no_least: None) -> None:
    def step(ops: Any, state: Any, order: Any) -> Any:
        V, W, A, B = state
        total = ops.elements_sum(ops.tanh(A @ B) + ops.take_rows(A, order))
        return (V - ops.take_rows(W, order), W - ops.take_rows(V, order), A, B), (total,)

    _, layout = in_blocks(step, (8, 2), (8, 2), (8, 4), (4, 4))
    assert names_of(layout)[0] == ["tanh", "take_rows", "add", "rows_sum", "columns_sum", "take_rows", "take_rows"]
    assert layout.place[find(layout, PACK)] is not layout.place[find(layout, "matmul")]
