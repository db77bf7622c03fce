"""Layers of a user that are right: of modern practice, and with ties."""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

from nerva_core.algebra.registry import Count, Positive
from nerva_core.equations.activations import Activation
from nerva_core.layers import Layer


class W1(NamedTuple):
    W: Any


class P4(NamedTuple):
    Q: Any
    K: Any
    V: Any
    O: Any  # noqa: E741


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


def softmax(ops, S):
    E = ops.exp(S - rep(ops, ops.rows_max(S), ops.shape(S)[1]))
    return ops.hadamard(E, rep(ops, ops.reciprocal(ops.rows_sum(E)), ops.shape(S)[1]))


def softmax_back(ops, P, DP):
    return ops.hadamard(P, DP - rep(ops, ops.rows_sum(ops.hadamard(P, DP)), ops.shape(P)[1]))


@dataclass(frozen=True)
class L1Normalize(Layer):
    def feedforward(self, ops, params, X):
        D = ops.shape(X)[1]
        r = ops.reciprocal(ops.rows_sum(ops.abs(X)))
        Z = ops.hadamard(X, rep(ops, r, D))
        return (Z, (X, Z, r))

    def backpropagate(self, ops, params, cache, DY):
        X, Z, r = cache
        D = ops.shape(Z)[1]
        return (ops.hadamard(rep(ops, r, D), DY - ops.hadamard(ops.sign(X), rep(ops, ops.rows_sum(ops.hadamard(DY, Z)), D))), ())


@dataclass(frozen=True)
class CosineSimilarity(Layer):
    """x · w_k / (|x| |w_k|)"""

    outputs: Count

    def outputs_for(self, D):
        return self.outputs

    def shapes(self, D):
        return W1((self.outputs, D))

    def unit(self, ops, X):
        r = ops.inv_sqrt(ops.rows_sum(ops.hadamard(X, X)))
        return (ops.hadamard(X, rep(ops, r, ops.shape(X)[1])), r)

    def back(self, ops, Z, r, D):
        n = ops.shape(Z)[1]
        return ops.hadamard(rep(ops, r, n), D - ops.hadamard(Z, rep(ops, ops.rows_sum(ops.hadamard(D, Z)), n)))

    def feedforward(self, ops, params, X):
        A, r = self.unit(ops, X)
        B, s = self.unit(ops, params.W)
        return (A @ ops.transpose(B), (A, r, B, s))

    def backpropagate(self, ops, params, cache, DY):
        A, r, B, s = cache
        return (self.back(ops, A, r, DY @ B), W1(self.back(ops, B, s, ops.transpose(DY) @ A)))


@dataclass(frozen=True)
class SelfAttentionOut(Layer):
    """softmax(c Q Kᵀ) V Oᵀ, full attention on one sequence"""

    c: Positive = 0.25

    def shapes(self, D):
        return P4((D, D), (D, D), (D, D), (D, D))

    def feedforward(self, ops, params, X):
        T = ops.transpose
        Q, K, V = (X @ T(params.Q), X @ T(params.K), X @ T(params.V))
        P = softmax(ops, self.c * (Q @ T(K)))
        H = P @ V
        return (H @ T(params.O), (X, Q, K, V, P, H))

    def backpropagate(self, ops, params, cache, DY):
        X, Q, K, V, P, H = cache
        T = ops.transpose
        DH = DY @ params.O
        DV = T(P) @ DH
        DS = self.c * softmax_back(ops, P, DH @ T(V))
        DQ, DK = (DS @ K, T(DS) @ Q)
        return (DQ @ params.Q + DK @ params.K + DV @ params.V, P4(T(DQ) @ X, T(DK) @ X, T(DV) @ X, T(DY) @ H))


@dataclass(frozen=True)
class MinPool(Layer):
    def outputs_for(self, D):
        return 1

    def feedforward(self, ops, params, X):
        return (-ops.rows_max(-X), X)

    def backpropagate(self, ops, params, cache, DY):
        D = ops.shape(cache)[1]
        return (ops.hadamard(rep(ops, DY, D), ops.equal(-cache, rep(ops, ops.rows_max(-cache), D))), ())


