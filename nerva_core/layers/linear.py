"""The linear layer (Nerva specification, section 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, NamedTuple

from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.algebra.registry import Count
from nerva_core.equations.initializers import Initializer, NormalizedXavier, Zero
from nerva_core.layers.base import LAYERS, Layer, require_columns


class LinearParameters(NamedTuple, Generic[M]):
    """W is K x D, b is 1 x K."""

    W: M
    b: M


class LinearCache(NamedTuple, Generic[M]):
    """X is N x D."""

    X: M


@LAYERS.add
@dataclass(frozen=True)
class Linear(Layer):
    """Y = X · Wᵀ + 1_N · b."""

    aliases = ("Dense", "LazyLinear")
    weights_of_output = "row"

    outputs: Count
    weights: Initializer = NormalizedXavier()
    bias: Initializer = Zero()

    def outputs_for(self, D: Size) -> Size:
        return self.outputs

    def shapes(self, D: Size) -> LinearParameters:
        return LinearParameters(W=(self.outputs, D), b=(1, self.outputs))

    def initializers(self) -> LinearParameters:
        return LinearParameters(W=self.weights, b=self.bias)

    def feedforward(self, ops: MatrixOps[M], params: LinearParameters[M], X: M) -> tuple[M, LinearCache[M]]:
        W, b = params
        require_columns(self, ops, X, ops.shape(W)[1])
        N, _ = ops.shape(X)
        Y = X @ ops.transpose(W) + ops.row_repeat(b, N)
        return Y, LinearCache(X)

    def backpropagate(self, ops: MatrixOps[M], params: LinearParameters[M], cache: LinearCache[M], DY: M) -> tuple[M, LinearParameters[M]]:
        W, _ = params
        (X,) = cache
        DW = ops.transpose(DY) @ X
        Db = ops.columns_sum(DY)
        DX = DY @ W
        return DX, LinearParameters(DW, Db)
