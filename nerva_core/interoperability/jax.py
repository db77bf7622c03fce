"""JAX: any layer as a ``jax.custom_vjp`` function whose backward pass is the layer's own, any rule as an optax transformation."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend, require
from nerva_core.algebra.trees import Tree, leaves, map_tree, with_leaves
from nerva_core.equations.optimizers import Optimizer
from nerva_core.interoperability.common import (
    as_rule,
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

if TYPE_CHECKING:
    from nerva_core.training.models import Model


def function(layer: Layer | str, positions: tuple[int, ...] | None = None) -> Callable[..., Any]:
    """f(params, X, *noise) = Y, differentiable by ``jax.grad`` and ``jax.vjp``; the gradients are those of ``backpropagate``.

    X may have leading axes before (N, D), which count as rows. With ``positions=(32, 32)`` it is N x 32 x 32 x C, images with the channels
    last, and with ``positions=(64,)`` sequences. Given ``state=``, f returns (Y, the state after this step). It may be compiled with
    ``jax.jit`` and mapped with ``jax.vmap``; forward-mode differentiation is refused, as of every ``custom_vjp``.
    """
    at = on_positions(layer, positions)
    chosen, run = at.layer, _differentiable(at.layer)

    def f(params: Tree, X: Any, *noise: Tree, state: Tree = None) -> Any:
        check_parameters(chosen, X, params)
        check_trainable(chosen, X.shape)
        Y, cache = run(params, at.rows(X), given(chosen, state, noise))
        Y = Y.reshape(at.shape_after(X.shape, Y.shape[-1]))
        return Y if state is None else (Y, chosen.update_state(_operations(X), state, cache.tree))

    return f


def init(
    layer: Layer | str, inputs: int, *, seed: int = 0, dtype: str = "float32", positions: tuple[int, ...] | None = None
) -> tuple[Any, Any]:
    """(params, state), pytrees of JAX arrays, drawn by NumPy from the seed."""
    ops = operations("jax", dtype)
    params, state = initial(on_positions(layer, positions).layer, inputs, seed)
    return ops.matrices(params), ops.matrices(state)


def draw(layer: Layer | str, key: Any, X: Any, *, evaluation: bool = False, positions: tuple[int, ...] | None = None) -> Any:
    """The noise of one step for the input X, drawn by NumPy from the key, also under ``jit``: ``f(params, X, *draw(layer, key, X))``."""
    jax = require("jax", "jax")
    chosen, N, D = on_positions(layer, positions).layer, int(np.prod(X.shape[:-1])), X.shape[-1]
    template = noise_of(chosen, N, D, np.random.default_rng(0), evaluation)
    shapes = tuple(jax.ShapeDtypeStruct(R.shape, X.dtype) for R in leaves(template))
    if not shapes:
        return ()
    words = jax.random.key_data(key) if jax.numpy.issubdtype(key.dtype, jax.dtypes.prng_key) else key

    def drawn(words: Any) -> tuple[Any, ...]:
        noise = noise_of(chosen, N, D, np.random.default_rng(np.asarray(words).ravel().astype(np.uint32)), evaluation)
        return tuple(np.asarray(R, dtype=X.dtype) for R in leaves(noise))

    return with_leaves(template, jax.pure_callback(drawn, shapes, words, vmap_method="sequential"))


def evaluate(layer: Layer | str, params: Tree, state: Tree, X: Any, *noise: Tree, positions: tuple[int, ...] | None = None) -> Any:
    """The output at inference; JAX differentiates it by itself."""
    at = on_positions(layer, positions)
    Y = at.layer.evaluate(_operations(X), params, state, at.rows(X), *noise)
    return Y.reshape(at.shape_after(X.shape, Y.shape[-1]))


def to_jax(model: Model, dtype: str = "float32") -> tuple[Any, Callable[[Any, Any], Any]]:
    """A trained network as (params, apply): a pytree, and a function apply(params, X) with the outputs of ``model.predict``."""
    ops = operations("jax", dtype)
    params, state = ops.matrices(model.params), ops.matrices(model.state)
    scaling = () if model.encoding.shift is None else tuple(map(ops.matrix, (*model.encoding.offsets(), model.encoding.spread)))

    def apply(params: Tree, X: Any) -> Any:
        if scaling:
            shift, rest, spread = scaling
            X = (X - shift - rest) / spread
        return evaluate(model.network, params, state, X)

    return params, apply


class RuleState(NamedTuple):
    """The number of steps done, and the rule's state of every parameter."""

    count: Any
    states: Tree


