"""The graph of a step of PyTorch, rewritten, and what it then computes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from backends.plan import torch_kernels
from backends.plan.graph import StepGraph, record
from backends.plan.torch_rewrites import add_biases, join_masks, keep_bias_gradients, match, normalized_inputs, share_maxima
from nerva_core.algebra.trees import leaves
from nerva_core.layers import Layer, Sequential, parse_layers
from tests.conftest import make_backend

torch = pytest.importorskip("torch")

POSITIONS = (4, 4)


def step_of(network: Layer) -> Any:
    """A step on (parameters, X, DY), which gives Y, DX and the gradients in their place."""

    def step(ops: Any, state: Any, given: Any) -> Any:
        params, X, DY, _ = state
        Y, cache = network.feedforward(ops, params, X)
        DX, gradients = network.backpropagate(ops, params, cache, DY)
        return (gradients, DX, DY, Y), (ops.elements_sum(Y),)

    return step


def network_and_state(rng: np.random.Generator, text: list[str], dtype: str = "float64") -> tuple[Sequential, Any, Any]:
    ops, C, N = make_backend("torch", dtype), 3, 2
    bound, _ = parse_layers(text).bind(POSITIONS)
    assert isinstance(bound, Sequential)
    X = rng.normal(size=(N * 16, C))
    params = tuple(tuple(ops.matrix(p) for p in leaves(layer.init(rng, C))) for layer in bound.layers)
    params = tuple(type(layer.shapes(C))(*given) if given else () for layer, given in zip(bound.layers, params, strict=True))
    DY = rng.normal(size=(bound.rows_for(N * 16), C))
    return bound, ops, (params, ops.matrix(X), ops.matrix(DY), ops.matrix(np.zeros_like(DY)))


def graph_of(rng: np.random.Generator, text: list[str]) -> StepGraph:
    network, ops, state = network_and_state(rng, text)
    return record(ops, step_of(network), state, (), (np.asarray(0.5),))


def names(graph: StepGraph) -> list[str]:
    return [node.name for node in graph.nodes()]


def test_a_pattern_says_which_values_are_the_same(rng: np.random.Generator) -> None:
    (product,) = (
        node for node in graph_of(rng, ["BatchNormalization"]).nodes() if node.name == "hadamard" and len(set(node.operands)) == 1
    )
    found: dict[str, Any] = {}
    assert match(("hadamard", "R", "R"), product, found)
    assert found == {"R": product.operands[0]}
    assert not match(("hadamard", "R", ("negate", "R")), product, {})
    assert not match(("hadamard", "R"), product, {})


def test_the_gradient_of_batch_normalization_is_one_operation_where_it_is_chosen(rng: np.random.Generator) -> None:
    graph = graph_of(rng, ["BatchNormalization", "ReLU", "BatchNormalization"])
    normalized_inputs(graph, lambda node: False)
    assert "normalized_inputs" not in names(graph)
    before = len(names(graph))
    normalized_inputs(graph, lambda node: True)
    assert names(graph).count("normalized_inputs") == 2
    assert len(names(graph)) < before


def test_a_kernel_keeps_what_it_also_computes(rng: np.random.Generator) -> None:
    """The sums that are Dγ and Dβ, and that which is Db."""
    graph = graph_of(rng, ["Convolution(3, 3)", "BatchNormalization"])
    sums = names(graph).count("columns_sum")
    normalized_inputs(graph, lambda node: True)
    keep_bias_gradients(graph)
    assert names(graph).count("kept_of") == 3
    assert names(graph).count("columns_sum") == sums - 5  # those of DZ and Z ⊙ DZ, too


def test_what_is_kept_is_not_read_before(rng: np.random.Generator) -> None:
    network, ops, (_, X, _, _) = network_and_state(rng, ["Convolution(3, 3)"])
    G = network.layers[0].windows  # type: ignore[attr-defined]

    def step(ops: Any, state: Any, given: Any) -> Any:
        X, DY, *_ = state
        Db = ops.columns_sum(DY)
        return (ops.hadamard(X, ops.row_repeat(Db, ops.shape(X)[0])), DY, ops.convolve_weights(X, DY, G), Db), (ops.elements_sum(Db),)

    state = X, X[:8], ops.matrix(np.zeros((27, 3))), ops.matrix(np.zeros((1, 3)))
    graph = record(ops, step, state, (), (np.asarray(0.5),))
    keep_bias_gradients(graph)
    assert "kept_of" not in names(graph)


def test_biases_and_masks_are_part_of_what_they_stand_in(rng: np.random.Generator) -> None:
    graph = graph_of(rng, ["Convolution(3, 3)", "ReLU", "Tanh", "ReLU"])
    add_biases(graph)
    join_masks(graph)
    found = names(graph)
    assert (found.count("where_not_negative"), found.count("less_equal"), found.count("add")) == (2, 0, 0)


def test_places_are_shared_by_passes_over_the_same_windows(rng: np.random.Generator) -> None:
    graph = graph_of(rng, ["MaxPool", "MaxPool"])
    share_maxima(graph)
    pairs = [node.arguments[-1] for node in graph.nodes() if node.name in ("pool_max_keeping", "pool_max_inputs_at")]
    assert [pairs.index(places) for places in pairs] == [0, 1, 1, 0]
    assert "pool_max_inputs" not in names(graph)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kernel", [True, False])
def test_the_kernels_give_what_the_operations_give(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch, dtype: str, kernel: bool
) -> None:
    """One step; where PyTorch has no kernel for a max-pool, its definition is run."""
    monkeypatch.setattr(torch_kernels, "LARGE", 0)
    network, ops, (params, X, DY, Y) = network_and_state(
        rng, ["BatchNormalization", "Convolution(3, 3, padding=1)", "ReLU", "MaxPool", "BatchNormalization(epsilon=0.1)"], dtype
    )
    if not kernel:
        for name in ("max_pool", "convolution"):
            monkeypatch.setattr(torch_kernels, name, lambda torch, X, G: None)
    params = tuple(type(p)(*(theta + 0.1 * k for k, theta in enumerate(p, 1))) if p else () for p in params)
    results = []
    for run in (ops.run_plainly, ops.run_steps):
        state = (tuple(type(p)(*map(torch.clone, p)) if p else () for p in params), X.clone(), DY.clone(), Y.clone())
        state, _ = run(step_of(network), state, (), (np.full(1, 0.5),))
        results.append([ops.to_numpy(matrix) for matrix in leaves(state)])
    for planned, plain in zip(*reversed(results), strict=True):
        np.testing.assert_allclose(planned, plain, rtol=0, atol=32 * np.finfo(dtype).eps * max(1, np.abs(plain).max()))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_zero_is_not_negative_and_the_largest_negative_number_is(dtype: str) -> None:
    ops = make_backend("torch", dtype)
    below = -np.finfo(dtype).smallest_subnormal
    X = np.array([[0.0, -0.0, below, -below, -1.0, np.inf, -np.inf]], dtype)
    Y, out = ops.matrix(np.arange(1.0, 8.0)[None]), ops.matrix(np.zeros_like(X))
    for call in torch_kernels.TorchKernels(ops).calls("where_not_negative", (Y, torch.from_numpy(X)), out):
        call()
    assert ops.to_numpy(out).tolist() == [[1, 2, 0, 4, 0, 6, 0]]
