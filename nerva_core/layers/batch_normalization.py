"""Batch normalization (Nerva specification, section 4 and equation 25)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, NamedTuple

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.algebra.registry import Fraction, NonNegative
from nerva_core.equations.initializers import Constant, Zero
from nerva_core.layers.base import LAYERS, Layer, require_columns


class BatchNormalizationParameters(NamedTuple, Generic[M]):
    """γ and β, each 1 x D."""

    gamma: M
    beta: M


class BatchNormalizationCache(NamedTuple, Generic[M]):
    """Z is N x D; (Σ + ε)^(-1/2), the mean and Σ of the batch are 1 x D."""

    Z: M
    inv_sqrt_Sigma: M
    mean: M
    Sigma: M


class RunningStatistics(NamedTuple, Generic[M]):
    """Averages of the batches' mean and Σ, each 1 x D, with which an input is normalised at inference."""

    mean: M
    Sigma: M


def require_rows(N: Size) -> None:
    """NervaError for an empty batch: its mean is not a number, and would stay in the running statistics."""
    if isinstance(N, int) and N == 0:
        raise NervaError("BatchNormalization needs at least one example in a batch, got none")


@LAYERS.add
@dataclass(frozen=True)
class BatchNormalization(Layer):
    """Y = (1_N · γ) ⊙ Z + 1_N · β, with Z = (1_N · (Σ + ε)^(-1/2)) ⊙ R and R = X - 1_N · mean(X).

    Σ is the variance of the columns, divided by N. ε is part of the equation, and equation (25) stays exact with it (erratum 004-23).
    DX is computed in O(ND), without the N x N matrices of equation (25):
    DX = (1_N · (Σ + ε)^(-1/2)) ⊙ (DZ - 1_N · mean(DZ) - Z ⊙ (1_N · mean(Z ⊙ DZ))).

    The running statistics are averaged with ``momentum``: new = momentum · old + (1 - momentum) · batch, starting from 0 and 1.
    """

    aliases = ("BatchNorm", "BatchNorm1d", "BatchNorm2d", "BatchNorm3d")
    epsilon: NonNegative = 1e-5
    momentum: Fraction = 0.9

    def shapes(self, D: Size) -> BatchNormalizationParameters:
        return BatchNormalizationParameters(gamma=(1, D), beta=(1, D))

    def initializers(self) -> BatchNormalizationParameters:
        return BatchNormalizationParameters(gamma=Constant(1.0), beta=Zero())

    def feedforward(self, ops: MatrixOps[M], params: BatchNormalizationParameters[M], X: M) -> tuple[M, BatchNormalizationCache[M]]:
        gamma, _ = params
        require_columns(self, ops, X, ops.shape(gamma)[1])
        N, _ = ops.shape(X)
        require_rows(N)
        mean = ops.columns_mean(X)
        R = X - ops.row_repeat(mean, N)
        Sigma = ops.columns_mean(ops.hadamard(R, R))
        inv_sqrt_Sigma = self._inv_sqrt(ops, Sigma)
        Z = ops.hadamard(ops.row_repeat(inv_sqrt_Sigma, N), R)
        Y = self._affine(ops, params, Z)
        return Y, BatchNormalizationCache(Z, inv_sqrt_Sigma, mean, Sigma)

    def backpropagate(
        self, ops: MatrixOps[M], params: BatchNormalizationParameters[M], cache: BatchNormalizationCache[M], DY: M
    ) -> tuple[M, BatchNormalizationParameters[M]]:
        gamma, _ = params
        Z, inv_sqrt_Sigma = cache.Z, cache.inv_sqrt_Sigma
        N, _ = ops.shape(DY)
        DZ = ops.hadamard(ops.row_repeat(gamma, N), DY)
        Dbeta = ops.columns_sum(DY)
        Dgamma = ops.columns_sum(ops.hadamard(Z, DY))
        DX = ops.hadamard(
            ops.row_repeat(inv_sqrt_Sigma, N),
            DZ - ops.row_repeat(ops.columns_mean(DZ), N) - ops.hadamard(Z, ops.row_repeat(ops.columns_mean(ops.hadamard(Z, DZ)), N)),
        )
        return DX, BatchNormalizationParameters(Dgamma, Dbeta)

    def evaluate(self, ops: MatrixOps[M], params: BatchNormalizationParameters[M], state: RunningStatistics[M], X: M) -> M:
        """The equations of ``feedforward`` with the running mean and Σ in place of the batch's."""
        N, _ = ops.shape(X)
        R = X - ops.row_repeat(state.mean, N)
        Z = ops.hadamard(ops.row_repeat(self._inv_sqrt(ops, state.Sigma), N), R)
        return self._affine(ops, params, Z)

    def initial_state(self, D: int) -> RunningStatistics:
        return RunningStatistics(mean=np.zeros((1, D)), Sigma=np.ones((1, D)))

    def update_state(self, ops: MatrixOps[M], state: RunningStatistics[M], cache: BatchNormalizationCache[M]) -> RunningStatistics[M]:
        rho = self.momentum
        return RunningStatistics(rho * state.mean + (1 - rho) * cache.mean, rho * state.Sigma + (1 - rho) * cache.Sigma)

    def _inv_sqrt(self, ops: MatrixOps[M], Sigma: M) -> M:
        return ops.inv_sqrt(Sigma + self.epsilon * ops.ones(*ops.shape(Sigma)))

    def _affine(self, ops: MatrixOps[M], params: BatchNormalizationParameters[M], Z: M) -> M:
        gamma, beta = params
        N, _ = ops.shape(Z)
        result: M = ops.hadamard(ops.row_repeat(gamma, N), Z) + ops.row_repeat(beta, N)
        return result
