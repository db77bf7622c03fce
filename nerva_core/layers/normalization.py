"""Normalisation of rows: what an example, or a position of it, is divided by does not depend on the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, NamedTuple

from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.algebra.registry import Positive
from nerva_core.equations.initializers import Constant, Zero
from nerva_core.layers.base import LAYERS, Layer


class LayerNormParameters(NamedTuple, Generic[M]):
    """γ and β, each 1 x D."""

    gamma: M
    beta: M


class RMSNormParameters(NamedTuple, Generic[M]):
    """γ, 1 x D."""

    gamma: M


class RowNormCache(NamedTuple, Generic[M]):
    """Z is N x D, the normalised rows; inv_sqrt_Sigma is N x 1."""

    Z: M
    inv_sqrt_Sigma: M


@LAYERS.add
@dataclass(frozen=True)
class LayerNorm(Layer):
    """Y = (1_N · γ) ⊙ Z + 1_N · β, Z = R ⊙ ((Σ + ε)^(-1/2) · 1_Dᵀ), R the rows less their mean, Σ their variance (Ba et al. 2016)."""

    aliases = ("LayerNormalization",)

    epsilon: Positive = 1e-5

    def shapes(self, D: Size) -> LayerNormParameters:
        return LayerNormParameters(gamma=(1, D), beta=(1, D))

    def initializers(self) -> LayerNormParameters:
        return LayerNormParameters(gamma=Constant(1.0), beta=Zero())

    def feedforward(self, ops: MatrixOps[M], params: LayerNormParameters[M], X: M) -> tuple[M, RowNormCache[M]]:
        gamma, beta = params
        N, D = ops.shape(X)
        R = X - ops.column_repeat(ops.rows_mean(X), D)
        Sigma = ops.rows_mean(ops.hadamard(R, R))
        inv_sqrt_Sigma = ops.inv_sqrt(Sigma + ops.full(self.epsilon, N, 1))
        Z = ops.hadamard(R, ops.column_repeat(inv_sqrt_Sigma, D))
        Y = ops.hadamard(ops.row_repeat(gamma, N), Z) + ops.row_repeat(beta, N)
        return Y, RowNormCache(Z, inv_sqrt_Sigma)

    def backpropagate(
        self, ops: MatrixOps[M], params: LayerNormParameters[M], cache: RowNormCache[M], DY: M
    ) -> tuple[M, LayerNormParameters[M]]:
        gamma, _ = params
        Z, inv_sqrt_Sigma = cache
        N, D = ops.shape(Z)
        Dgamma = ops.columns_sum(ops.hadamard(Z, DY))
        Dbeta = ops.columns_sum(DY)
        DZ = ops.hadamard(ops.row_repeat(gamma, N), DY)
        mean = ops.column_repeat(ops.rows_mean(DZ), D)
        along = ops.hadamard(Z, ops.column_repeat(ops.rows_mean(ops.hadamard(Z, DZ)), D))
        DX = ops.hadamard(ops.column_repeat(inv_sqrt_Sigma, D), DZ - mean - along)
        return DX, LayerNormParameters(Dgamma, Dbeta)


@LAYERS.add
@dataclass(frozen=True)
class RMSNorm(Layer):
    """Y = (1_N · γ) ⊙ Z, Z = X ⊙ ((Σ + ε)^(-1/2) · 1_Dᵀ), Σ the mean of the squares of each row (Zhang, Sennrich 2019)."""

    epsilon: Positive = 1e-5

    def shapes(self, D: Size) -> RMSNormParameters:
        return RMSNormParameters(gamma=(1, D))

    def initializers(self) -> RMSNormParameters:
        return RMSNormParameters(gamma=Constant(1.0))

    def feedforward(self, ops: MatrixOps[M], params: RMSNormParameters[M], X: M) -> tuple[M, RowNormCache[M]]:
        (gamma,) = params
        N, D = ops.shape(X)
        Sigma = ops.rows_mean(ops.hadamard(X, X))
        inv_sqrt_Sigma = ops.inv_sqrt(Sigma + ops.full(self.epsilon, N, 1))
        Z = ops.hadamard(X, ops.column_repeat(inv_sqrt_Sigma, D))
        return ops.hadamard(ops.row_repeat(gamma, N), Z), RowNormCache(Z, inv_sqrt_Sigma)

    def backpropagate(
        self, ops: MatrixOps[M], params: RMSNormParameters[M], cache: RowNormCache[M], DY: M
    ) -> tuple[M, RMSNormParameters[M]]:
        (gamma,) = params
        Z, inv_sqrt_Sigma = cache
        N, D = ops.shape(Z)
        Dgamma = ops.columns_sum(ops.hadamard(Z, DY))
        DZ = ops.hadamard(ops.row_repeat(gamma, N), DY)
        along = ops.hadamard(Z, ops.column_repeat(ops.rows_mean(ops.hadamard(Z, DZ)), D))
        DX = ops.hadamard(ops.column_repeat(inv_sqrt_Sigma, D), DZ - along)
        return DX, RMSNormParameters(Dgamma)
