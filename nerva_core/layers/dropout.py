"""Dropout: of weights, as the Nerva specification has it (section 4), and of activations.

The mask R is an input with elements 0 and 1/(1-p), drawn anew for every step, so the mean of R is 1 and nothing is rescaled at
inference (erratum 004-29). p is the probability that an element is dropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, NamedTuple

import numpy as np

from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.algebra.memory import Array
from nerva_core.algebra.registry import Count, Fraction
from nerva_core.equations.activations import Activation
from nerva_core.equations.initializers import Initializer, NormalizedXavier, Zero
from nerva_core.layers.activation import ActivationLayer
from nerva_core.layers.base import LAYERS, Layer, Shape
from nerva_core.layers.linear import Linear, LinearParameters
from nerva_core.layers.sequence import SequenceLayer
from nerva_core.layers.sequential import Composite, Sequential


def draw_mask(rng: np.random.Generator, p: float, shape: Shape) -> Array:
    """Independent elements, 0 with probability p and 1/(1-p) otherwise."""
    return (rng.random(shape) >= p) / (1 - p)


class DropoutCache(NamedTuple, Generic[M]):
    """The mask R is N x D."""

    R: M


@LAYERS.add
@dataclass(frozen=True)
class Dropout(Layer):
    """Y = X ⊙ R, with a mask element for every activation; Y = X at inference."""

    p: Fraction = 0.5

    def noise_shapes(self, N: Size, D: Size) -> tuple[Shape, ...]:
        return ((N, D),)

    def draw(self, rng: np.random.Generator, N: int, D: int) -> tuple[Array]:
        return (draw_mask(rng, self.p, (N, D)),)

    def feedforward(self, ops: MatrixOps[M], params: tuple[()], X: M, R: M) -> tuple[M, DropoutCache[M]]:
        return ops.hadamard(X, R), DropoutCache(R)

    def backpropagate(self, ops: MatrixOps[M], params: tuple[()], cache: DropoutCache[M], DY: M) -> tuple[M, tuple[()]]:
        (R,) = cache
        DX = ops.hadamard(DY, R)
        return DX, ()

    def evaluate(self, ops: MatrixOps[M], params: tuple[()], state: tuple[()], X: M) -> M:
        return X


@LAYERS.add
@dataclass(frozen=True)
class ChannelDropout(SequenceLayer):
    """y_(n,l)c = x_(n,l)c r_nc, with a mask element for every channel of every example, whatever the position l (Tompson et al. 2015).

    X is N·L x C, R is N x C; Y = X at inference.
    """

    aliases = ("Dropout1d", "Dropout2d", "SpatialDropout1D", "SpatialDropout2D")

    p: Fraction = 0.5

    def noise_shapes(self, N: Size, D: Size) -> tuple[Shape, ...]:
        return ((self.rows_for(N) // self.L, D),)

    def draw(self, rng: np.random.Generator, N: int, D: int) -> tuple[Array]:
        ((examples, _),) = self.noise_shapes(N, D)
        return (draw_mask(rng, self.p, (examples, D)),)

    def feedforward(self, ops: MatrixOps[M], params: tuple[()], X: M, R: M) -> tuple[M, DropoutCache[M]]:
        return self._masked(ops, X, R), DropoutCache(R)

    def backpropagate(self, ops: MatrixOps[M], params: tuple[()], cache: DropoutCache[M], DY: M) -> tuple[M, tuple[()]]:
        (R,) = cache
        DX = self._masked(ops, DY, R)
        return DX, ()

    def evaluate(self, ops: MatrixOps[M], params: tuple[()], state: tuple[()], X: M) -> M:
        return X

    def _masked(self, ops: MatrixOps[M], X: M, R: M) -> M:
        """The L x C matrix of each example, elementwise times L copies of its row of R."""
        N, C = ops.shape(R)
        copies = ops.row_repeat(ops.split(R, 1, C), self.L)
        return ops.join(ops.hadamard(ops.split(X, self.L, C), copies), N)


class LinearDropoutCache(NamedTuple, Generic[M]):
    """X is N x D; the mask R is D x K (printed K x D: erratum 004-28)."""

    X: M
    R: M


@LAYERS.add
@dataclass(frozen=True)
class LinearDropout(Linear):
    """Y = X · (Wᵀ ⊙ R) + 1_N · b, with a mask element for every weight (DropConnect); Y = X · Wᵀ + 1_N · b at inference."""

    p: Fraction = 0.5

    def noise_shapes(self, N: Size, D: Size) -> tuple[Shape, ...]:
        return ((D, self.outputs),)

    def draw(self, rng: np.random.Generator, N: int, D: int) -> tuple[Array]:
        return (draw_mask(rng, self.p, (D, self.outputs)),)

    def feedforward(self, ops: MatrixOps[M], params: LinearParameters[M], X: M, R: M) -> tuple[M, LinearDropoutCache[M]]:  # type: ignore[override]
        W, b = params
        N, _ = ops.shape(X)
        Y = X @ ops.hadamard(ops.transpose(W), R) + ops.row_repeat(b, N)
        return Y, LinearDropoutCache(X, R)

    def backpropagate(  # type: ignore[override]
        self, ops: MatrixOps[M], params: LinearParameters[M], cache: LinearDropoutCache[M], DY: M
    ) -> tuple[M, LinearParameters[M]]:
        W, _ = params
        X, R = cache
        DW = ops.hadamard(ops.transpose(DY) @ X, ops.transpose(R))
        Db = ops.columns_sum(DY)
        DX = DY @ ops.hadamard(W, ops.transpose(R))
        return DX, LinearParameters(DW, Db)

    def evaluate(self, ops: MatrixOps[M], params: LinearParameters[M], state: tuple[()], X: M) -> M:
        return super().feedforward(ops, params, X)[0]


@LAYERS.add
@dataclass(frozen=True)
class ActivationDropout(Composite):
    """Z = X · (Wᵀ ⊙ R) + 1_N · b, Y = act(Z): a linear dropout layer followed by an activation layer."""

    outputs: Count
    activation: Activation
    weights: Initializer = NormalizedXavier()
    bias: Initializer = Zero()
    p: Fraction = 0.5

    def composition(self) -> Sequential:
        return Sequential((LinearDropout(self.outputs, self.weights, self.bias, self.p), ActivationLayer(self.activation)))
