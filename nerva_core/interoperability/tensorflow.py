"""TensorFlow: any layer as a ``tf.custom_gradient`` function whose backward pass is the layer's own."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend, require
from nerva_core.algebra.trees import Tree, leaves, map_shapes, map_tree, with_leaves
from nerva_core.interoperability.common import (
    OnPositions,
    check_parameters,
    check_trainable,
    fill_in,
    given,
    hollow,
    initial,
    matrices_of,
    noise_of,
    on_positions,
    operations,
)
from nerva_core.layers import Layer


def function(layer: Layer | str, positions: tuple[int, ...] | None = None) -> Callable[..., Any]:
    """f(params, X, *noise) = Y, differentiable by ``tf.GradientTape``; the gradients are those of ``backpropagate``.

    ``params`` may be variables. X may have leading axes before (N, D), which count as rows, and an unknown number of rows. With
    ``positions=(32, 32)`` it is N x 32 x 32 x C, images with the channels last, and with ``positions=(64,)`` sequences. Given ``state=``,
    f returns (Y, the state after this step). It may be compiled with ``tf.function``.
    """
    tf, at = _tf(), on_positions(layer, positions)
    chosen = at.layer

    def f(params: Tree, X: Any, *noise: Tree, state: Tree = None) -> Any:
        X = _tensor(X)
        at.check(X.shape)
        check_parameters(chosen, X, params)
        check_trainable(chosen, X.shape)
        ops, noise = _operations(X), given(chosen, state, noise)
        structure, caches = hollow((params, noise)), []

        @tf.custom_gradient
        def run(X: Any, *matrices: Any) -> Any:
            params, noise = fill_in(structure, matrices)
            Y, cache = chosen.feedforward(ops, params, X, *noise)
            caches.append(hollow(cache))

            def backward(DY: Any, *_: Any) -> Any:
                DX, gradients = chosen.backpropagate(ops, params, cache, DY)
                return (DX, *leaves(gradients), *map_tree(tf.zeros_like, tuple(leaves(noise))))

            return (tf.identity(Y), *matrices_of(cache)), backward

        tensors = [tf.convert_to_tensor(matrix) for matrix in leaves((params, noise))]
        Y, *cache = run(_matrix(X), *tensors)
        Y = _like_rows_of(X, Y, at)
        return Y if state is None else (Y, chosen.update_state(ops, state, fill_in(caches[-1], cache)))

    unconverted: Callable[..., Any] = tf.autograph.experimental.do_not_convert(f)
    return unconverted


def init(
    layer: Layer | str, inputs: int, *, seed: int = 0, dtype: str = "float32", positions: tuple[int, ...] | None = None
) -> tuple[Any, Any]:
    """(params, state): trees of variables, drawn by NumPy from the seed."""
    tf, ops = _tf(), operations("tensorflow", dtype)
    params, state = (ops.matrices(tree) for tree in initial(on_positions(layer, positions).layer, inputs, seed))
    return map_tree(tf.Variable, params), map_tree(lambda matrix: tf.Variable(matrix, trainable=False), state)


def draw(layer: Layer | str, seed: Any, X: Any, *, evaluation: bool = False, positions: tuple[int, ...] | None = None) -> Any:
    """The noise of one step for the input X, drawn by NumPy, also in ``tf.function``: ``f(params, X, *draw(layer, seed, X))``.

    ``seed`` is a tensor of integers that differs from step to step, such as that of ``tf.random.Generator.make_seeds``.
    """
    tf, at = _tf(), on_positions(layer, positions)
    return tf.autograph.experimental.do_not_convert(_draw)(tf, at, seed, _tensor(X), evaluation)


def _draw(tf: Any, at: OnPositions, seed: Any, X: Any, evaluation: bool) -> Any:
    at.check(X.shape)
    chosen, D, rows = at.layer, X.shape[-1], X.shape[:-1].num_elements()
    template = noise_of(chosen, rows or math.prod(at.before), D, np.random.default_rng(0), evaluation)
    count = sum(1 for _ in leaves(template))
    if count == 0:
        return ()

    def drawn(seed: Any, N: Any) -> list[Any]:
        rng = np.random.default_rng(np.asarray(seed).ravel().astype(np.uint32))
        return [np.asarray(R, dtype=X.dtype.as_numpy_dtype) for R in leaves(noise_of(chosen, int(N), D, rng, evaluation))]

    found = tf.numpy_function(drawn, [seed, tf.size(X) // D], [X.dtype] * count)
    matrices = found if isinstance(found, (list, tuple)) else [found]  # one result comes without its list
    P = math.prod(at.before)
    counts = (rows, rows) if rows is not None else (P, 2 * P)  # what differs for one example and for two is not known
    for matrix, first, second in zip(matrices, *(_noise_shapes(chosen, N, D) for N in counts), strict=True):
        matrix.set_shape([n if n == m else None for n, m in zip(first, second, strict=True)])
    return with_leaves(template, matrices)


def _noise_shapes(layer: Layer, N: int, D: int) -> list[tuple[int, int]]:
    shapes: list[tuple[int, int]] = []
    map_shapes(shapes.append, layer.noise_shapes(N, D))
    return shapes


def evaluate(layer: Layer | str, params: Tree, state: Tree, X: Any, *noise: Tree, positions: tuple[int, ...] | None = None) -> Any:
    """The output at inference; TensorFlow differentiates it by itself."""
    tf, X, at = _tf(), _tensor(X), on_positions(layer, positions)
    at.check(X.shape)
    check_parameters(at.layer, X, params)
    params, state = map_tree(tf.convert_to_tensor, (params, state))
    run = tf.autograph.experimental.do_not_convert(at.layer.evaluate)
    return _like_rows_of(X, run(_operations(X), params, state, _matrix(X), *noise), at)


@functools.cache
def _tf() -> Any:
    return require("tensorflow", "tensorflow")  # behind a cache, where AutoGraph does not look


def _tensor(X: Any) -> Any:
    """X as a tensor; NervaError where TensorFlow does not run eagerly, as after ``disable_eager_execution``, outside of functions."""
    tf = _tf()
    if not tf.executing_eagerly() and not tf.compat.v1.executing_eagerly_outside_functions():
        raise NervaError("layers are for TensorFlow 2, but eager execution is disabled; leave out tf.compat.v1.disable_eager_execution()")
    return tf.convert_to_tensor(X)


def _operations(X: Any) -> Backend:
    return operations("tensorflow", X.dtype.name)


def _matrix(X: Any) -> Any:
    return X if X.shape.rank == 2 else _tf().reshape(X, [-1, X.shape[-1]])


def _like_rows_of(X: Any, Y: Any, at: OnPositions) -> Any:
    tf = _tf()
    if X.shape.rank == 2:
        return Y
    leading, K = X.shape.rank - 1 - len(at.before), at.layer.outputs_for(X.shape[-1])  # in a graph Y may not tell its columns
    return tf.reshape(Y, tf.concat([tf.shape(X)[:leading], at.shape_after(X.shape, K)[leading:]], 0))