@dataclass(frozen=True)
class RangePool(Layer):
    """max - min"""

    def outputs_for(self, D):
        return 1

    def feedforward(self, ops, params, X):
        return (ops.rows_max(X) + ops.rows_max(-X), X)

    def backpropagate(self, ops, params, cache, DY):
        X = cache
        D = ops.shape(X)[1]

        def E(A):
            return ops.equal(A, rep(ops, ops.rows_max(A), D))

        return (ops.hadamard(rep(ops, DY, D), E(X) - E(-X)), ())


@dataclass(frozen=True)
class ColumnMax(Layer):
    def feedforward(self, ops, params, X):
        return (ops.row_repeat(ops.columns_max(X), ops.shape(X)[0]), X)

    def backpropagate(self, ops, params, cache, DY):
        X = cache
        N = ops.shape(X)[0]
        M = ops.row_repeat(ops.columns_max(X), N)
        return (ops.hadamard(ops.row_repeat(ops.columns_sum(DY), N), ops.equal(X, M)), ())


@dataclass(frozen=True)
class MaxOfLinear(Layer):
    """max_k (x · w_k)"""

    outputs: Count

    def outputs_for(self, D):
        return 1

    def shapes(self, D):
        return W1((self.outputs, D))

    def feedforward(self, ops, params, X):
        H = X @ ops.transpose(params.W)
        return (ops.rows_max(H), (X, H))

    def backpropagate(self, ops, params, cache, DY):
        X, H = cache
        K = ops.shape(H)[1]
        DH = ops.hadamard(rep(ops, DY, K), ops.equal(H, rep(ops, ops.rows_max(H), K)))
        return (DH @ params.W, W1(ops.transpose(DH) @ X))


@dataclass(frozen=True)
class MaxAbsScale(Layer):
    """x / (1 + max |x|)"""

    def feedforward(self, ops, params, X):
        N, D = ops.shape(X)
        A = ops.abs(X)
        M = ops.rows_max(A)
        r = ops.reciprocal(ops.ones(N, 1) + M)
        E = ops.hadamard(ops.equal(A, rep(ops, M, D)), ops.sign(X))
        Y = ops.hadamard(X, rep(ops, r, D))
        return (Y, (Y, r, E))

    def backpropagate(self, ops, params, cache, DY):
        Y, r, E = cache
        D = ops.shape(Y)[1]
        return (ops.hadamard(rep(ops, r, D), DY - ops.hadamard(E, rep(ops, ops.rows_sum(ops.hadamard(DY, Y)), D))), ())


@dataclass(frozen=True)
class HardAttention(Layer):
    """winner takes all: x at the maximum, 0 elsewhere"""

    def feedforward(self, ops, params, X):
        E = ops.equal(X, rep(ops, ops.rows_max(X), ops.shape(X)[1]))
        return (ops.hadamard(X, E), E)

    def backpropagate(self, ops, params, cache, DY):
        return (ops.hadamard(DY, cache), ())


@dataclass(frozen=True)
class HardAttention2(Layer):
    """max times the winner's mask: the derivative goes by the sum over the row of DY at the winner"""

    def feedforward(self, ops, params, X):
        D = ops.shape(X)[1]
        M = rep(ops, ops.rows_max(X), D)
        E = ops.equal(X, M)
        return (ops.hadamard(M, E), E)

    def backpropagate(self, ops, params, cache, DY):
        return (ops.hadamard(DY, cache), ())


