"""Activations, losses, gradient activations and optimizers as subjects of the comparison."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nerva_core.algebra.matrix_ops import M, MatrixOps
from nerva_core.algebra.trees import map_tree, named_leaves
from nerva_core.comparison import inputs
from nerva_core.comparison.subject import Inputs, Subject
from nerva_core.equations.activations import Activation
from nerva_core.equations.gradient_activations import Elementwise, GradientActivation
from nerva_core.equations.losses import Loss
from nerva_core.equations.optimizers import Optimizer
from nerva_core.interpreters.examples import describe

N, K = 5, 3

LEARNING_RATE = 0.01


STEPS = 3


PARAMETERS = {"W": (3, 4), "b": (1, 3)}
"""What is updated, two parameters: one may change how the other is updated."""


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
