"""One verb that checks a layer: values and gradients against three frameworks, shapes, types and purity."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from nerva_core.algebra.numeric_backend import Backend
from nerva_core.algebra.trees import leaves, map_shapes
from nerva_core.layers import Layer
from tests.autodiff import Forward, oracles
from tests.helpers import Tree, as_one, assert_trees_equal, to_numpy, to_ops, tree_map

Array = np.ndarray[Any, Any]
TOLERANCE = 1e-10


def random_parameters(rng: np.random.Generator, layer: Layer, D: int) -> Tree:
    return map_shapes(lambda shape: rng.normal(size=shape), layer.shapes(D))


def check_layer(
    ops: Backend,
    layer: Layer,
    forwards: dict[str, Forward],
    X: Array,
    params: Tree,
    noise: tuple[Any, ...] = (),
    seed: int = 0,
) -> None:
    """Y, DX and the gradients of every parameter for a random DY; ``forwards`` take X and then the leaves of the parameters."""
    N, D = X.shape
    DY = np.random.default_rng(seed).normal(size=(layer.rows_for(N), layer.outputs_for(D)))
    Y, DX, gradients = run(ops, layer, X, params, DY, noise)
    assert_trees_equal(tree_map(np.shape, gradients), layer.shapes(D))
    for framework, (expected_Y, expected) in oracles(forwards, [X, *leaves(params)], DY, ops.name).items():
        for name, actual, exact in zip(names(params), [Y, DX, *leaves(gradients)], [expected_Y, *expected], strict=True):
            scale = max(1.0, np.abs(exact).max())
            np.testing.assert_allclose(
                actual / scale, exact / scale, rtol=0, atol=TOLERANCE, err_msg=f"{name} of {layer}, {ops.name} and autodiff of {framework}"
            )


def is_quick(ops: Backend) -> bool:
    """Whether the backend compiles nothing for each new shape."""
    return ops.name in ("numpy", "torch")


def sample(ops: Backend, cases: list[Any]) -> list[Any]:
    """All cases; where each shape is compiled anew, some."""
    return cases if is_quick(ops) else cases[::15]


def check_whole_numbers(ops: Backend, layer: Layer, positions: tuple[int, ...], forward: Forward, C: int = 4) -> None:
    """Y, DX and the gradients on whole numbers, where nothing is rounded, equal those of torch's autograd bit for bit; two examples."""
    bound, _ = layer.bind(positions)
    rng = np.random.default_rng(7)
    X = rng.integers(-9, 10, (2 * int(np.prod(positions)), C)).astype(float)
    params = map_shapes(lambda shape: rng.integers(-9, 10, shape).astype(float), bound.shapes(C))
    DY = rng.integers(-9, 10, (bound.rows_for(len(X)), bound.outputs_for(C))).astype(float)
    Y, DX, gradients = run(ops, bound, X, params, DY)
    ((expected_Y, expected),) = oracles({"torch": forward}, [X, *leaves(params)], DY).values()
    for actual, exact in zip([Y, DX, *leaves(gradients)], [expected_Y, *expected], strict=True):
        np.testing.assert_array_equal(actual, exact)


def names(params: Tree) -> list[str]:
    return ["Y", "DX", *(f"gradient {i}" for i, _ in enumerate(leaves(params)))]


def run(ops: Backend, layer: Layer, X: Array, params: Tree, DY: Array, noise: tuple[Any, ...] = ()) -> tuple[Array, Array, Tree]:
    """(Y, DX, gradients) as NumPy arrays; the inputs must be unchanged, the gradients of the parameters' type."""
    given = (X, params, DY, noise)
    x, p, dy, r = inputs = to_ops(ops, given)
    Y, DX, gradients = both_passes(ops, layer)(p, x, dy, r)
    assert_trees_equal(to_numpy(ops, inputs), tree_map(lambda a: a.astype(ops.dtype), given))
    Y, DX, gradients = to_numpy(ops, (Y, DX, gradients))
    assert Y.shape == DY.shape
    assert DX.shape == X.shape
    assert_trees_equal(gradients, tree_map(np.copy, gradients))
    assert type(gradients) is type(params)
    return Y, DX, gradients


@functools.cache
def both_passes(ops: Backend, layer: Layer) -> Callable[..., Any]:
    """(Y, DX, gradients) of (params, X, DY, noise)."""

    def passes(params: Tree, X: Any, DY: Any, noise: Any) -> Any:
        Y, cache = layer.feedforward(ops, params, X, *noise)
        return (Y, *layer.backpropagate(ops, params, cache, DY))

    return as_one(ops, passes)


def library(name: str) -> Any:
    """The array functions of a framework, which have the names of NumPy's."""
    if name == "torch":
        import torch

        return torch
    if name == "jax":
        import jax

        return jax.numpy
    import tensorflow as tf

    return tf