@dataclass(frozen=True)
class ResponseNorm(Layer):
    """GRN of ConvNeXt V2: x g_d / mean_d g, g = column norms"""

    epsilon: Positive = 1e-06

    def feedforward(self, ops, params, X):
        N, D = ops.shape(X)
        g = ops.sqrt(ops.columns_sum(ops.hadamard(X, X)) + ops.full(self.epsilon, 1, D))
        m = ops.rows_mean(g)
        s = ops.hadamard(g, rep(ops, ops.reciprocal(m), D))
        return (ops.hadamard(X, ops.row_repeat(s, N)), (X, g, m, s))

    def backpropagate(self, ops, params, cache, DY):
        X, g, m, s = cache
        N, D = ops.shape(X)
        ds = ops.columns_sum(ops.hadamard(DY, X))
        t = ops.rows_mean(ops.hadamard(ds, s))
        dg = ops.hadamard(ds - rep(ops, t, D), rep(ops, ops.reciprocal(m), D))
        return (ops.hadamard(DY, ops.row_repeat(s, N)) + ops.hadamard(X, ops.row_repeat(ops.hadamard(dg, ops.reciprocal(g)), N)), ())


@dataclass(frozen=True)
class LabelSmoothing(Layer):
    """(1 - ε) log softmax + ε mean log softmax"""

    epsilon: Positive = 0.1

    def feedforward(self, ops, params, X):
        D = ops.shape(X)[1]
        M = rep(ops, ops.rows_max(X), D)
        Z = X - M
        L = Z - rep(ops, ops.log(ops.rows_sum(ops.exp(Z))), D)
        return ((1 - self.epsilon) * L + self.epsilon * rep(ops, ops.rows_mean(L), D), ops.exp(L))

    def backpropagate(self, ops, params, cache, DY):
        P = cache
        D = ops.shape(P)[1]
        DL = (1 - self.epsilon) * DY + self.epsilon * rep(ops, ops.rows_mean(DY), D)
        return (DL - ops.hadamard(P, rep(ops, ops.rows_sum(DL), D)), ())


@dataclass(frozen=True)
class Softshrink(Layer):
    lam: Positive = 0.5

    def feedforward(self, ops, params, X):
        threshold = ops.full(self.lam, *ops.shape(X))
        z = zeros_like(ops, X)
        return (ops.maximum(X - threshold, z) - ops.maximum(-X - threshold, z), X)

    def backpropagate(self, ops, params, cache, DY):
        threshold = ops.full(self.lam, *ops.shape(cache))
        return (ops.hadamard(DY, ops.less(threshold, cache) + ops.less(cache, -threshold)), ())


@dataclass(frozen=True)
class SELUFixed(Layer):
    def feedforward(self, ops, params, X):
        return (1.0507009873554805 * ops.where(ops.less(X, zeros_like(ops, X)), 1.6732632423543772 * ops.expm1(X), X), X)

    def backpropagate(self, ops, params, cache, DY):
        return (
            ops.where(
                ops.less(cache, zeros_like(ops, cache)),
                1.0507009873554805 * 1.6732632423543772 * ops.hadamard(DY, ops.exp(cache)),
                1.0507009873554805 * DY,
            ),
            (),
        )


@dataclass(frozen=True)
class GeluTanh(Activation):
    def value(self, ops, X):
        return 0.5 * ops.hadamard(X, ones_like(ops, X) + ops.tanh(math.sqrt(2 / math.pi) * (X + 0.044715 * had(ops, X, X, X))))

    def gradient(self, ops, X):
        c = math.sqrt(2 / math.pi)
        t = ops.tanh(c * (X + 0.044715 * had(ops, X, X, X)))
        one = ones_like(ops, X)
        return 0.5 * (one + t) + 0.5 * had(ops, X, one - ops.hadamard(t, t), c * (one + 3 * 0.044715 * ops.hadamard(X, X)))


@dataclass(frozen=True)
class HardSwish(Activation):
    def value(self, ops, X):
        return ops.hadamard(X, ops.clip(X + ops.full(3, *ops.shape(X)), 0, 6)) / 6

    def gradient(self, ops, X):
        three = ops.full(3, *ops.shape(X))
        inside = ops.hadamard(ops.less(-three, X), ops.less(X, three))
        return ops.clip(X + three, 0, 6) / 6 + ops.hadamard(X, inside) / 6
