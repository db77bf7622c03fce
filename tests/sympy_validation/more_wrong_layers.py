"""Layers of a user that are wrong, most of them where elements are equal."""

import math
from dataclasses import dataclass

from nerva_core.algebra.registry import Count, NonNegative
from nerva_core.equations.activations import Activation
from nerva_core.layers import Layer


def had(ops, *Xs):
    Y = Xs[0]
    for X in Xs[1:]:
        Y = ops.hadamard(Y, X)
    return Y


def zeros_like(ops, X):
    return ops.zeros(*ops.shape(X))


def ones_like(ops, X):
    return ops.ones(*ops.shape(X))


def rep(ops, x, D):
    return ops.column_repeat(x, D)


@dataclass(frozen=True)
class ReluThenMax(Layer):
    """max of relu: ties at 0 in a region; gradient is given to all tied (dead) elements"""

    def outputs_for(self, D):
        return 1

    def feedforward(self, ops, params, X):
        H = ops.maximum(X, zeros_like(ops, X))
        return (ops.rows_max(H), (H, X))

    def backpropagate(self, ops, params, cache, DY):
        H, _X = cache
        _, D = ops.shape(H)
        return (ops.hadamard(rep(ops, DY, D), ops.equal(H, rep(ops, ops.rows_max(H), D))), ())


@dataclass(frozen=True)
class ReluMaxShared(Layer):
    """shared ties after relu, no mask"""

    def outputs_for(self, D):
        return 1

    def feedforward(self, ops, params, X):
        H = ops.maximum(X, zeros_like(ops, X))
        M = ops.rows_max(H)
        E = ops.equal(H, rep(ops, M, ops.shape(X)[1]))
        return (M, ops.hadamard(E, rep(ops, ops.reciprocal(ops.rows_sum(E)), ops.shape(X)[1])))

    def backpropagate(self, ops, params, cache, DY):
        return (ops.hadamard(rep(ops, DY, ops.shape(cache)[1]), cache), ())


@dataclass(frozen=True)
class CountWinners(Layer):
    """Y = X · number of winners of relu(X); the number is taken for 1"""

    def feedforward(self, ops, params, X):
        H = ops.maximum(X, zeros_like(ops, X))
        D = ops.shape(X)[1]
        return (ops.hadamard(X, rep(ops, ops.rows_sum(ops.equal(H, rep(ops, ops.rows_max(H), D))), D)), ())

    def backpropagate(self, ops, params, cache, DY):
        return (DY, ())


@dataclass(frozen=True)
class CountWinnersCopies(Layer):
    """the row is doubled by X + its mean... every element equal"""

    def feedforward(self, ops, params, X):
        D = ops.shape(X)[1]
        S = rep(ops, ops.rows_sum(X), D)
        return (ops.hadamard(X, rep(ops, ops.rows_sum(ops.equal(S, rep(ops, ops.rows_max(S), D))), D)), ())

    def backpropagate(self, ops, params, cache, DY):
        return (DY, ())


@dataclass(frozen=True)
class SymmetricTies(Layer):
    """scores s_ij = x_i · x_j: rows of a symmetric matrix; winners' derivative lacks the other factor"""

    def outputs_for(self, D):
        return 1

    def feedforward(self, ops, params, X):
        return (ops.rows_max(X @ ops.transpose(X)), X)

    def backpropagate(self, ops, params, cache, DY):
        X = cache
        N = ops.shape(X)[0]
        S = X @ ops.transpose(X)
        E = ops.hadamard(ops.equal(S, rep(ops, ops.rows_max(S), N)), rep(ops, DY, N))
        return (E @ X, ())


@dataclass(frozen=True)
class SumOfMaxAbs(Layer):
    """max |x|: sign forgotten"""

    def outputs_for(self, D):
        return 1

    def feedforward(self, ops, params, X):
        return (ops.rows_max(ops.abs(X)), X)

    def backpropagate(self, ops, params, cache, DY):
        A = ops.abs(cache)
        D = ops.shape(A)[1]
        return (ops.hadamard(rep(ops, DY, D), ops.equal(A, rep(ops, ops.rows_max(A), D))), ())


@dataclass(frozen=True)
class MaxSquare(Layer):
    """max x²: 2 forgotten"""

    def outputs_for(self, D):
        return 1

    def feedforward(self, ops, params, X):
        return (ops.rows_max(ops.hadamard(X, X)), X)

    def backpropagate(self, ops, params, cache, DY):
        A = ops.hadamard(cache, cache)
        D = ops.shape(A)[1]
        return (had(ops, rep(ops, DY, D), cache, ops.equal(A, rep(ops, ops.rows_max(A), D))), ())


@dataclass(frozen=True)
class ColumnMaxForRows(Layer):
    def outputs_for(self, D):
        return 1

    def feedforward(self, ops, params, X):
        return (ops.rows_max(X), X)

    def backpropagate(self, ops, params, cache, DY):
        N, D = ops.shape(cache)
        return (ops.hadamard(rep(ops, DY, D), ops.equal(cache, ops.row_repeat(ops.columns_max(cache), N))), ())


@dataclass(frozen=True)
class MeanKinkN1(Layer):
    """[x > mean of column]: for N=1 it is 0 = 0"""

    def feedforward(self, ops, params, X):
        N, _D = ops.shape(X)
        M = ops.row_repeat(ops.columns_mean(X), N)
        return (ops.hadamard(X, ops.less(M, X) + ops.less(X, M)), ())

    def backpropagate(self, ops, params, cache, DY):
        return (DY, ())


