"""Subjects of the comparison: every operation, activation, loss, layer and optimizer, as a function of named matrices.

The subjects are made from ``MatrixOps`` and from the tables, so a new entry is a new subject.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import M, MatrixOps
from nerva_core.algebra.operations.step_functions import StepFunctionOps
from nerva_core.comparison import inputs
from nerva_core.comparison.layer_subjects import MORE_LAYERS, hard_examples, hard_function, layer
from nerva_core.comparison.rule_subjects import activation, gradient_activation, loss, optimizer
from nerva_core.comparison.subject import Inputs, Subject
from nerva_core.equations.activations import ACTIVATIONS, Activation, Sigmoid
from nerva_core.equations.gradient_activations import GRADIENT_ACTIVATIONS, GradientActivation
from nerva_core.equations.hard_functions import HardFunction
from nerva_core.equations.losses import LOSSES, Loss
from nerva_core.equations.optimizers import GAF, OPTIMIZERS, Lookahead, Momentum, Optimizer
from nerva_core.interpreters.examples import examples
from nerva_core.interpreters.traced import OPERATIONS
from nerva_core.layers import LAYERS, Layer

SUMS = ("matmul", "dot", "columns_sum", "rows_sum", "elements_sum", "columns_mean", "rows_mean")
"""Operations that add many terms; their error is measured against the terms."""
MOVES = ("reshape", "take_columns", "join_columns", "sort_rows", "again", "stop_gradient")
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
N, D = 5, 4


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
    yield optimizer(Lookahead(Momentum(), k=2))  # whose steps go back within those that are compared


def subject_of(entry: Any) -> Subject:
    """The entry with its own parameters as a subject; NervaError if entries of its kind are not compared."""
    makers: dict[type, Any] = {Activation: activation, Loss: loss, HardFunction: hard_function, Layer: layer}
    makers |= {GradientActivation: gradient_activation, Optimizer: optimizer}
    for kind, make in makers.items():
        if isinstance(entry, kind):
            subject: Subject = make(entry)
            return subject
    raise NervaError(f"{entry!r} is none of what is compared: {', '.join(kind.__name__ for kind in makers)}")


# Operations -----------------------------------------------------------------------------------------------------------


def operations() -> Iterator[Subject]:
    """The operations that give a matrix. Families, windows and what is done with rows are compared through the layers that need them."""
    for name, method in inspect.getmembers(StepFunctionOps, inspect.isfunction):
        if name not in OPERATIONS:
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
