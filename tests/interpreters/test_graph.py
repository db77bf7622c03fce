"""Every layer and activation at inference as a graph, and from it as ONNX and as Python files, against ``evaluate`` in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.trees import map_shapes, map_tree
from nerva_core.equations.activations import ACTIVATIONS
from nerva_core.interoperability.onnx import to_onnx
from nerva_core.interoperability.source import python_source
from nerva_core.interpreters.graph import ELEMENTWISE, Graph, GraphOps, N, Node, graph_of
from nerva_core.interpreters.traced import Traced
from nerva_core.layers import (
    LAYERS,
    ActivationLayer,
    BatchNormalization,
    Convolution,
    Flatten,
    Images,
    Layer,
    Linear,
    MaxPool,
    Sequential,
    Softmax,
)
from tests.conftest import load_frameworks, make_backend
from tests.helpers import examples

D = 3
NETWORK = Sequential((Linear(4), BatchNormalization(), Softmax()))
IMAGES = Sequential((Images(3, 1), Convolution(4, kernel=2, padding=1), MaxPool(2, stride=1), Flatten(), Linear(2)))
GROUPS = Sequential((Images(3, 1), Convolution(4, kernel=1), Convolution(6, kernel=2, padding=1, groups=2), Flatten(), Linear(2)))
CASES: list[Layer] = [*examples(LAYERS), *map(ActivationLayer, examples(ACTIVATIONS)), NETWORK, IMAGES, GROUPS]
each_layer = pytest.mark.parametrize("layer", CASES, ids=repr)


def case(layer: Layer) -> tuple[Any, Any, Any]:
    """(graph, X, Y) with random parameters and statistics; X has large and small elements."""
    rng, ops = np.random.default_rng(0), make_backend("numpy", "float64")
    params = map_shapes(lambda shape: rng.normal(size=shape), layer.shapes(D))
    state = map_tree(lambda matrix: rng.uniform(0.5, 2, size=np.shape(matrix)), layer.initial_state(D))
    X = np.concatenate([2 * rng.normal(size=(5, D)), [[-100.0, 0.0, 100.0]]])
    return graph_of(layer, D, params, state), X, ops.to_numpy(layer.evaluate(ops, params, state, X))


def assert_close(actual: Any, expected: Any, units: float) -> None:
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, rtol=0, atol=units * max(1, np.abs(expected).max()))


@each_layer
def test_onnx(layer: Layer) -> None:
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    graph, X, Y = case(layer)
    session = runtime.InferenceSession(to_onnx(graph).SerializeToString())
    for rows in (6, 1):
        (actual,) = session.run(["Y"], {"X": X[-rows:].astype("float32")})
        assert_close(actual, Y[-rows:], 1e-6)


@each_layer
def test_a_python_file_for_torch(layer: Layer) -> None:
    torch = pytest.importorskip("torch")
    graph, X, Y = case(layer)
    namespace: dict[str, Any] = {"__file__": "model.py"}
    exec(compile(python_source(graph, "torch"), "model.py", "exec"), namespace)
    model = namespace["Model"]().double()
    model.load_state_dict({name: torch.tensor(array) for name, array in graph.parameters.items()})
    assert_close(model(torch.tensor(X)).detach().numpy(), Y, 1e-13)


@each_layer
def test_a_python_file_for_jax(layer: Layer) -> None:
    jax = pytest.importorskip("jax")
    load_frameworks()
    graph, X, Y = case(layer)
    namespace: dict[str, Any] = {"__file__": "model.py"}
    exec(compile(python_source(graph, "jax"), "model.py", "exec"), namespace)
    assert_close(np.asarray(jax.jit(namespace["apply"])(graph.parameters, X)), Y, 1e-13)


def test_the_inputs_are_scaled() -> None:
    graph = graph_of(Linear(1), 2, *([(np.ones((1, 2)), np.zeros((1, 1))), ()]), shifts=[np.array([1.0, 2.0])], spread=np.array([2.0, 4.0]))
    namespace: dict[str, Any] = {"__file__": "model.py"}
    exec(compile(python_source(graph, "jax"), "model.py", "exec"), namespace)
    np.testing.assert_allclose(namespace["apply"](graph.parameters, np.array([[3.0, 10.0]])), [[3.0]])


def test_a_row_stays_a_row_until_all_of_it_is_needed() -> None:
    graph, _, _ = case(Linear(2))
    assert [node.op for node in graph.nodes()].count("spread") == 0
    ops = GraphOps()
    ones = ops.full(1, 4, 3)
    assert ops.columns_sum(ones).value.op == "multiply"
    assert ops.matmul(ones, ops.identity(3)).value.operands[0].op == "spread"


def test_a_matrix_of_the_size_of_the_batch_is_refused() -> None:
    class Wide(Linear):
        def evaluate(self, ops: Any, params: Any, state: Any, X: Any, *noise: Any) -> Any:
            return ops.identity(ops.shape(X)[0]) @ X

    with pytest.raises(NervaError, match="depends on the number of rows"):
        graph_of(Wide(2), D, (), ())


def test_a_primitive_without_a_form_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(ELEMENTWISE, "exp")
    ops = GraphOps()
    with pytest.raises(NervaError, match="the operation 'exp' has no form in a graph yet"):
        ops.exp(Traced(ops, Node("input", (), (2, 2))))


def test_rearrangement() -> None:
    """Operations that are no matter of a layer's equations yet, in all three formats."""
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("torch")
    ops, X = GraphOps(), np.random.default_rng(0).normal(size=(4, 3))
    node = Node("input", (), (N, 3))
    taken = ops._take_columns(node, [2, 0, 2])
    joined = ops._join_columns(ops._sort_rows(taken), ops._row_repeat(ops._constant([[1, 2]]), N))
    halved = ops._divide(ops._scale(N, joined), 2 * N)
    graph = Graph(Linear(1), 3, ops._reshape(ops._reshape(halved, 5, N), N, 5), {})
    expected = 0.5 * np.concatenate([np.sort(X[:, [2, 0, 2]], axis=1), np.tile([1.0, 2.0], (4, 1))], axis=1)
    (actual,) = runtime.InferenceSession(to_onnx(graph).SerializeToString()).run(["Y"], {"X": X.astype("float32")})
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-6)
    for framework, make in (("torch", "Model()(torch.tensor(X)).numpy()"), ("jax", "apply({}, xp.asarray(X))")):
        namespace: dict[str, Any] = {"__file__": "model.py", "X": X}
        exec(compile(python_source(graph, framework) + f"\nY = {make}\n", "model.py", "exec"), namespace)
        np.testing.assert_allclose(namespace["Y"], expected, rtol=0, atol=1e-12)
