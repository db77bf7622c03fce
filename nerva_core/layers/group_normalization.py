"""Normalisation of groups of channels over the positions of each example (Wu and He 2018), and of each channel (Ulyanov et al. 2016)."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass, field, replace
from typing import Generic, NamedTuple

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.algebra.registry import Count, Positive
from nerva_core.equations.initializers import Constant, Zero
from nerva_core.layers.base import LAYERS, Layer, Positions, Symbols


class GroupNormParameters(NamedTuple, Generic[M]):
    """γ and β, each 1 x C."""

    gamma: M
    beta: M


class GroupNormCache(NamedTuple, Generic[M]):
    """Families with a member for every example and group: Z is P x A, the normalised elements; inv_sqrt_Sigma is 1 x 1."""

    Z: M
    inv_sqrt_Sigma: M


@dataclass(frozen=True, kw_only=True)
class _NormalizationOfGroups(Layer):
    """X is N·P x C, examples of P positions; the P x A elements of each example and group have one mean and one variance Σ."""

    epsilon: Positive = 1e-5
    positions: Size = field(default=1, repr=False)
    """P, which the layers before it determine."""

    @abstractmethod
    def width(self, C: Size) -> Size:
        """A, the number of channels of a group."""

    def bind(self, positions: Positions | None) -> tuple[Layer, Positions | None]:
        count = math.prod(positions or ())
        return (self if count == self.positions or positions is None else replace(self, positions=count)), positions

    def can_go_on(self) -> bool:
        return bool(self.positions == 1)

    def for_any_data(self, symbols: Symbols) -> Layer:
        return replace(self, positions=symbols.size("P"))

    def shape_of_input(self, symbols: Symbols) -> tuple[Size, Size]:
        return symbols.size("N") * self.positions, symbols.size("C")

    def outputs_for(self, D: Size) -> Size:
        self.width(D)
        return D

    def shapes(self, D: Size) -> GroupNormParameters:
        return GroupNormParameters(gamma=(1, D), beta=(1, D))

    def initializers(self) -> GroupNormParameters:
        return GroupNormParameters(gamma=Constant(1.0), beta=Zero())

    def feedforward(self, ops: MatrixOps[M], params: GroupNormParameters[M], X: M) -> tuple[M, GroupNormCache[M]]:
        gamma, beta = params
        NP, C = ops.shape(X)
        P, A = self.positions, self.width(C)
        F = ops.split(X, P, A)
        R = F - ops.fill(_mean(ops, F), P, A)
        Sigma = _mean(ops, ops.hadamard(R, R))
        inv_sqrt_Sigma = ops.inv_sqrt(Sigma + ops.full(self.epsilon, 1, 1))
        Z = ops.hadamard(R, ops.fill(inv_sqrt_Sigma, P, A))
        Y = ops.hadamard(ops.row_repeat(gamma, NP), ops.join(Z, NP // P)) + ops.row_repeat(beta, NP)
        return Y, GroupNormCache(Z, inv_sqrt_Sigma)

    def backpropagate(
        self, ops: MatrixOps[M], params: GroupNormParameters[M], cache: GroupNormCache[M], DY: M
    ) -> tuple[M, GroupNormParameters[M]]:
        gamma, _ = params
        Z, inv_sqrt_Sigma = cache
        NP, _ = ops.shape(DY)
        P, A = ops.shape(Z)
        Dgamma = ops.columns_sum(ops.hadamard(ops.join(Z, NP // P), DY))
        Dbeta = ops.columns_sum(DY)
        DZ = ops.split(ops.hadamard(ops.row_repeat(gamma, NP), DY), P, A)
        along = ops.hadamard(Z, ops.fill(_mean(ops, ops.hadamard(Z, DZ)), P, A))
        DF = ops.hadamard(ops.fill(inv_sqrt_Sigma, P, A), DZ - ops.fill(_mean(ops, DZ), P, A) - along)
        return ops.join(DF, NP // P), GroupNormParameters(Dgamma, Dbeta)


def _mean(ops: MatrixOps[M], F: M) -> M:
    """The mean of all elements of each member, 1 x 1."""
    return ops.rows_mean(ops.columns_mean(F))


@LAYERS.add
@dataclass(frozen=True)
class GroupNorm(_NormalizationOfGroups):
    """Y = (1 · γ) ⊙ Z + 1 · β, Z = R ⊙ (Σ + ε)^(-1/2): for every example and each of G groups of channels, X less its mean, R, over the
    root of its variance Σ; both are those of the elements of all positions of the example and all channels of the group."""

    aliases = ("GroupNormalization",)

    groups: Count

    def width(self, C: Size) -> Size:
        if isinstance(C, int) and C % self.groups:
            raise NervaError(f"{self!r}: the number of channels must be a multiple of {self.groups}, the groups, got {C}")
        return C // self.groups

    def for_any_data(self, symbols: Symbols) -> Layer:
        return replace(self, positions=symbols.size("P"), groups=symbols.size("G"))

    def shape_of_input(self, symbols: Symbols) -> tuple[Size, Size]:
        return symbols.size("N") * self.positions, self.groups * symbols.size("A")


@LAYERS.add
@dataclass(frozen=True)
class InstanceNorm(_NormalizationOfGroups):
    """Y = (1 · γ) ⊙ Z + 1 · β, Z = R ⊙ (Σ + ε)^(-1/2): for every example and channel, X less its mean over the positions, R, over the root
    of its variance Σ."""

    aliases = ("InstanceNorm1d", "InstanceNorm2d")

    def width(self, C: Size) -> Size:
        return 1
