"""Layers and hard functions as subjects of the comparison."""

from __future__ import annotations

import dataclasses
import functools
import math
import typing
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import M, MatrixOps
from nerva_core.algebra.memory import Array
from nerva_core.algebra.trees import named_leaves, with_leaves
from nerva_core.comparison import inputs
from nerva_core.comparison.subject import Inputs, Subject
from nerva_core.equations.hard_functions import HARD_FUNCTIONS, Binary, HardFunction, ImageSort, KMeans, Sort, TopK
from nerva_core.equations.losses import CosineDistance, Huber
from nerva_core.interpreters.examples import ExampleSizes, describe, examples
from nerva_core.layers import DAB, Layer, Linear, Sequential, StraightThrough
from nerva_core.layers.tmaf import MatrixActivation

N, D, K = 5, 4, 3


def hard_examples() -> Iterator[HardFunction]:
    """Every hard function, with every choice that it offers; few clusters, so that there are points equally near to two of them."""
    for entry in examples(HARD_FUNCTIONS):
        entry = dataclasses.replace(entry, k=2) if isinstance(entry, KMeans) else entry
        choices = {name: typing.get_args(hint) for name, hint in typing.get_type_hints(type(entry)).items() if typing.get_args(hint)}
        literal = {name: values for name, values in choices.items() if all(isinstance(value, str) for value in values)}
        yield entry
        yield from (dataclasses.replace(entry, **{name: value}) for name, values in literal.items() for value in values[1:])
        if isinstance(entry, ImageSort):
            yield dataclasses.replace(entry, k=2)
        if isinstance(entry, KMeans):
            yield dataclasses.replace(entry, dimension=2)


def hard_function(entry: HardFunction) -> Subject:
    """H = f(X)."""
    return Subject("hard function", describe(entry), _hard_function, functools.partial(_hard_cases, entry), entry)


def _hard_function(ops: MatrixOps[M], entry: HardFunction, given: Mapping[str, M]) -> dict[str, M]:
    return {"value": entry.value(ops, *given.values())}


