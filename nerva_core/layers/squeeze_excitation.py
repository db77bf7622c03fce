"""Squeeze and excitation: a gate for each channel, which depends on what all positions of the example hold (Hu et al. 2018)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any, Generic, NamedTuple

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.algebra.registry import Count
from nerva_core.equations.activations import Activation, ReLU
from nerva_core.equations.initializers import Initializer, NormalizedXavier, Zero
from nerva_core.layers.base import LAYERS, Layer, Positions, Symbols
from nerva_core.layers.linear import Linear


class SqueezeExcitationParameters(NamedTuple, Generic[M]):
    """W1 is H x C, b1 is 1 x H, W2 is C x H, b2 is 1 x C."""

    W1: M
    b1: M
    W2: M
    b2: M


class SqueezeExcitationCache(NamedTuple, Generic[M]):
    """X is N·P x C; Z and S are N x C, A and H are N x H."""

    X: M
    Z: M
    A: M
    H: M
    S: M


@LAYERS.add
@dataclass(frozen=True)
class SqueezeExcitation(Layer):
    """y_(n,p)c = s_nc x_(n,p)c, S = σ(act(Z · W₁ᵀ + 1 · b₁) · W₂ᵀ + 1 · b₂), z_nc = 1/P Σ_p x_(n,p)c: every channel by its gate.

    X is N·P x C, N examples of P positions with C channels; the hidden layer has C / r columns, for r = ``reduction``, 16 in the paper.
    """

    aliases = ("SE", "SqueezeAndExcitation", "SELayer")

    reduction: Count
    activation: Activation = ReLU()
    weights: Initializer = NormalizedXavier()
    bias: Initializer = Zero()
    positions: Size = field(default=1, repr=False, kw_only=True)
    """P, which the layers before it determine."""
    any_hidden: Size | None = field(default=None, repr=False, kw_only=True)
    """H, where the equations are shown and proved: any size."""

    def bind(self, positions: Positions | None) -> tuple[Layer, Positions | None]:
        count = math.prod(positions or ())
        return (self if count == self.positions or positions is None else replace(self, positions=count)), positions

    def for_any_data(self, symbols: Symbols) -> Layer:
        return replace(self, positions=symbols.size("P"), any_hidden=symbols.size("H"))

    def shape_of_input(self, symbols: Symbols) -> tuple[Size, Size]:
        return symbols.size("N") * self.positions, symbols.size("C")

    def hidden(self, C: Size) -> Size:
        """H, the number of columns of the hidden layer; NervaError if C is not a multiple of r."""
        if self.any_hidden is not None:
            return self.any_hidden
        if isinstance(C, int) and C % self.reduction:
            raise NervaError(f"{self!r}: the number of channels must be a multiple of {self.reduction}, the reduction, got {C}")
        return C // self.reduction

    def shapes(self, D: Size) -> SqueezeExcitationParameters:
        H = self.hidden(D)
        return SqueezeExcitationParameters(W1=(H, D), b1=(1, H), W2=(D, H), b2=(1, D))

    def init(self, rng: np.random.Generator, D: int) -> SqueezeExcitationParameters:
        H: Any = self.hidden(D)
        to_hidden, to_channels = (Linear(K, self.weights, self.bias) for K in (H, D))
        return SqueezeExcitationParameters(*to_hidden.init(rng, D), *to_channels.init(rng, H))

    def feedforward(self, ops: MatrixOps[M], params: SqueezeExcitationParameters[M], X: M) -> tuple[M, SqueezeExcitationCache[M]]:
        W1, b1, W2, b2 = params
        NP, C = ops.shape(X)
        N = NP // self.positions
        Z = ops.join(ops.columns_mean(ops.split(X, self.positions, C)), N)
        A = Z @ ops.transpose(W1) + ops.row_repeat(b1, N)
        H = ops.apply(self.activation.value, A)
        S = ops.sigmoid(H @ ops.transpose(W2) + ops.row_repeat(b2, N))
        Y = ops.hadamard(self._at_positions(ops, S), X)
        return Y, SqueezeExcitationCache(X, Z, A, H, S)

    def backpropagate(
        self, ops: MatrixOps[M], params: SqueezeExcitationParameters[M], cache: SqueezeExcitationCache[M], DY: M
    ) -> tuple[M, SqueezeExcitationParameters[M]]:
        W1, _, W2, _ = params
        X, Z, A, H, S = cache
        N, C = ops.shape(S)
        DS = ops.join(ops.columns_sum(ops.split(ops.hadamard(DY, X), self.positions, C)), N)
        DB = ops.hadamard(DS, ops.hadamard(S, ops.ones(N, C) - S))
        DW2 = ops.transpose(DB) @ H
        Db2 = ops.columns_sum(DB)
        DA = ops.hadamard(DB @ W2, ops.apply(self.activation.gradient, A))
        DW1 = ops.transpose(DA) @ Z
        Db1 = ops.columns_sum(DA)
        DZ = DA @ W1
        DX = ops.hadamard(self._at_positions(ops, S), DY) + self._at_positions(ops, ops.divide(DZ, self.positions))
        return DX, SqueezeExcitationParameters(DW1, Db1, DW2, Db2)

    def _at_positions(self, ops: MatrixOps[M], S: M) -> M:
        """The row of each example, at all its positions: N·P x C."""
        N, C = ops.shape(S)
        return ops.join(ops.row_repeat(ops.split(S, 1, C), self.positions), N)
