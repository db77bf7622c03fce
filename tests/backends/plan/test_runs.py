"""What goes block by block gives what the plain equations give: every layer, and what would go wrong if a block read too little."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from backends.plan import program
from backends.plan.graph import POINTWISE, StepGraph, record
from backends.plan.program import Kernels
from backends.plan.rewrites import BY_CELL_INDEX
from backends.plan.runs import BY_ROWS, SUMS, OperationRun, runs
from nerva_core.algebra.trees import leaves
from nerva_core.equations.losses import SquaredError
from nerva_core.equations.optimizers import Momentum
from nerva_core.interpreters.traced import OPERATIONS
from nerva_core.layers import LAYERS, Layer, Linear, Sequential
from tests.backends.plan import test_planned as planned
from tests.conftest import make_backend
from tests.helpers import examples

N = 6
POINTS = (0.0, 0.5, 1.0, 1.5, 2.0)
"""Of a grid with N intervals."""


@pytest.fixture(autouse=True)
def no_least(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the matrices here are small."""
    monkeypatch.setattr("backends.plan.runs.LEAST", 1)


@pytest.fixture(params=[8, 30])
def small_blocks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[OperationRun]:
    """Blocks of one row and of a few; the runs that are in blocks."""
    found: list[OperationRun] = []

    def noted(*arguments: Any) -> list[OperationRun]:
        result = runs(*arguments)
        found.extend(run for run in result if run.block is not None)
        return result

    monkeypatch.setattr(Kernels, "block", request.param)
    monkeypatch.setattr(program, "runs", noted)
    return found


def grouped(step: Any, budget: int = 8, **options: Any) -> tuple[list[list[str]], list[OperationRun]]:
    """The names of the operations of each run of a step on two square matrices, which returns what it computes; and the runs."""
    ops = make_backend("numpy", "float64")
    state = tuple(ops.matrix(np.random.default_rng(k).normal(size=(N, N))) for k in range(2))
    graph = record(ops, lambda ops, state: step(ops, *state), state, (), ())
    result = runs(graph, Kernels.views, budget, **options)
    return [[node.name for node in run.nodes] for run in result], result


def keep(step: Any) -> Any:
    """A step that returns these outputs and the state as it was."""
    return lambda ops, X, Y: ((X, Y), step(ops, X, Y))


def test_the_names_are_those_of_operations() -> None:
    assert set(BY_ROWS) | set(SUMS) <= {*OPERATIONS, "take_rows", *BY_CELL_INDEX}
    assert POINTWISE.isdisjoint({*BY_ROWS, *SUMS})
    assert set(BY_ROWS).isdisjoint(SUMS)


@pytest.mark.parametrize("name", planned.PLANNED)
@pytest.mark.parametrize("layer", examples(LAYERS), ids=repr)
def test_every_layer_in_blocks(name: str, layer: Layer, small_blocks: list[OperationRun]) -> None:
    network = Sequential((Linear(3), layer, Linear(3)))
    planned.assert_same(planned.Run(name, network, SquaredError(), Momentum(), batch=17), ulps=64)
    assert small_blocks


@pytest.mark.parametrize("name", planned.PLANNED)
@pytest.mark.parametrize("seed", range(12))
def test_random_networks_in_blocks(name: str, seed: int, small_blocks: list[OperationRun]) -> None:
    """Square shapes and sizes that coincide, where memory that is shared wrongly shows."""
    planned.assert_same(planned.random_run(name, seed, optimizer=Momentum(), batch=planned.N), ulps=256)
    assert small_blocks


def test_a_value_that_only_its_run_reads_is_local() -> None:
    names, found = grouped(keep(lambda ops, X, Y: (Y, ops.columns_sum(ops.hadamard(ops.exp(X), Y)))))
    assert names == [["exp", "hadamard", "columns_sum"]]
    assert {node.name for node in found[0].local} == {"exp", "hadamard"}


def test_a_value_that_is_repeated_along_its_rows_is_local_and_one_that_is_a_result_is_not() -> None:
    names, found = grouped(keep(lambda ops, X, Y: (E := ops.exp(X), E - ops.column_repeat(ops.rows_sum(E), N))))
    assert names == [["exp", "rows_sum", "subtract"]]
    assert {node.name for node in found[0].local} == {"rows_sum"}


@pytest.mark.parametrize(
    "reader",
    [
        lambda ops, X, Y, E, order: E + ops.transpose(E),
        lambda ops, X, Y, E, order: E + ops.row_repeat(ops.columns_sum(E), N),
        lambda ops, X, Y, E, order: ops.exp(E @ E),
        lambda ops, X, Y, E, order: ops.tanh(ops.take_rows(E, order) + E),
        lambda ops, X, Y, E, order: ops.step_function(E, POINTS, E),
        lambda ops, X, Y, E, order: ops.interval_sums(X, E, POINTS) + ops.interval_sums(Y, E, POINTS) - Y,
        lambda ops, X, Y, E, order: ops.tanh(E) + ops.matrix(np.arange(N * N).reshape(N, N)),
        lambda ops, X, Y, E, order: ops.row_repeat(one_row(ops, ops.reshape(E, 1, N * N)), N),
    ],
)
def test_what_is_read_as_a_whole_is_there_as_a_whole(reader: Any, small_blocks: list[OperationRun]) -> None:
    def step(ops: Any, state: Any, scale: Any, order: Any) -> Any:
        X, Y = state
        E = ops.exp(ops.scale(scale, X))
        Z = reader(ops, X, Y, E, order)
        return (Z - ops.exp(Z - Y), E - Z), (ops.elements_sum(Z),)

    assert_planned_as_plain(step)
    assert small_blocks


