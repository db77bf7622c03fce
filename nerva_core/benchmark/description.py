"""A network as every framework has it: dense layers, activations and batch normalization, with the initial values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nerva_core.benchmark.configurations import BenchmarkProblem
from nerva_core.benchmark.contenders import NoCounterpartError
from nerva_core.equations.activations import ReLU, Sigmoid, Tanh
from nerva_core.equations.losses import SoftmaxCrossEntropy
from nerva_core.equations.optimizers import GradientDescent, Momentum
from nerva_core.layers import ActivationLayer, BatchNormalization, Linear

Array = Any

ACTIVATIONS = {ReLU: "relu", Tanh: "tanh", Sigmoid: "sigmoid"}
"""Those that have one name, and one meaning, in all frameworks."""


@dataclass(frozen=True)
class Dense:
    """A weight matrix, outputs x inputs, and a bias of shape (outputs,)."""

    W: Array
    b: Array


@dataclass(frozen=True)
class Normalization:
    """Batch normalization: gamma and beta of shape (features,); the running averages keep ``momentum`` of the old."""

    gamma: Array
    beta: Array
    epsilon: float
    momentum: float


Block = Dense | Normalization | str
"""A string is the name of an activation."""


def blocks(problem: BenchmarkProblem) -> list[Block]:
    """The network; NoCounterpartError if it has something else, or another loss or update rule than the contenders have."""
    if not isinstance(problem.config.loss, SoftmaxCrossEntropy) or problem.data.classes is None or problem.targets.shape[1] < 2:
        raise NoCounterpartError(f"the opponents have the softmax cross-entropy, not {problem.config.loss!r}")
    momentum(problem)
    return list(_blocks(problem))


def momentum(problem: BenchmarkProblem) -> float:
    """Of the update rule; 0 for gradient descent."""
    optimizer = problem.config.optimizer
    if type(optimizer) is Momentum:
        return optimizer.mu
    if type(optimizer) is GradientDescent:
        return 0.0
    raise NoCounterpartError(f"the opponents have gradient descent with momentum, not {optimizer!r}")


def _blocks(problem: BenchmarkProblem) -> Iterator[Block]:
    for layer, params in zip(problem.layers, problem.params, strict=True):
        if isinstance(layer, Linear):
            yield Dense(params.W, params.b[0])
        elif isinstance(layer, BatchNormalization):
            yield Normalization(params.gamma[0], params.beta[0], layer.epsilon, layer.momentum)
        elif isinstance(layer, ActivationLayer) and type(layer.activation) in ACTIVATIONS:
            yield ACTIVATIONS[type(layer.activation)]
        else:
            raise NoCounterpartError(f"the opponents have no {layer!r}")
