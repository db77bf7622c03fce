"""A network as every framework has it: layers with their initial values, and nothing of our equations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from nerva_core.algebra.geometry import Geometry
from nerva_core.algebra.trees import Tree
from nerva_core.benchmark.configurations import BenchmarkProblem
from nerva_core.benchmark.contenders import NoCounterpartError
from nerva_core.equations.activations import GELU, ReLU, Sigmoid, Tanh
from nerva_core.equations.losses import SoftmaxCrossEntropy
from nerva_core.equations.optimizers import GradientDescent, Momentum
from nerva_core.layers import (
    LSTM,
    ActivationLayer,
    Add,
    Attention,
    BatchNormalization,
    Convolution,
    Embedding,
    Flatten,
    GlobalAveragePool,
    Images,
    Last,
    Layer,
    LayerNorm,
    Linear,
    MaxPool,
    PositionEmbedding,
    Residual,
    Sequences,
    Sequential,
)
from nerva_core.layers.by_columns import CompositionByColumns

Array = Any

ACTIVATIONS = {ReLU: "relu", Tanh: "tanh", Sigmoid: "sigmoid", GELU: "gelu"}
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


@dataclass(frozen=True)
class RowNormalization:
    """Normalization of each position: gamma and beta of shape (features,)."""

    gamma: Array
    beta: Array
    epsilon: float


@dataclass(frozen=True)
class Kernel:
    """A convolution of images: W of shape (height, width, channels, outputs), and b of shape (outputs,)."""

    W: Array
    b: Array
    stride: int
    padding: int


@dataclass(frozen=True)
class Grid:
    """Examples become images of height x width positions, channels last, or sequences of length positions."""

    size: tuple[int, ...]


@dataclass(frozen=True)
class LargestOf:
    """Max-pooling by windows of size x size that lie side by side."""

    size: int


@dataclass(frozen=True)
class RowTable:
    """Rows of E, vocabulary x features, for the numbers of a sequence."""

    E: Array


@dataclass(frozen=True)
class PositionTable:
    """P, length x features, is added to every sequence."""

    P: Array


@dataclass(frozen=True)
class Heads:
    """Attention between linear layers to [Q K V] and back."""

    to_qkv: Dense
    back: Dense
    heads: int
    causal: bool


@dataclass(frozen=True)
class Recurrence:
    """An LSTM: W of 4 K x inputs, U of 4 K x K, b and c of shape (4 K,), the gates in the order input, forget, candidate, output."""

    W: Array
    U: Array
    b: Array
    c: Array


@dataclass(frozen=True)
class SumOfBranches:
    """f(X) + g(X); X itself where there is no g."""

    f: tuple[Block, ...]
    g: tuple[Block, ...]


Block = (
    Dense
    | Normalization
    | RowNormalization
    | Kernel
    | Grid
    | LargestOf
    | RowTable
    | PositionTable
    | Heads
    | Recurrence
    | SumOfBranches
    | str
)
"""A string is the name of an activation, or of what has no numbers: 'flatten', 'mean of positions', 'last position'."""


def blocks(problem: BenchmarkProblem) -> list[Block]:
    """The network; NoCounterpartError if it has something else, or another loss or update rule than the contenders have."""
    if not isinstance(problem.config.loss, SoftmaxCrossEntropy) or problem.data.classes is None or problem.outputs < 2:
        raise NoCounterpartError(f"the opponents have the softmax cross-entropy, not {problem.config.loss!r}")
    momentum(problem)
    return list(_sequence(problem.layers, problem.params, problem.data.inputs))


def momentum(problem: BenchmarkProblem) -> float:
    """Of the update rule; 0 for gradient descent."""
    optimizer = problem.config.optimizer
    if type(optimizer) is Momentum:
        return optimizer.mu
    if type(optimizer) is GradientDescent:
        return 0.0
    raise NoCounterpartError(f"the opponents have gradient descent with momentum, not {optimizer!r}")


def dense_only(network: list[Block]) -> bool:
    """Whether every example is a row in all of the network."""
    return all(isinstance(block, (Dense, Normalization, str)) for block in network)


def _sequence(layers: tuple[Layer, ...], params: tuple[Any, ...], D: int) -> Iterator[Block]:
    given = list(zip(layers, params, strict=True))
    while given:
        (layer, values), *rest = given
        if rest and isinstance(rest[0][0], Attention):
            (attention, _), (back, of_back), *rest = rest
            assert isinstance(attention, Attention)
            assert isinstance(back, Linear)
            yield Heads(_dense(values), _dense(of_back), attention.heads, attention.causal)
            D = int(back.outputs_for(D))
        else:
            yield from _blocks(layer, values, D)
            D = int(layer.outputs_for(D))
        given = rest


def _dense(params: Tree) -> Dense:
    return Dense(params.W, params.b[0])


def _blocks(layer: Layer, params: Tree, D: int) -> Iterator[Block]:
    """The blocks of a layer with D columns of input."""
    if isinstance(layer, Sequential):
        yield from _sequence(layer.layers, params, D)
    elif isinstance(layer, CompositionByColumns):
        yield from _sequence(layer.composition(D).layers, params, D)
    elif type(layer) in BLOCK_OF:
        yield BLOCK_OF[type(layer)](layer, params, D)
    else:
        raise NoCounterpartError(f"the opponents have no {layer!r}")


def _activation(layer: ActivationLayer, params: Tree, D: int) -> Block:
    if type(layer.activation) not in ACTIVATIONS:
        raise NoCounterpartError(f"the opponents have no {layer!r}")
    return ACTIVATIONS[type(layer.activation)]


def _square(layer: Any, windows: Any) -> Geometry:
    if not isinstance(windows, Geometry) or len(windows.size) != 2 or windows.dilation != (1, 1):
        raise NoCounterpartError(f"the opponents have windows over images only, not {layer!r}")
    return windows


def _kernel(layer: Convolution, params: Tree, D: int) -> Block:
    windows = _square(layer, layer.windows)
    return Kernel(params.W.reshape(*windows.kernel, D, layer.outputs), params.b[0], layer.stride, layer.padding)


def _largest(layer: MaxPool, params: Tree, D: int) -> Block:
    windows = _square(layer, layer.windows)
    if windows.stride != windows.kernel:
        raise NoCounterpartError(f"the opponents have windows that lie side by side, not {layer!r}")
    return LargestOf(layer.kernel)


def _recurrence(layer: LSTM, params: Tree, D: int) -> Block:
    if layer.bidirectional:
        raise NoCounterpartError(f"the opponents read forward only, not {layer!r}")
    return Recurrence(params.W, params.U, params.b[0], params.c[0])


def _sum(layer: Any, params: Tree, D: int) -> Block:
    if isinstance(layer, Residual):
        return SumOfBranches(tuple(_blocks(layer.layers, params, D)), ())
    return SumOfBranches(tuple(_blocks(layer.f, params.f, D)), tuple(_blocks(layer.g, params.g, D)))


BLOCK_OF: dict[type, Callable[[Any, Any, int], Block]] = {
    ActivationLayer: _activation,
    Linear: lambda layer, params, D: _dense(params),
    BatchNormalization: lambda layer, p, D: Normalization(p.gamma[0], p.beta[0], layer.epsilon, layer.momentum),
    LayerNorm: lambda layer, p, D: RowNormalization(p.gamma[0], p.beta[0], layer.epsilon),
    Images: lambda layer, params, D: Grid(layer.positions),
    Sequences: lambda layer, params, D: Grid(layer.positions),
    Convolution: _kernel,
    MaxPool: _largest,
    GlobalAveragePool: lambda layer, params, D: "mean of positions",
    Flatten: lambda layer, params, D: "flatten",
    Embedding: lambda layer, params, D: RowTable(params.E),
    PositionEmbedding: lambda layer, params, D: PositionTable(params.P),
    LSTM: _recurrence,
    Last: lambda layer, params, D: "last position",
    Residual: _sum,
    Add: _sum,
}
"""The block of a layer. Adding one: its line here, and what it is in each file of ``opponents``."""


def values(block: Block) -> Any:
    """The parameters of a block, weights as inputs x outputs."""
    match block:
        case Dense(W, b):
            return W.T, b
        case Normalization(gamma, beta) | RowNormalization(gamma, beta):
            return gamma, beta
        case Kernel(W, b):
            return W, b
        case RowTable(E):
            return (E,)
        case PositionTable(P):
            return (P,)
        case Heads(to_qkv, back):
            return *values(to_qkv), *values(back)
        case Recurrence(W, U, b, c):
            return W.T, U.T, b, c
        case SumOfBranches(f, g):
            return [values(each) for each in f], [values(each) for each in g]
    return ()
