"""What the modules of all frameworks share."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend, backend
from nerva_core.algebra.trees import leaves, map_tree, with_leaves
from nerva_core.equations.optimizers import OPTIMIZERS, Optimizer
from nerva_core.layers import Layer, parse_layers


def as_layer(layer: Layer | str) -> Layer:
    """A layer, given as such or by its text: ``"q-elu(lambda=0.02)"``, ``"BatchNormalization"``; with ``;`` between them, several."""
    if isinstance(layer, Layer):
        return layer
    network = parse_layers(layer.strip(" ;").split(";"))
    return network if len(network.layers) > 1 else network.layers[0]


def as_rule(rule: Optimizer | str) -> Optimizer:
    """An update rule, given as such or by its text: ``"GAF(Momentum(0.9), arctan)"``."""
    return OPTIMIZERS.parse(rule)


@functools.cache
def operations(framework: str, dtype: str, device: str = "cpu") -> Backend[Any]:
    """The matrix operations for arrays of this dtype on this device; NervaError if they are neither float32 nor float64."""
    return backend(framework, dtype, device)  # type: ignore[arg-type]


def initial(layer: Layer, inputs: int, seed: int) -> tuple[Any, Any]:
    """(params, state) as NumPy matrices in float64, drawn from the seed."""
    return layer.init(np.random.default_rng(seed), inputs), layer.initial_state(inputs)


def check_columns(layer: Layer, inputs: int, columns: Any) -> None:
    """NervaError unless an input has the number of columns for which the layer was made."""
    if columns != inputs:
        raise NervaError(f"{type(layer).__name__} was made for {inputs} inputs, but X has {columns} columns")


def noise_of(layer: Layer, N: int, D: int, rng: np.random.Generator, evaluation: bool) -> Any:
    """The noise of one step, or of one evaluation, as NumPy matrices."""
    return (layer.draw_for_evaluation if evaluation else layer.draw)(rng, N, D)


def hollow(tree: Any) -> Any:
    """The structure of a tree, with None for every leaf."""
    return map_tree(lambda _: None, tree)


def fill_in(template: Any, matrices: Any) -> Any:
    """A tree with the structure of ``template`` and the given leaves. NervaError if their number differs."""
    given = list(matrices)
    wanted = sum(1 for _ in leaves(template))
    if len(given) != wanted:
        raise NervaError(f"expected {wanted} matrices, got {len(given)}")
    return with_leaves(template, given)


def rule_template(rule: Optimizer) -> Any:
    """The structure of the state that the rule keeps for one parameter."""
    ops = operations("numpy", "float64")
    return hollow(rule.init(ops, ops.zeros(1, 1)))
