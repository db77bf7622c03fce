"""Softmax, as if it were elementwise."""

# y (1 − y) is the derivative of the sigmoid, and many programs use it for softmax too.

from dataclasses import dataclass

from nerva_core.layers import Layer


@dataclass(frozen=True)
class ElementwiseSoftmax(Layer):
    """Y = exp(X) divided by the sums of its rows."""

    def feedforward(self, ops, params, X):
        _, D = ops.shape(X)
        E = ops.exp(X)
        Y = ops.hadamard(E, ops.column_repeat(ops.reciprocal(ops.rows_sum(E)), D))
        return Y, (Y,)

    def backpropagate(self, ops, params, cache, DY):
        (Y,) = cache
        DX = ops.hadamard(DY, ops.hadamard(Y, ops.ones(*ops.shape(Y)) - Y))
        return DX, ()
