"""What holds for every layer whose rows are positions of examples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.numeric_backend import Backend
from nerva_core.algebra.trees import leaves, with_leaves
from nerva_core.equations.losses import SquaredError
from nerva_core.interpreters.examples import ExampleSizes
from nerva_core.layers import Layer
from tests.backends.plan.test_planned import PLANNED
from tests.conftest import make_backend
from tests.helpers import assert_trees_equal, positional_examples, to_numpy, to_ops
from tests.layers.check import random_parameters, run

SIZES = ExampleSizes()
each_layer = pytest.mark.parametrize("layer", positional_examples(), ids=repr)


def drawn(layer: Layer, examples: int = 5, seed: int = 1) -> tuple[Any, ...]:
    """(X, params, noise, DY), random."""
    rng = np.random.default_rng(seed)
    rows, D = layer.shape_of_input(ExampleSizes(examples))
    DY = rng.normal(size=(layer.rows_for(rows), layer.outputs_for(D)))
    return rng.normal(size=(rows, D)), random_parameters(rng, layer, D), layer.draw(rng, rows, D), DY


@each_layer
def test_shapes_dtype_and_purity(layer: Layer, ops_of_dtype: Backend) -> None:
    X, params, noise, DY = drawn(layer)
    run(ops_of_dtype, layer, X, params, DY, noise)


@each_layer
def test_examples_do_not_know_of_each_other_unless_statistics_say_so(layer: Layer) -> None:
    """The gradient of two examples is what each of them gives alone, and those of parameters are sums."""
    ops = make_backend("numpy", "float64")
    X, params, noise, DY = drawn(layer, examples=2)
    if any(True for _ in noise):
        return
    both = run(ops, layer, X, params, DY)
    n, m = len(X) // 2, len(DY) // 2
    each = [run(ops, layer, X[k * n : (k + 1) * n], params, DY[k * m : (k + 1) * m]) for k in (0, 1)]
    np.testing.assert_allclose(both[0], np.concatenate([each[0][0], each[1][0]]), atol=1e-12)
    np.testing.assert_allclose(both[1], np.concatenate([each[0][1], each[1][1]]), atol=1e-12)


@pytest.mark.parametrize("name", PLANNED)
@each_layer
def test_plans_give_what_the_equations_give(name: str, layer: Layer) -> None:
    ops = make_backend(name, "float64")
    X, params, noise, DY = drawn(layer)
    T = np.zeros_like(DY)
    loss = SquaredError()

    def step(ops: Any, params: Any, X: Any, T: Any, eta: Any) -> Any:
        Y, cache = layer.feedforward(ops, params[0], X)
        DX, gradients = layer.backpropagate(ops, params[0], cache, loss.gradient(ops, Y, T))
        new = [ops.subtract(p, ops.scale(eta, g)) for p, g in zip(leaves(params[0]), leaves(gradients), strict=True)]
        return (with_leaves(params[0], new), DX), (loss.value(ops, Y, T),)

    if any(True for _ in noise):
        return
    state = (ops.matrices(params), ops.matrix(np.zeros_like(X)))
    inputs = (np.full(3, 0.01),)
    data = (ops.matrix(X), ops.matrix(T))
    planned, losses = ops.run_steps(step, to_ops(ops, (params, np.zeros_like(X))), data, inputs)
    plain, expected = ops.run_plainly(step, state, data, inputs)
    np.testing.assert_allclose(losses, expected, rtol=1e-12)
    assert_trees_equal(to_numpy(ops, planned), to_numpy(ops, plain), rtol=1e-12, atol=1e-12)


@each_layer
def test_a_layer_is_compiled_for_an_unknown_number_of_examples(layer: Layer) -> None:
    tf = pytest.importorskip("tensorflow")
    ops: Any = make_backend("tensorflow", "float64")
    X, params, noise, DY = drawn(layer)
    params, noise = to_ops(ops, params), to_ops(ops, noise)

    def gradients(X: Any, DY: Any) -> Any:
        Y, cache = layer.feedforward(ops, params, X, *noise)
        return Y, layer.backpropagate(ops, params, cache, DY)

    spec = [tf.TensorSpec([None, matrix.shape[1]], tf.float64) for matrix in (X, DY)]
    compiled = tf.function(gradients, input_signature=spec, autograph=False)
    x, dy = ops.matrix(X), ops.matrix(DY)
    assert_trees_equal(to_numpy(ops, compiled(x, dy)), to_numpy(ops, gradients(x, dy)), rtol=1e-12, atol=1e-12)