def gradient_transformation(rule: Optimizer | str, learning_rate: float | Callable[[Any], Any]) -> Any:
    """An ``optax.GradientTransformation`` for the update rule; its updates are θ' - θ, and it needs ``params`` in ``update``.

    ``learning_rate`` is η, or an optax schedule: a function of the number of steps done. A parameter that is no matrix counts as one: a
    vector as a row, a tensor of more axes with all but the first joined.
    """
    jax, optax, chosen = require("jax", "jax"), require("optax", "optax"), as_rule(rule)

    def start(params: Tree) -> RuleState:
        states = tuple(chosen.init(_operations(p), _matrix(p)) for p in jax.tree.leaves(params))
        return RuleState(jax.numpy.zeros([], dtype="int32"), states)

    def update(gradients: Tree, state: RuleState, params: Tree = None) -> tuple[Any, RuleState]:
        if params is None:
            raise NervaError("the update rule needs the parameters: call update(gradients, state, params)")
        if len(jax.tree.leaves(gradients)) != len(state.states) or len(jax.tree.leaves(params)) != len(state.states):
            counts = len(jax.tree.leaves(gradients)), len(jax.tree.leaves(params)), len(state.states)
            raise NervaError(
                "gradients, parameters and state must belong together, got {} gradients, {} parameters and {} states".format(*counts)
            )
        eta = learning_rate(state.count) if callable(learning_rate) else learning_rate
        scalars = step_scalars(chosen, eta, state.count + 1)
        thetas, structure = jax.tree.flatten(params)
        matrices, slopes = ([_matrix(leaf) for leaf in tree] for tree in (thetas, jax.tree.leaves(gradients)))
        results = {}
        for dtype in {theta.dtype for theta in thetas}:  # a rule may look at all parameters, so each dtype is a run of the rule on all
            numbers = [c.astype(dtype) if hasattr(c, "astype") else np.asarray(c, dtype) for c in scalars]
            results[dtype] = chosen.step(operations("jax", str(dtype)), state.states, matrices, slopes, *numbers)
        new, states = ([results[theta.dtype][part][i] for i, theta in enumerate(thetas)] for part in (0, 1))
        updates = [(n - m).reshape(theta.shape) for n, m, theta in zip(new, matrices, thetas, strict=True)]
        return jax.tree.unflatten(structure, updates), RuleState(state.count + 1, tuple(states))

    return optax.GradientTransformation(start, update)


def step_scalars(rule: Optimizer, eta: Any, t: Any) -> tuple[Any, ...]:
    """The numbers of step t, η among them, in float64 also where float64 is switched off: 1 - βᵗ would cancel."""
    jax = require("jax", "jax")
    wide = jax.enable_x64 if hasattr(jax, "enable_x64") else require("jax.experimental", "jax").enable_x64  # before JAX 0.8
    with wide(True):
        given: list[Any] = [c if isinstance(c, (int, float)) else jax.lax.convert_element_type(c, "float64") for c in (eta, t)]
        return rule.scalars(*given)


def _operations(X: Any) -> Backend:
    return operations("jax", str(X.dtype))


def _matrix(parameter: Any) -> Any:
    rows = parameter.shape[0] if parameter.ndim > 1 else 1
    return parameter.reshape(rows, math.prod(parameter.shape[1:]) if parameter.ndim > 1 else parameter.size)


@functools.cache
def _kept() -> Any:
    """The class of caches for JAX: a pytree of the matrices, in which the sizes stay numbers."""
    jax = require("jax", "jax")

    @jax.tree_util.register_pytree_node_class
    class Kept:
        def __init__(self, tree: Tree) -> None:
            self.tree = tree

        def tree_flatten(self) -> Any:
            return matrices_of(self.tree), hollow(self.tree)

        @classmethod
        def tree_unflatten(cls, template: Tree, matrices: Any) -> Any:
            return cls(fill_in(template, matrices))

    return Kept


@functools.cache
def _differentiable(layer: Layer) -> Any:
    """(params, X, noise) -> (Y, cache), where the cotangents of the cache are not used."""
    jax, kept = require("jax", "jax"), _kept()

    @jax.custom_vjp
    def run(params: Tree, X: Any, noise: Tree) -> Any:
        Y, cache = layer.feedforward(_operations(X), params, X, *noise)
        return Y, kept(cache)

    def forward(params: Tree, X: Any, noise: Tree) -> Any:
        Y, cache = layer.feedforward(_operations(X), params, X, *noise)  # not run: second derivatives go through the cache
        return (Y, kept(cache)), (params, kept(cache), noise)

    def backward(residuals: Any, cotangents: Any) -> Any:
        params, cache, noise = residuals
        DX, gradients = layer.backpropagate(_operations(cotangents[0]), params, cache.tree, cotangents[0])
        return fill_in(hollow(params), leaves(gradients)), DX, map_tree(jax.numpy.zeros_like, noise)

    run.defvjp(forward, backward)
    return run
