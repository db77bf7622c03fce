"""Keras 3, on each of its backends."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nerva_core.algebra.memory import Array
from nerva_core.benchmark.configurations import BenchmarkProblem
from nerva_core.benchmark.contenders import Contender, NoCounterpartError, import_tensorflow, import_torch
from nerva_core.benchmark.description import (
    Block,
    Dense,
    Grid,
    Heads,
    Kernel,
    LargestOf,
    Normalization,
    PositionTable,
    RowNormalization,
    RowTable,
    SumOfBranches,
    blocks,
    momentum,
    values,
)


class Keras(Contender):
    """``keras.Model.fit``, an epoch a call."""

    name = "Keras 3"
    requires = ("keras",)

    def __init__(self, problem: BenchmarkProblem, threads: int) -> None:
        if self.backend == "tensorflow":
            import_tensorflow(threads)
        if self.backend == "torch":
            import_torch(threads)
        import keras

        keras.config.set_floatx(problem.config.dtype)
        inputs = keras.Input([problem.data.inputs])
        network = Network(keras)
        self.model = keras.Model(inputs, network.sequence(blocks(problem), inputs))
        for layer, block in network.weighted:
            layer.set_weights(_weights(layer, block))
        self.model.compile(
            optimizer=keras.optimizers.SGD(problem.lr, momentum=momentum(problem)),
            loss=keras.losses.CategoricalCrossentropy(from_logits=True),
        )
        self.X, self.T = problem.inputs, problem.targets
        if problem.data.per_position:
            self.T = self.T.reshape(len(self.T), -1, problem.outputs)
        self.batch = problem.config.training.batch_size

    def losses(self, rows: Array) -> list[float]:
        return [float(self.model.train_on_batch(self.X[batch], self.T[batch])) for batch in rows]

    def epoch(self, rows: Array) -> None:
        self.model.fit(self.X, self.T, batch_size=self.batch, epochs=1, shuffle=True, verbose=0)


class KerasTorch(Keras):
    """Keras on PyTorch."""

    backend = "torch"
    environment = {"KERAS_BACKEND": "torch"}


class KerasJax(Keras):
    """Keras on JAX."""

    backend = "jax"
    environment = {"KERAS_BACKEND": "jax"}


class KerasTensorFlow(Keras):
    """Keras on TensorFlow."""

    backend = "tensorflow"
    environment = {"KERAS_BACKEND": "tensorflow"}


class Network:
    """The layers, and which block the weights of each are those of."""

    def __init__(self, keras: Any) -> None:
        self.keras = keras
        self.weighted: list[tuple[Any, Block]] = []

    def sequence(self, network: Sequence[Block], X: Any) -> Any:
        """The output of the blocks one after the other."""
        for block in network:
            X = self.applied(block, X)
        return X

    def applied(self, block: Block, X: Any) -> Any:
        """The output of a block."""
        layers = self.keras.layers
        if isinstance(block, SumOfBranches):
            return layers.Add()([self.sequence(block.f, X), self.sequence(block.g, X) if block.g else X])
        if isinstance(block, Grid):
            return layers.Reshape((*block.size, X.shape[-1] // math.prod(block.size)))(X)
        if isinstance(block, str):
            return self._named(block, X)
        if isinstance(block, LargestOf):
            return layers.MaxPooling2D(block.size)(X)
        layer = self._layer(block)
        if isinstance(block, Kernel) and block.padding:
            X = layers.ZeroPadding2D(block.padding)(X)
        if isinstance(block, RowTable):
            X = layers.Reshape((X.shape[1],))(X)
        if isinstance(block, PositionTable):
            return layers.Add()([X, self._positions(layer, block, X)])
        Y = layer(X, X, use_causal_mask=block.causal) if isinstance(block, Heads) else layer(X)
        self.weighted.append((layer, block))
        return Y

    def _positions(self, layer: Any, block: PositionTable, X: Any) -> Any:
        """P for every sequence: an embedding of the numbers of the positions."""
        ops = self.keras.ops

        def positions(X: Any) -> Any:
            return ops.zeros_like(X[:, :, 0]) + ops.arange(len(block.P), dtype=X.dtype)

        Y = layer(self.keras.layers.Lambda(positions, output_shape=X.shape[1:2])(X))
        self.weighted.append((layer, block))
        return Y

    def _named(self, name: str, X: Any) -> Any:
        layers = self.keras.layers
        made: dict[str, Callable[[], Any]] = {
            "flatten": layers.Flatten,
            "mean of positions": layers.GlobalAveragePooling2D if X.shape[1:-1] and len(X.shape) == 4 else layers.GlobalAveragePooling1D,
            "gelu": lambda: layers.Activation(lambda X: self.keras.activations.gelu(X, approximate=False)),
            "last position": lambda: layers.Lambda(lambda X: X[:, -1]),
        }
        return made[name]()(X) if name in made else layers.Activation(name)(X)

    def _layer(self, block: Any) -> Any:
        layers = self.keras.layers
        match block:
            case Dense(_, b):
                return layers.Dense(len(b))
            case Normalization():
                return layers.BatchNormalization(momentum=block.momentum, epsilon=block.epsilon)
            case RowNormalization():
                return layers.LayerNormalization(epsilon=block.epsilon)
            case Kernel(W, _, stride):
                return layers.Conv2D(W.shape[3], W.shape[:2], stride)
            case RowTable(E):
                return layers.Embedding(*E.shape)
            case PositionTable(P):
                return layers.Embedding(*P.shape)
            case Heads(to_qkv, _, heads):
                return layers.MultiHeadAttention(heads, to_qkv.W.shape[1] // heads)
        raise NoCounterpartError("an LSTM of Keras has one bias, which moves half as far as two")


def _weights(layer: Any, block: Any) -> list[Array]:
    """The values of a block in the shapes of the layer's weights; what the layer has besides, such as running averages, as it is."""
    own = layer.get_weights()
    given = list(values(block))
    if isinstance(block, Heads):
        W, b, *back = given
        given = [part for each in zip(np.split(W, 3, axis=1), np.split(b, 3), strict=True) for part in each] + back
    weights = [np.asarray(value).reshape(weight.shape) for value, weight in zip(given, own, strict=False)]
    return [*weights, *own[len(given) :]]
