"""A norm that is taken for a constant."""

# Each row is divided by its norm. On the way back it is divided by the same number.

from dataclasses import dataclass

from nerva_core.algebra.registry import Positive
from nerva_core.layers import Layer


@dataclass(frozen=True)
class UnitRows(Layer):
    """Y = X / √(Σ x² + ε), row by row."""

    epsilon: Positive = 1e-5

    def feedforward(self, ops, params, X):
        N, D = ops.shape(X)
        r = ops.reciprocal(ops.sqrt(ops.rows_sum(ops.hadamard(X, X)) + ops.full(self.epsilon, N, 1)))
        R = ops.column_repeat(r, D)
        return ops.hadamard(X, R), (R,)

    def backpropagate(self, ops, params, cache, DY):
        (R,) = cache
        DX = ops.hadamard(DY, R)
        return DX, ()
