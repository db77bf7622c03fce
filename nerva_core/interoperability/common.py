"""Helpers that the modules of all frameworks share."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from nerva_core.algebra.errors import NervaError, counted
from nerva_core.algebra.numeric_backend import Backend, backend
from nerva_core.algebra.trees import Tree, leaves, map_shapes, map_tree, named_leaves
from nerva_core.equations.optimizers import OPTIMIZERS, Optimizer
from nerva_core.layers import LAYERS, BatchNormalization, Layer, Sequential, parse_layers


def as_layer(layer: Layer | str) -> Layer:
    """A layer, given as such or by its text: ``"q-elu(lambda=0.02)"``, ``"BatchNormalization"``; with ``;`` between them, several.

    A list of layers and a table are read as those of a configuration are.
    """
    if isinstance(layer, (list, tuple)):
        return parse_layers(list(layer))
    if not isinstance(layer, str):
        return LAYERS.parse(layer)
    network = parse_layers(layer.strip(" ;").split(";"))
    return network if len(network.layers) > 1 else network.layers[0]


@dataclass(frozen=True)
class OnPositions:
    """A layer, and how the arrays of a framework are rows of ours: the axes before the channels are positions, those before examples."""

    layer: Layer
    before: tuple[int, ...] = ()
    """The positions of an example, one axis each; () where each row is given as such."""
    after: tuple[int, ...] = ()
    """What the layer leaves of them."""

    def check(self, shape: Any) -> None:
        """NervaError unless an array of that shape, the channels last, has these positions."""
        axes = len(self.before)
        if axes and tuple(shape[-1 - axes : -1]) != self.before:
            raise NervaError(f"X must have the axes (..., {', '.join(map(str, self.before))}, channels), got the shape {tuple(shape)}")

    def rows(self, X: Any) -> Any:
        """X with the channels last, as a matrix."""
        self.check(X.shape)
        return X.reshape(-1, X.shape[-1])

    def shape_after(self, shape: Any, K: int) -> tuple[Any, ...]:
        """The shape of the output with K columns for an input of that shape, the channels last."""
        return (*shape[: len(shape) - 1 - len(self.before)], *self.after, K)


def on_positions(layer: Layer | str, positions: tuple[int, ...] | None = None) -> OnPositions:
    """The layer for arrays whose last axes before the channels are a grid of these positions; for rows without them."""
    chosen = as_layer(layer)
    if not positions:
        return OnPositions(chosen)
    bound, left = chosen.bind(tuple(positions))
    return OnPositions(bound, tuple(positions), left or ())


def as_rule(rule: Optimizer | str) -> Optimizer:
    """An update rule, given as such or by its text: ``"GAF(Momentum(0.9), arctan)"``."""
    return OPTIMIZERS.parse(rule)


@functools.cache
def operations(framework: str, dtype: str, device: str = "cpu") -> Backend:
    """The matrix operations for arrays of this dtype on this device; NervaError if they are neither float32 nor float64."""
    if dtype in ("float16", "bfloat16"):
        raise NervaError(f"equations run in float32 or float64, got {dtype}; convert the arrays, and the result back")
    return backend(framework, dtype, device)


def initial(layer: Layer, inputs: int, seed: int) -> tuple[Any, Any]:
    """(params, state) as NumPy matrices in float64, drawn from the seed."""
    if isinstance(inputs, bool) or not isinstance(inputs, (int, np.integer)) or inputs < 1:
        raise NervaError(f"inputs must be the number of columns of X, a positive integer, got {inputs!r}")
    if seed < 0:
        raise NervaError(f"seed must be >= 0, got {seed}")
    return layer.init(np.random.default_rng(seed), inputs), layer.first_state(np.random.default_rng([seed, 1]), inputs)


def given(layer: Layer, state: Tree, noise: Tree) -> Any:
    """What ``feedforward`` is given after X: without a state, the noise as it is. NervaError where it needs a pattern and has none."""
    if state is None and layer.has_pattern() and not noise:
        raise NervaError(f"{type(layer).__name__} has a pattern, which is in its state: call f(params, X, state=state)")
    return noise if state is None else layer.given(state, noise)


def check_columns(layer: Layer, inputs: int, X: Any) -> None:
    """NervaError unless an input has rows with the number of columns for which the layer was made."""
    shape = getattr(X, "shape", None)
    if not shape:
        raise NervaError(f"X must be an array with rows of {inputs} numbers, got {X if shape is None else 'an array without axes'!r}")
    if shape[-1] != inputs:
        raise NervaError(f"{type(layer).__name__} was made for {counted(inputs, 'input')}, but X has {counted(shape[-1], 'column')}")


def check_trainable(layer: Layer, shape: Any) -> None:
    """NervaError for a batch of one row in training where the layer normalises batches; a size that is not known passes."""
    rows = list(shape[:-1])
    if (
        all(isinstance(n, int) for n in rows)
        and math.prod(rows) == 1
        and any(isinstance(part, BatchNormalization) for part in Sequential((layer,)).walk())
    ):
        raise NervaError(
            f"BatchNormalization needs at least two rows in training, as the variance of one is 0; got X of shape {tuple(shape)}: "
            "use larger batches (drop the last one where it is too small), or the evaluation mode"
        )


def check_parameters(layer: Layer, X: Any, params: Tree) -> None:
    """NervaError unless the parameters have the names and shapes that the layer has for the columns of X, and its dtype."""
    if not getattr(X, "shape", None):
        raise NervaError(f"X must be an array with rows of numbers, got {type(X).__name__}")
    expected = dict(named_leaves(map_shapes(list, layer.shapes(X.shape[-1]))))
    got = {name: list(getattr(matrix, "shape", ())) for name, matrix in named_leaves(params)}
    if got != expected:
        raise NervaError(f"{type(layer).__name__} has for {counted(X.shape[-1], 'column')} of X {_listed(expected)}; got {_listed(got)}")
    for name, matrix in named_leaves(params):
        if getattr(matrix, "dtype", X.dtype) != X.dtype:
            raise NervaError(
                f"X is {_name(X.dtype)}, but the parameter {name} of {type(layer).__name__} is {_name(matrix.dtype)}; convert one"
            )


def _name(dtype: Any) -> str:
    return str(getattr(dtype, "name", dtype))


def _listed(shapes: dict[str, list[int]]) -> str:
    return ", ".join(f"{name or 'an array'} of shape {tuple(shape)}" for name, shape in shapes.items()) or "no parameters"


def noise_of(layer: Layer, N: int, D: int, rng: np.random.Generator, evaluation: bool) -> Any:
    """The noise of one step, or of one evaluation, as NumPy matrices."""
    return (layer.draw_for_evaluation if evaluation else layer.draw)(rng, N, D)


def matrices_of(tree: Tree) -> list[Any]:
    """The leaves of a tree that are matrices; a cache may also have sizes, which are ints."""
    return [leaf for leaf in leaves(tree) if not isinstance(leaf, int)]


def hollow(tree: Tree) -> Any:
    """The structure of a tree, with None for every matrix."""
    return map_tree(lambda leaf: leaf if isinstance(leaf, int) else None, tree)


def fill_in(template: Tree, matrices: Any) -> Any:
    """A tree with the structure of ``template`` and the given matrices. NervaError if their number differs."""
    given = list(matrices)
    wanted = sum(leaf is None for leaf in leaves(template))
    if len(given) != wanted:
        raise NervaError(f"expected {wanted} matrices, got {len(given)}")
    remaining = iter(given)
    return map_tree(lambda leaf: next(remaining) if leaf is None else leaf, template)


def rule_template(rule: Optimizer) -> Any:
    """The structure of the state that the rule keeps for one parameter."""
    ops = operations("numpy", "float64")
    return hollow(rule.init(ops, ops.zeros(1, 1)))