def _hard_cases(entry: HardFunction, rng: np.random.Generator, dtype: str) -> dict[str, Inputs]:
    """Equal elements, elements on a threshold and beside it; points equally near to two centroids."""
    width = entry.example_width() or 12
    width *= math.ceil(12 / width)
    numbers = [float(value) for value in dataclasses.astuple(entry) if isinstance(value, float)] or [0.5]
    at = np.array([c for x in numbers for c in (x, -x)], dtype)
    near = np.concatenate([at, np.nextafter(at, -1, dtype=dtype), np.nextafter(at, 1, dtype=dtype), np.zeros(2, dtype)])
    half = np.repeat([0.0, 1.0, 2.0], [width // 2, 1, width - width // 2 - 1])
    cases = {
        "ordinary": inputs.normal(rng, N, width, dtype),
        "one row": inputs.normal(rng, 1, width, dtype),
        "large": inputs.normal(rng, N, width, dtype, 1e6),
        "constant": np.full((N, width), 0.75, dtype),
        "ties": rng.permuted(np.tile(half, (N, 1)), axis=1).astype(dtype),
    }
    if isinstance(entry, KMeans):
        del cases["constant"]  # two centroids that differ by the rounding of a mean are not equally near
    elif not isinstance(entry, Binary):  # whose threshold is a mean
        cases["thresholds"] = rng.choice(near, size=(N, width))
    noise = bool(entry.noise_shapes(N, width))
    return {name: {"X": X, **({"U": _uniform(rng, X)} if noise else {})} for name, X in cases.items()}


def _uniform(rng: np.random.Generator, X: Array) -> Array:
    """Draws of which some are equal to x."""
    return np.where(rng.random(X.shape) < 0.3, X, rng.random(X.shape)).astype(X.dtype)


MORE_LAYERS: tuple[Layer, ...] = (
    DAB(TopK(2), Sequential((Linear(2),)), gamma=2.0, loss=Huber(), reduction="full mean"),
    DAB(Sort(), Sequential((Linear(4),)), loss=CosineDistance(), reduction="sum", conditioning=False),
    StraightThrough(Sort(descending=True)),
)
"""Layers around other functions than those of the examples."""


def layer(entry: Layer) -> Subject:
    """The output, DX, the gradient of every parameter; the output at inference and the running statistics."""
    rng, name = np.random.default_rng(0), describe(entry)
    entry = entry.for_any_data(ExampleSizes(N, D))
    n, d = _input_shape(entry)
    trees = {"": entry.init(rng, d), "noise": entry.draw(rng, n, d), "state": entry.initial_state(d)}  # only their names matter
    return Subject("layer", name, functools.partial(_layer, trees), functools.partial(_layer_cases, entry), entry)


def _input_shape(entry: Layer) -> tuple[int, int]:
    """The rows and columns of the inputs of a layer; what is shown for few columns is compared on as many as the others."""
    rows, columns = entry.shape_of_input(ExampleSizes(N, D))
    return rows, D if entry.columns else columns


def _layer(trees: dict[str, Any], ops: MatrixOps[M], entry: Layer, given: Mapping[str, M]) -> dict[str, M]:
    X = given["X"]
    params, noise, state = (with_leaves(tree, [given[name] for name, _ in named_leaves(tree, prefix)]) for prefix, tree in trees.items())
    Y, cache = entry.feedforward(ops, params, X, *entry.given(state, noise))
    DX, gradients = entry.backpropagate(ops, params, cache, given["DY"])
    result = {"Y": Y, "DX": DX, **{_gradient(name): gradient for name, gradient in named_leaves(gradients)}}
    result["evaluate"] = entry.evaluate(ops, params, state, X)
    return result | {f"new {name}": value for name, value in named_leaves(entry.update_state(ops, state, cache), "state")}


def _gradient(name: str) -> str:
    """``2.DW`` for the parameter ``2.W``."""
    head, dot, field = name.rpartition(".")
    return f"{head}{dot}D{field}"


def _layer_cases(entry: Layer, rng: np.random.Generator, dtype: str) -> dict[str, Inputs]:
    cases = {}
    rows, columns = _input_shape(entry)
    matrices = inputs.matrices(rng, rows, columns, dtype)
    if (rows, columns) == (N, D):
        matrices["square"] = inputs.normal(rng, K, K, dtype)
    if vocabulary := entry.numbers_below():
        matrices = {"numbers": rng.integers(vocabulary, size=(rows, columns)).astype(dtype)}
    if isinstance(entry, MatrixActivation):
        grids = [grid for grid, _ in entry.step_functions(D)]
        matrices["on grid points"] = inputs.on_grid(rng, [s for grid in grids for s in grid.points()], N, D, dtype)
    for name, X in matrices.items():
        n, d = X.shape
        if (rows != N and n != rows) or (entry.columns is not None and d != D) or not _takes(entry, d):
            continue  # with another number of columns it has other parameters, or none
        case = {"X": X, "DY": inputs.normal(rng, entry.rows_for(n), entry.outputs_for(d), dtype)}
        for parameter, values in named_leaves(entry.init(rng, d)):
            drawn = rng.normal(size=values.shape)
            case[parameter] = (np.rint(4 * drawn) / 4 if drawn.size == 1 else drawn).astype(dtype)  # a threshold may be hit exactly
        drawn_trees = {"noise": entry.draw(rng, n, d), "state": entry.initial_state(d)}
        cases[name] = case | {name: leaf.astype(dtype) for prefix, tree in drawn_trees.items() for name, leaf in named_leaves(tree, prefix)}
    return cases


def _takes(entry: Layer, D: int) -> bool:
    """Whether an input may have D columns."""
    try:
        entry.outputs_for(D)
    except NervaError:
        return False
    return True
