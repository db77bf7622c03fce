"""What holds for every layer in the table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend, backend
from nerva_core.layers import LAYERS, BatchNormalization, Concatenate, Layer, Linear, Sequential
from tests.helpers import assert_trees_equal, elements_made, examples, takes, to_ops, tree_map
from tests.layers.check import random_parameters, run

EXAMPLES = examples(LAYERS)
each_layer = pytest.mark.parametrize("layer", EXAMPLES, ids=repr)


def given(layer: Layer, rng: np.random.Generator, N: int, D: int) -> Any:
    """What ``feedforward`` takes after X: a pattern, and noise."""
    return layer.given(layer.initial_state(D), layer.draw(rng, N, D))


@each_layer
def test_initial_values_have_the_stated_shapes(layer: Layer, rng: np.random.Generator) -> None:
    for D in (1, 4):
        params = layer.init(rng, D)
        assert_trees_equal(tree_map(np.shape, params), layer.shapes(D))
        assert all(a.dtype == np.float64 for a in to_list(params))


def to_list(tree: Any) -> list[Any]:
    return [a for item in tree for a in to_list(item)] if isinstance(tree, tuple) else [tree]


@each_layer
def test_initial_values_are_reproducible(layer: Layer) -> None:
    first, again = (layer.init(np.random.default_rng(3), 4) for _ in range(2))
    assert_trees_equal(first, again)


@each_layer
def test_noise_has_the_stated_shapes(layer: Layer, rng: np.random.Generator) -> None:
    noise = layer.draw(rng, 5, 4)
    assert_trees_equal(tree_map(np.shape, noise), layer.noise_shapes(5, 4))


@each_layer
def test_shapes_dtype_and_purity(layer: Layer, ops_of_dtype: Backend, rng: np.random.Generator) -> None:
    """Y, DX and the gradients have the shapes of the equations, in the backend's dtype; the inputs are unchanged."""
    ops = ops_of_dtype
    for N, D in ((4, 3), (1, 1)):
        if D == 1 and not takes(layer, D):
            continue
        K = layer.outputs_for(D)
        params = random_parameters(rng, layer, D)
        arrays = run(ops, layer, rng.normal(size=(N, D)), params, rng.normal(size=(N, K)), given(layer, rng, N, D))
        assert [a.dtype.name for a in to_list(arrays)] == [ops.dtype] * len(to_list(arrays))


@each_layer
def test_a_call_is_a_function_of_its_arguments(layer: Layer, rng: np.random.Generator, ops: Backend) -> None:
    X, params, DY = rng.normal(size=(4, 3)), random_parameters(rng, layer, 3), rng.normal(size=(4, layer.outputs_for(3)))
    noise = given(layer, rng, 4, 3)
    assert_trees_equal(run(ops, layer, X, params, DY, noise), run(ops, layer, X, params, DY, noise))


@each_layer
def test_the_state_keeps_its_type_and_shapes(layer: Layer, ops: Backend, rng: np.random.Generator) -> None:
    params, state = to_ops(ops, layer.init(rng, 3)), to_ops(ops, layer.initial_state(3))
    X, noise = ops.matrix(rng.normal(size=(4, 3))), to_ops(ops, given(layer, rng, 4, 3))
    Y, cache = layer.feedforward(ops, params, X, *noise)
    new = layer.update_state(ops, state, cache)
    assert_trees_equal(tree_map(ops.shape, new), tree_map(ops.shape, state))
    assert ops.shape(layer.evaluate(ops, params, state, X)) == ops.shape(Y)


@each_layer
def test_the_cost_is_linear_in_the_number_of_examples(layer: Layer, rng: np.random.Generator) -> None:
    """No matrix is larger than the batch or the weights, and doubling N at most doubles the elements that are made."""
    D = 3
    K = layer.outputs_for(D)
    params = random_parameters(rng, layer, D)

    def sizes(N: int) -> list[int]:
        X, DY, noise = rng.normal(size=(N, D)), rng.normal(size=(N, K)), given(layer, rng, N, D)
        return elements_made(lambda ops: run(ops, layer, X, params, DY, noise))

    small, large, larger = sizes(200), sizes(400), sizes(600)
    assert len(small) > 4
    assert max(large) <= 400 * max(D, K)
    assert sum(larger) - sum(large) == sum(large) - sum(small)


def test_the_cost_test_sees_a_quadratic_matrix() -> None:
    sizes = elements_made(lambda ops: ops.rows_sum(ops.matrix(np.ones((50, 2))) @ ops.transpose(ops.matrix(np.ones((50, 2))))))
    assert max(sizes) == 50 * 50


def test_a_sequence_has_the_shapes_of_its_layers() -> None:
    layers = [
        layer for layer in EXAMPLES if isinstance(layer, Layer) and not isinstance(layer, Concatenate)
    ]  # DAB's example is for 3 columns
    network = Sequential((Linear(3), *layers))
    widths = network.widths(5)
    assert network.shapes(5) == tuple(layer.shapes(D) for layer, D in zip(network.layers, widths, strict=False))


@pytest.mark.parametrize("layer", [Linear(4), BatchNormalization(), Sequential((Linear(4), BatchNormalization()))], ids=repr)
def test_inputs_of_another_width_are_refused(layer: Layer) -> None:
    ops = backend("numpy", "float64")
    params = ops.matrices(layer.init(np.random.default_rng(0), 3))
    with pytest.raises(NervaError, match="the parameters are for inputs with 3 columns, got 5 columns"):
        layer.feedforward(ops, params, np.ones((2, 5)))
    with pytest.raises(NervaError, match=r"every value is a matrix, but this one has the shape \(3,\)"):
        layer.feedforward(ops, params, np.ones(3))
