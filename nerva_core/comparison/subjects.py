"""What is compared: every operation, activation, loss, layer and optimizer, each as a function from named matrices to named matrices.

The subjects are made from ``MatrixOps`` and from the tables, so a new entry is a new subject.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import math
import typing
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import M, MatrixOps
from nerva_core.algebra.operations.step_functions import StepFunctionOps
from nerva_core.algebra.trees import map_tree, named_leaves, with_leaves
from nerva_core.comparison import inputs
from nerva_core.comparison.inputs import Array
from nerva_core.equations.activations import ACTIVATIONS, Activation, Sigmoid
from nerva_core.equations.gradient_activations import GRADIENT_ACTIVATIONS, Elementwise, GradientActivation
from nerva_core.equations.hard_functions import HARD_FUNCTIONS, Binary, HardFunction, ImageSort, KMeans, Sort, TopK
from nerva_core.equations.losses import LOSSES, CosineDistance, Huber, Loss
from nerva_core.equations.optimizers import GAF, OPTIMIZERS, Momentum, Optimizer
from nerva_core.interpreters.examples import ExampleSizes, describe, examples
from nerva_core.layers import DAB, LAYERS, Layer, Linear, Sequential, StraightThrough
from nerva_core.layers.tmaf import MatrixActivation

Inputs = dict[str, Array]

SUMS = ("matmul", "dot", "columns_sum", "rows_sum", "elements_sum", "columns_mean", "rows_mean")
"""Operations that add many terms; their error is measured against the terms."""
MOVES = ("reshape", "take_columns", "join_columns", "sort_rows", "stop_gradient")
CONSTANTS = ("full", "identity", "zeros", "ones", "constant", "unit", "shift")
REARRANGEMENTS = (
    "transpose",
    "shift_columns",
    "diag",
    "Diag",
    "column_repeat",
    "row_repeat",
    "fill",
    "rows_max",
    "columns_max",
    *MOVES,
    *CONSTANTS,
)
"""Operations that compute nothing."""
ON_A_GRID = ("step_function", "interval_sums")
"""Operations on a grid, whose points are among the elements. What is in none of these lists is elementwise."""
ARGUMENTS: dict[str, Any] = {"c": 0.1, "low": -0.5, "high": 1.25, "m": 3, "n": 4, "f": Sigmoid().value}
ARGUMENTS |= {"j": 1, "o": 1, "rows": ((1, -2), (0.5, 3)), "s": (-1.0, -0.5, 0.0, 0.25, 2.0), "columns": (0, 0)}
"""What the operations are given besides matrices."""
LEARNING_RATE = 0.01
STEPS = 3
PARAMETERS = {"W": (3, 4), "b": (1, 3)}
"""What is updated, two parameters: one may change how the other is updated."""
N, D, K = 5, 4, 3


@dataclass(frozen=True)
class Subject:
    """A function of the library, with inputs to run it on."""

    kind: str
    name: str
    function: Callable[[Any, Any, Mapping[str, Any]], dict[str, Any]]
    """Takes matrix operations, ``entry`` and the inputs as matrices; gives the outputs by name."""
    cases: Callable[[np.random.Generator, str], dict[str, Inputs]]
    """Takes a generator and a dtype; gives the inputs by case."""
    entry: Any = None
    elementwise: bool = False
    """Whether an element of an output depends on the elements of the inputs at its place only."""
    is_sum: bool = False
    """Whether it is one sum or product of matrices, with a classical bound."""

    def inputs(self, seed: int, dtype: str) -> dict[str, Inputs]:
        """The inputs by case; those of one subject do not depend on the others."""
        rng = np.random.default_rng([seed, zlib.crc32(f"{self.kind} {self.name}".encode())])
        return self.cases(rng, dtype)


def subjects() -> Iterator[Subject]:
    """All of them."""
    yield from operations()
    yield from (activation(entry) for entry in examples(ACTIVATIONS, variants=True))
    yield from (loss(entry) for entry in examples(LOSSES))
    yield from (hard_function(entry) for entry in hard_examples())
    yield from (layer(entry) for entry in (*examples(LAYERS), *MORE_LAYERS))
    yield from (gradient_activation(entry) for entry in examples(GRADIENT_ACTIVATIONS))
    yield from (optimizer(entry) for entry in examples(OPTIMIZERS))
    yield from (optimizer(GAF(Momentum(), variant=variant)) for variant in ("printed", "momentum-buffer"))


# Operations -----------------------------------------------------------------------------------------------------------


def operations() -> Iterator[Subject]:
    """The operations that give a matrix. Families, windows and what is done with rows are compared through the layers that need them."""
    for name, method in inspect.getmembers(StepFunctionOps, inspect.isfunction):
        if name.startswith("_") or name == "shape":
            continue
        parameters = [parameter for parameter in inspect.signature(method).parameters if parameter != "self"]
        matrices = tuple(parameter for parameter in parameters if parameter not in ARGUMENTS)
        elementwise = name not in SUMS + REARRANGEMENTS + ON_A_GRID
        make = _elementwise_cases if elementwise else functools.partial(_matrix_cases, name)
        function = functools.partial(_call, name, tuple(parameters))
        yield Subject("operation", name, function, functools.partial(make, matrices), None, elementwise, name in SUMS)


def _call(name: str, parameters: tuple[str, ...], ops: MatrixOps[M], entry: None, given: Mapping[str, M]) -> dict[str, M]:
    arguments = [given[parameter] if parameter in given else ARGUMENTS[parameter] for parameter in parameters]
    return {"value": getattr(ops, name)(*arguments)}


def _elementwise_cases(matrices: tuple[str, ...], rng: np.random.Generator, dtype: str) -> dict[str, Inputs]:
    X = inputs.awkward(rng, dtype)
    row: Inputs = {}
    for name in matrices:
        if name == "C":
            row[name] = rng.integers(0, 2, size=X.shape).astype(dtype)
        elif row:
            row[name] = rng.permutation(X, axis=1)
            row[name][:, ::4] = X[:, ::4]  # equal to the other operand
        else:
            row[name] = X
    return {"row": row}


def _matrix_cases(name: str, matrices: tuple[str, ...], rng: np.random.Generator, dtype: str) -> dict[str, Inputs]:
    shapes = {"matrix": (N, D), "one row": (1, D), "one column": (N, 1), "long": (7, 129)}
    if name == "reshape":
        shapes = {"matrix": (4, 3), "one row": (1, 12), "one column": (12, 1)}
    cases = {}
    for case, (m, n) in shapes.items():
        operands = {"X": (n, n) if name == "diag" else (m, n), "Y": (m, n), "Z": (n, m), "x": _vector(name, n), "y": (1, n)}
        operands["T"] = (len(ARGUMENTS["s"]) + 1, n)
        scales = 10.0 ** rng.integers(-6, 6, size=(129, 129)) if case == "long" else np.ones((129, 129))
        cases[case] = {p: (rng.normal(size=operands[p]) * scales[: operands[p][0], : operands[p][1]]).astype(dtype) for p in matrices}
    if name in ON_A_GRID:
        cases["on grid points"] = {**cases["matrix"], "X": inputs.on_grid(rng, ARGUMENTS["s"], N, D, dtype)}
    tiny = float(np.finfo(dtype).smallest_normal) / 16
    return {**cases, "subnormal": {p: (values * tiny).astype(dtype) for p, values in cases["matrix"].items()}}


def _vector(name: str, n: int) -> tuple[int, int]:
    return {"column_repeat": (n, 1), "fill": (1, 1)}.get(name, (1, n))


# Activations ----------------------------------------------------------------------------------------------------------


def activation(entry: Activation) -> Subject:
    """The value and the derivative."""
    return Subject("activation", describe(entry), _activation, functools.partial(_activation_cases, entry), entry, elementwise=True)


def _activation(ops: MatrixOps[M], entry: Activation, given: Mapping[str, M]) -> dict[str, M]:
    X = given["X"]
    return {"value": ops.apply(entry.value, X), "gradient": ops.apply(entry.gradient, X)}


def _activation_cases(entry: Activation, rng: np.random.Generator, dtype: str) -> dict[str, Inputs]:
    parameters = [float(value) for value in dataclasses.astuple(entry) if isinstance(value, float)]
    at = np.array([parameters], dtype)  # thresholds among them, and their neighbours
    X = np.concatenate([inputs.awkward(rng, dtype), at, np.nextafter(at, -1, dtype=dtype), np.nextafter(at, 1, dtype=dtype)], axis=1)
    return {"row": {"X": X}}


# Losses ---------------------------------------------------------------------------------------------------------------


def loss(entry: Loss) -> Subject:
    """The loss of each row and of the batch, and the gradient."""
    return Subject("loss", describe(entry), _loss, functools.partial(_loss_cases, entry), entry)


def _loss(ops: MatrixOps[M], entry: Loss, given: Mapping[str, M]) -> dict[str, M]:
    Y, T = given["Y"], given["T"]
    return {"rows": entry.rows(ops, Y, T), "value": entry.value(ops, Y, T), "gradient": entry.gradient(ops, Y, T)}


def _loss_cases(entry: Loss, rng: np.random.Generator, dtype: str) -> dict[str, Inputs]:
    """Outputs that may be logits, and outputs that are probabilities; a loss that is undefined for some is not compared on them."""
    cases = {}
    columns = entry.example_width() or K
    for name, Y in inputs.matrices(rng, N, columns, dtype).items():
        m, n = Y.shape
        if n != columns and entry.example_width():
            continue
        cases[f"{name}, one-hot"] = {"Y": Y, "T": inputs.one_hot(rng, m, n, dtype)}
        cases[f"{name}, probabilities"] = {"Y": Y, "T": inputs.probabilities(rng, m, n, dtype)}
        if name in ("one row", "one column", "tiny variance"):
            cases[f"{name}, positive"] = {"Y": np.abs(Y), "T": inputs.one_hot(rng, m, n, dtype)}
    one_hot, Y = inputs.one_hot(rng, N, columns, dtype), inputs.probabilities(rng, N, columns, dtype) + np.asarray(2**-10, dtype)
    cases["probabilities"] = {"Y": Y, "T": inputs.probabilities(rng, N, columns, dtype)}
    cases["probabilities, one-hot"] = {"Y": Y, "T": one_hot}
    cases["certain"] = {"Y": one_hot, "T": one_hot}
    return cases


# Hard functions -------------------------------------------------------------------------------------------------------


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


# Layers ---------------------------------------------------------------------------------------------------------------

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
    Y, cache = entry.feedforward(ops, params, X, *noise)
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


# Gradient activations ---------------------------------------------------------------------------------------------------


def gradient_activation(entry: GradientActivation) -> Subject:
    """The value; of one that is elementwise its derivatives and its integral, too."""
    return Subject("gradient activation", describe(entry), _gradient_activation, _gradient_activation_cases, entry)


def _gradient_activation(ops: MatrixOps[M], entry: GradientActivation, given: Mapping[str, M]) -> dict[str, M]:
    rules = {"value": entry.value}
    if isinstance(entry, Elementwise):
        rules |= {"derivative": entry.derivative, "second derivative": entry.second_derivative, "integral": entry.integral}
    return {name: ops.apply(rule, given["X"]) for name, rule in rules.items()}


def _gradient_activation_cases(rng: np.random.Generator, dtype: str) -> dict[str, Inputs]:
    """Gradients as they occur, small and large ones, and 0."""
    scales = {"ordinary": 0.1, "large": 1e3, "small": 1e-6, "zero": 0.0}
    return {name: {"X": inputs.normal(rng, 3, 4, dtype, scale)} for name, scale in scales.items()}


# Optimizers -----------------------------------------------------------------------------------------------------------


def optimizer(entry: Optimizer) -> Subject:
    """Two parameters after each of some steps, and their states after the last."""
    return Subject("optimizer", describe(entry), _optimizer, _optimizer_cases, entry)


def _optimizer(ops: Any, entry: Optimizer, given: Mapping[str, Any]) -> dict[str, Any]:
    thetas: Sequence[Any] = [given[name] for name in PARAMETERS]
    result: dict[str, Any] = {}
    states: Sequence[Any] = [entry.init(ops, theta) for theta in thetas]
    for t in range(1, STEPS + 1):
        scalars = map_tree(getattr(ops, "scalar", lambda c: c), entry.scalars(LEARNING_RATE, t))
        thetas, states = entry.step(ops, states, thetas, [given[f"D{name}{t}"] for name in PARAMETERS], *scalars)
        result |= {f"{name}{t}": theta for name, theta in zip(PARAMETERS, thetas, strict=True)}
    named = zip(PARAMETERS, states, strict=True)
    return result | {f"state.{parameter}.{name}": value for parameter, state in named for name, value in named_leaves(state)}


def _optimizer_cases(rng: np.random.Generator, dtype: str) -> dict[str, Inputs]:
    largest = float(np.finfo(dtype).max)
    scales = {"ordinary": 1.0, "huge gradients": largest**0.45, "tiny gradients": largest**-0.45, "zero gradients": 0.0}
    cases = {}
    for case, scale in scales.items():
        drawn = {name: inputs.normal(rng, *shape, dtype) for name, shape in PARAMETERS.items()}
        for name, shape in PARAMETERS.items():
            drawn |= {f"D{name}{t}": inputs.normal(rng, *shape, dtype, scale) for t in range(1, STEPS + 1)}
        cases[case] = drawn
    return cases
