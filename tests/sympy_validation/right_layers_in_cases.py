"""Layers of a user that are right and are proved in cases, with functions of numbers, or in parts of rows."""

import math
from dataclasses import dataclass

import numpy as np

from nerva_core.algebra.registry import Count, NonNegative
from nerva_core.layers import Layer


def zeros_like(ops, X):
    return ops.zeros(*ops.shape(X))


def rep(ops, x, D):
    return ops.column_repeat(x, D)


@dataclass(frozen=True)
class MeanAbsoluteDeviation(Layer):
    """x - mean(x) is 0 for D = 1, which is a case of its own"""

    def outputs_for(self, D):
        return 1

    def feedforward(self, ops, params, X):
        R = X - rep(ops, ops.rows_mean(X), ops.shape(X)[1])
        return (ops.rows_mean(ops.abs(R)), R)

    def backpropagate(self, ops, params, R, DY):
        D = ops.shape(R)[1]
        S = ops.sign(R)
        return (ops.divide(ops.hadamard(rep(ops, DY, D), S - rep(ops, ops.rows_mean(S), D)), D), ())


@dataclass(frozen=True)
class CentredColumns(Layer):
    """the same by columns, and N = 1"""

    def feedforward(self, ops, params, X):
        R = X - ops.row_repeat(ops.columns_mean(X), ops.shape(X)[0])
        return (ops.abs(R), R)

    def backpropagate(self, ops, params, R, DY):
        G = ops.hadamard(DY, ops.sign(R))
        return (G - ops.row_repeat(ops.columns_mean(G), ops.shape(R)[0]), ())


@dataclass(frozen=True)
class SoftThreshold(Layer):
    """lam = 0 is a case of its own"""

    lam: NonNegative = 0.1

    def feedforward(self, ops, params, X):
        rest = ops.maximum(ops.abs(X) - ops.full(self.lam, *ops.shape(X)), zeros_like(ops, X))
        return (ops.hadamard(ops.sign(X), rest), X)

    def backpropagate(self, ops, params, X, DY):
        return (ops.hadamard(DY, ops.greater(ops.abs(X), ops.full(self.lam, *ops.shape(X)))), ())


@dataclass(frozen=True)
class FunctionsOfNumbers(Layer):
    """functions of math and of NumPy, of hyper-parameters and of sizes"""

    a: float = 0.3
    c: NonNegative = 2.0

    def factor(self, N, D):
        return math.exp(self.a) * math.sqrt(self.c) * np.tanh(self.a) * math.cos(self.a) / math.sqrt(D) + np.log1p(N) * abs(self.a)

    def feedforward(self, ops, params, X):
        return (self.factor(*ops.shape(X)) * X, ())

    def backpropagate(self, ops, params, cache, DY):
        N, D = ops.shape(DY)
        t = (math.exp(2 * self.a) - 1) / (math.exp(2 * self.a) + 1)
        return ((np.exp(self.a) * self.c**0.5 * t * math.cos(self.a) * D**-0.5 + math.log(1 + N) * math.fabs(self.a)) * DY, ())


@dataclass(frozen=True)
class SquaresOfASortedRow(Layer):
    """Σ sort(x)² = Σ x²"""

    def outputs_for(self, D):
        return 1

    def feedforward(self, ops, params, X):
        S = ops.sort_rows(X)
        return (ops.rows_sum(ops.hadamard(S, S)), X)

    def backpropagate(self, ops, params, X, DY):
        return (2 * ops.hadamard(X, rep(ops, DY, ops.shape(X)[1])), ())


@dataclass(frozen=True)
class WithSquares(Layer):
    """[X, X²]"""

    def outputs_for(self, D):
        return 2 * D

    def feedforward(self, ops, params, X):
        return (ops.join_columns(X, ops.hadamard(X, X)), X)

    def backpropagate(self, ops, params, X, DY):
        D = ops.shape(X)[1]
        A, B = (ops.take_columns(DY, range(D)), ops.take_columns(DY, range(D, 2 * D)))
        return (A + 2 * ops.hadamard(X, B), ())


@dataclass(frozen=True)
class BesideItsProduct(Layer):
    """[X X·Wᵀ], of two widths"""

    outputs: Count = 3

    def outputs_for(self, D):
        return D + self.outputs

    def shapes(self, D):
        return ((self.outputs, D),)

    def feedforward(self, ops, params, X):
        return (ops.join_columns(X, X @ ops.transpose(params[0])), X)

    def backpropagate(self, ops, params, X, DY):
        D = ops.shape(X)[1]
        A, B = (ops.column_range(DY, 0, D), ops.column_range(DY, D, self.outputs))
        return (A + B @ params[0], (ops.transpose(B) @ X,))
