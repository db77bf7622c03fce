"""A linear layer."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from nerva_core.algebra.registry import Count
from nerva_core.layers import Layer


class Parameters(NamedTuple):
    """W is K x D, b is 1 x K."""

    W: Any
    b: Any


@dataclass(frozen=True)
class MyLinear(Layer):
    """Y = X · Wᵀ + 1_N · b."""

    outputs: Count

    def outputs_for(self, D):
        return self.outputs

    def shapes(self, D):
        return Parameters(W=(self.outputs, D), b=(1, self.outputs))

    def feedforward(self, ops, params, X):
        W, b = params
        N, _ = ops.shape(X)
        Y = X @ ops.transpose(W) + ops.row_repeat(b, N)
        return Y, (X,)

    def backpropagate(self, ops, params, cache, DY):
        W, _ = params
        (X,) = cache
        DW = ops.transpose(DY) @ X
        Db = ops.columns_sum(DY)
        DX = DY @ W
        return DX, Parameters(DW, Db)