@dataclass(frozen=True)
class MedianOfOne(Layer):
    """x - max(x): for D = 1 it is 0; [x - max >= 0]"""

    def feedforward(self, ops, params, X):
        _N, D = ops.shape(X)
        M = rep(ops, ops.rows_max(X), D)
        return (ops.hadamard(X, ops.less(X, M)), M)

    def backpropagate(self, ops, params, cache, DY):
        return (DY, ())


@dataclass(frozen=True)
class WhereTies(Layer):
    """where(H <= 0, 5X, X) with H = relu X; backward by H < 0"""

    def feedforward(self, ops, params, X):
        H = ops.maximum(X, zeros_like(ops, X))
        return (ops.where(ops.less_equal(H, zeros_like(ops, X)), 5 * X, X), H)

    def backpropagate(self, ops, params, cache, DY):
        return (ops.where(ops.less(cache, zeros_like(ops, cache)), 5 * DY, DY), ())


@dataclass(frozen=True)
class TinyEpsilonConstant(Layer):
    """1e-12 constant inside: forgotten"""

    def feedforward(self, ops, params, X):
        return (ops.hadamard(X, X + 1e-16 * ops.hadamard(X, X)), X)

    def backpropagate(self, ops, params, cache, DY):
        return (2 * ops.hadamard(DY, cache), ())


@dataclass(frozen=True)
class SlightlyMore(Layer):
    def feedforward(self, ops, params, X):
        return (X, ())

    def backpropagate(self, ops, params, cache, DY):
        return (1.00000000000001 * DY, ())


@dataclass(frozen=True)
class QuotientOfMasks(Layer):
    """quotient([x<0],[x<0]) taken for 1"""

    def feedforward(self, ops, params, X):
        b = ops.less(X, zeros_like(ops, X))
        return (ops.hadamard(X, ops.quotient(b, b)), ())

    def backpropagate(self, ops, params, cache, DY):
        return (DY, ())


@dataclass(frozen=True)
class QuotientSelf(Layer):
    """relu(x)/relu(x) taken for 1"""

    def feedforward(self, ops, params, X):
        H = ops.maximum(X, zeros_like(ops, X))
        return (ops.hadamard(X, ops.quotient(H, H)), ())

    def backpropagate(self, ops, params, cache, DY):
        return (DY, ())


@dataclass(frozen=True)
class VacuousRowSum(Layer):
    """log(-(sum of squares) ): never defined"""

    def outputs_for(self, D):
        return 1

    def feedforward(self, ops, params, X):
        return (ops.log(-ops.rows_sum(ops.exp(X))), X)

    def backpropagate(self, ops, params, cache, DY):
        E = ops.exp(cache)
        D = ops.shape(E)[1]
        return (ops.hadamard(E, rep(ops, ops.hadamard(DY, ops.reciprocal(ops.rows_sum(E))), D)), ())


@dataclass(frozen=True)
class NoisyMaxActivation(Activation):
    """x times [x is the row's largest]"""

    def value(self, ops, X):
        return ops.hadamard(X, ops.equal(X, rep(ops, ops.rows_max(X), ops.shape(X)[1])))

    def gradient(self, ops, X):
        return ones_like(ops, X)


@dataclass(frozen=True)
class WrongForOneColumn(Layer):
    """x - mean(x) is not 0 almost everywhere, but for D = 1"""

    def feedforward(self, ops, params, X):
        return (X, X - rep(ops, ops.rows_mean(X), ops.shape(X)[1]))

    def backpropagate(self, ops, params, R, DY):
        return (had(ops, DY, ops.less(R, zeros_like(ops, R)) + ops.less(zeros_like(ops, R), R)), ())


@dataclass(frozen=True)
class WrongAtTheBound(Layer):
    """1 if lam > 0, at every x"""

    lam: NonNegative = 0.5

    def feedforward(self, ops, params, X):
        return (X, X)

    def backpropagate(self, ops, params, X, DY):
        L = ops.full(self.lam, *ops.shape(X))
        return (ops.hadamard(DY, ops.less(-L, L)), ())


@dataclass(frozen=True)
class RootOfASquare(Layer):
    a: float = 0.5

    def feedforward(self, ops, params, X):
        return (math.sqrt(self.a**2) * X, ())

    def backpropagate(self, ops, params, cache, DY):
        return (self.a * DY, ())


@dataclass(frozen=True)
class CosineForSine(Layer):
    """equal at the default value"""

    a: float = math.pi / 4

    def feedforward(self, ops, params, X):
        return (math.cos(self.a) * X, ())

    def backpropagate(self, ops, params, cache, DY):
        return (math.sin(self.a) * DY, ())


@dataclass(frozen=True)
class PartsInAnotherOrder(Layer):
    """[X X·Wᵀ], whose gradient is divided as that of [X·Wᵀ X]: right where X is as wide as X·Wᵀ and W = 1"""

    outputs: Count = 3

    def outputs_for(self, D):
        return D + self.outputs

    def shapes(self, D):
        return ((self.outputs, D),)

    def feedforward(self, ops, params, X):
        return (ops.join_columns(X, X @ ops.transpose(params[0])), X)

    def backpropagate(self, ops, params, X, DY):
        D = ops.shape(X)[1]
        A, B = (ops.column_range(DY, self.outputs, D), ops.column_range(DY, 0, self.outputs))
        return (A + B @ params[0], (ops.transpose(B) @ X,))
