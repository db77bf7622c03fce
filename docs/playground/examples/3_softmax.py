"""A softmax layer."""

from dataclasses import dataclass

from nerva_core.layers import Layer


@dataclass(frozen=True)
class MySoftmax(Layer):
    """Y = exp(X) divided by the sums of its rows."""

    def feedforward(self, ops, params, X):
        _, D = ops.shape(X)
        E = ops.exp(X)
        Y = ops.hadamard(E, ops.column_repeat(ops.reciprocal(ops.rows_sum(E)), D))
        return Y, (Y,)

    def backpropagate(self, ops, params, cache, DY):
        (Y,) = cache
        _, D = ops.shape(Y)
        s = ops.rows_sum(ops.hadamard(DY, Y))
        DX = ops.hadamard(Y, DY - ops.column_repeat(s, D))
        return DX, ()
