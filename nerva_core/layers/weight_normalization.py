"""Weight normalisation: the weights of each output as a length and a direction (Salimans and Kingma 2016)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Generic, NamedTuple

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.layers.base import LAYERS, Layer, Positions, Symbols


class WeightNormParameters(NamedTuple, Generic[M]):
    """V has the shape of the weights W, g is K x 1, or 1 x K where the weights of an output are a column, b is 1 x K."""

    V: M
    g: M
    b: M


class WeightNormCache(NamedTuple, Generic[M]):
    """W, the unit vectors U and the inverse lengths S, and the cache of the layer."""

    W: M
    U: M
    S: M
    layer: Any


@LAYERS.add
@dataclass(frozen=True)
class WeightNorm(Layer):
    """Y = f(X), a linear layer or convolution with the weights w_k = g_k u_k of each output k, u_k = v_k / ‖v_k‖.

    In the beginning g_k = ‖v_k‖, so that W is as the layer draws it. The lengths ‖v_k‖ must not be 0.
    """

    aliases = ("WeightNormalization",)

    layer: Layer

    def __post_init__(self) -> None:
        if self.layer.weights_of_output is None:
            raise NervaError(f"WeightNorm is for a layer with weights for each output, such as Linear or Convolution, got {self.layer!r}")

    def outputs_for(self, D: Size) -> Size:
        return self.layer.outputs_for(D)

    def rows_for(self, N: Size) -> Size:
        return self.layer.rows_for(N)

    def bind(self, positions: Positions | None) -> tuple[Layer, Positions | None]:
        layer, left = self.layer.bind(positions)
        return (self if layer is self.layer else replace(self, layer=layer)), left

    def shape_of_input(self, symbols: Symbols) -> tuple[Size, Size]:
        return self.layer.shape_of_input(symbols)

    def shapes(self, D: Size) -> WeightNormParameters:
        W, b = self.layer.shapes(D)
        K = self.outputs_for(D)
        return WeightNormParameters(V=W, g=(K, 1) if self._by_rows() else (1, K), b=b)

    def init(self, rng: np.random.Generator, D: int) -> WeightNormParameters:
        W, b = self.layer.init(rng, D)
        return WeightNormParameters(W, np.linalg.norm(W, axis=1 if self._by_rows() else 0, keepdims=True), b)

    def feedforward(self, ops: MatrixOps[M], params: WeightNormParameters[M], X: M) -> tuple[M, WeightNormCache[M]]:
        V, g, b = params
        S = ops.inv_sqrt(self._sums(ops, ops.hadamard(V, V)))
        U = ops.hadamard(self._along(ops, S, V), V)
        W = ops.hadamard(self._along(ops, g, V), U)
        Y, cache = self.layer.feedforward(ops, (W, b), X)
        return Y, WeightNormCache(W, U, S, cache)

    def backpropagate(
        self, ops: MatrixOps[M], params: WeightNormParameters[M], cache: WeightNormCache[M], DY: M
    ) -> tuple[M, WeightNormParameters[M]]:
        V, g, b = params
        W, U, S, of_layer = cache
        DX, (DW, Db) = self.layer.backpropagate(ops, (W, b), of_layer, DY)
        Dg = self._sums(ops, ops.hadamard(DW, U))
        DV = ops.hadamard(self._along(ops, ops.hadamard(g, S), V), DW - ops.hadamard(self._along(ops, Dg, V), U))
        return DX, WeightNormParameters(DV, Dg, Db)

    def _by_rows(self) -> bool:
        """Whether the weights of an output are a row of W."""
        return self.layer.weights_of_output == "row"

    def _sums(self, ops: MatrixOps[M], W: M) -> M:
        """For each output the sum over its weights."""
        return ops.rows_sum(W) if self._by_rows() else ops.columns_sum(W)

    def _along(self, ops: MatrixOps[M], g: M, V: M) -> M:
        """The number of each output, at all its weights: a matrix of the shape of V."""
        m, n = ops.shape(V)
        return ops.column_repeat(g, n) if self._by_rows() else ops.row_repeat(g, m)