@pytest.mark.parametrize(
    "update",
    [
        lambda ops, X, Y, order: (ops.take_rows(X, order) + Y, Y + ops.exp(Y)),
        lambda ops, X, Y, order: (ops.exp(X) + ops.transpose(X), Y + X),
        lambda ops, X, Y, order: (ops.exp(Y), ops.exp(ops.transpose(X) - Y)),
        lambda ops, X, Y, order: (
            ops.exp(Y) - ops.row_repeat(ops.columns_sum(ops.exp(X)), N),
            ops.row_repeat(ops.columns_sum(ops.exp(Y)), N) - X,
        ),
    ],
)
def test_an_old_state_is_not_overwritten_while_it_is_read(update: Any, small_blocks: list[OperationRun]) -> None:
    def step(ops: Any, state: Any, scale: Any, order: Any) -> Any:
        X, Y = (ops.scale(scale, X) for X in update(ops, *state, order))
        return (X, Y), (ops.elements_sum(X),)

    assert_planned_as_plain(step)
    assert small_blocks


def assert_planned_as_plain(step: Any) -> None:
    ops, found = make_backend("numpy", "float64"), []
    for run in (ops.run_steps, ops.run_plainly):
        rng = np.random.default_rng(3)
        state = tuple(ops.matrix(rng.normal(size=(N, N)) / 10) for _ in range(2))
        orders = np.array([rng.permutation(N) for _ in range(3)])
        state, outputs = run(step, state, (), (np.array([0.1, 0.2, 0.3]), orders))
        found.append([outputs, *(np.array(ops.to_numpy(leaf)) for leaf in leaves(state))])
    for ours, plain in zip(*found, strict=True):
        np.testing.assert_allclose(ours, plain, rtol=1e-13)


def one_row(ops: Any, x: Any) -> Any:
    """Of a row with as many elements as a run in blocks has: some that depend on all of them."""
    y = ops.tanh(x)
    z = ops.shift_columns(y, 1) + ops.column_repeat(ops.rows_sum(y), N * N)
    return ops.take_columns(ops.tanh(z) - y, range(N))


def test_what_has_to_do_with_nothing_of_a_run_does_not_join_it() -> None:
    names, _ = grouped(keep(lambda ops, X, Y: (ops.exp(X), ops.exp(Y), ops.tanh(X), ops.tanh(Y))))
    assert names == [["exp"], ["exp"], ["tanh"], ["tanh"]]
    names, _ = grouped(keep(lambda ops, X, Y: (ops.exp(X) + ops.exp(Y),)))
    assert names == [["exp", "exp", "add"]], "what they are for brings them together"


def test_a_product_that_a_run_does_not_need_waits_and_one_that_is_read_where_it_was_made_comes_before() -> None:
    def step(ops: Any, X: Any, Y: Any) -> Any:
        E = ops.exp(X)
        P = X @ Y
        return ops.tanh(E), P + E

    assert grouped(keep(step))[0] == [["exp", "tanh"], ["matmul"], ["add"]]
    alone = {"alone": lambda node: node.name == "matmul"}
    assert grouped(keep(step), **alone)[0] == [["matmul"], ["exp", "tanh", "add"]]
    assert grouped(keep(lambda ops, X, Y: (ops.exp(X) @ Y,)), **alone)[0] == [["exp"], ["matmul"]]


def test_a_new_state_does_not_pass_what_still_reads_the_old_one() -> None:
    names, _ = grouped(lambda ops, X, Y: ((X - (E := ops.exp(X)), Y), (X @ X, E)))
    assert names == [["exp", "subtract"], ["matmul"]], "in the order of the equations the update comes before"
    names, _ = grouped(lambda ops, X, Y: (E := ops.exp(X), P := X @ X, (X - E, Y), (P, E))[2:])
    assert names == [["exp"], ["matmul"], ["subtract"]]


def test_small_matrices_go_at_once_in_the_order_of_the_equations() -> None:
    names, found = grouped(keep(lambda ops, X, Y: (ops.exp(X), ops.exp(X) @ Y, ops.tanh(X))), budget=10_000)
    assert names == [["exp"], ["matmul"], ["tanh"]]
    assert all(run.block is None for run in found)


def test_a_block_has_the_elements_that_are_in_use_at_a_time_and_at_least_the_least(monkeypatch: pytest.MonkeyPatch) -> None:
    ops = make_backend("numpy", "float64")

    def graph(rows: int) -> StepGraph:
        state = (ops.matrix(np.ones((rows, 4))),)

        def step(ops: Any, state: Any) -> Any:
            (X,) = state
            for _ in range(9):
                X = ops.tanh(X)
            return state, (X,)

        return record(ops, step, state, (), ())

    monkeypatch.setattr("backends.plan.runs.LEAST", 1)
    (run,) = runs(graph(100), Kernels.views, 64)
    assert run.block == 8, "of a tangent and its argument there are 8 elements a row"
    assert [block.stop - block.start for block in run.blocks()] == [8] * 12 + [4]
    monkeypatch.setattr("backends.plan.runs.LEAST", 80)
    assert runs(graph(100), Kernels.views, 64)[0].block == 20
    assert runs(graph(39), Kernels.views, 64)[0].block is None, "less than two of them"
