"""Scaled dot-product attention (Vaswani et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Generic, NamedTuple

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import M, MatrixOps, Scalar, Size
from nerva_core.algebra.registry import Count
from nerva_core.layers.base import LAYERS, Layer, Symbols
from nerva_core.layers.sequence import SequenceLayer


class AttentionCache(NamedTuple, Generic[M]):
    """Families with a member for every example and head: Q, K and V are L x A, P is L x L."""

    Q: M
    K: M
    V: M
    P: M


@LAYERS.add
@dataclass(frozen=True)
class Attention(SequenceLayer):
    """Y = P · V, P = softmax(Q · Kᵀ / √A) under the mask, for every example and head of X = [Q K V].

    X is N·L x 3·G·A, the queries, keys and values of G heads with A columns each; Y is N·L x G·A. If ``causal``, a position sees itself
    and those before it.
    """

    heads: Count
    causal: bool = False

    def outputs_for(self, D: Size) -> Size:
        if isinstance(D, int) and D % (3 * self.heads):
            raise NervaError(f"{self!r}: X is [Q K V] with {self.heads} heads each, so 3 · {self.heads} must divide its columns, got {D}")
        return D // 3

    def for_any_data(self, symbols: Symbols) -> Layer:
        return replace(self, length=symbols.size("L"), heads=symbols.size("G"))

    def shape_of_input(self, symbols: Symbols) -> tuple[Size, Size]:
        return symbols.size("N") * self.L, 3 * (self.heads * symbols.size("A"))

    def feedforward(self, ops: MatrixOps[M], params: tuple[()], X: M) -> tuple[M, AttentionCache[M]]:
        NL, HA = ops.shape(X)[0], ops.shape(X)[1] // 3
        A = HA // self.heads
        Q, K, V = (ops.split(ops.column_part(X, k, 3), self.L, A) for k in range(3))
        S = ops.scale(self._scale(ops, A), Q @ ops.transpose(K))
        P = ops.masked_softmax(S, self._mask(ops))
        Y = P @ V
        return ops.join(Y, NL // self.L), AttentionCache(Q, K, V, P)

    def backpropagate(self, ops: MatrixOps[M], params: tuple[()], cache: AttentionCache[M], DY: M) -> tuple[M, tuple[()]]:
        Q, K, V, P = cache
        N, A = ops.shape(DY)[0] // self.L, ops.shape(Q)[1]
        DH = ops.split(DY, self.L, A)
        DV = ops.transpose(P) @ DH
        DP = DH @ ops.transpose(V)
        DS = ops.scale(self._scale(ops, A), ops.softmax_inputs(P, DP))
        DQ = DS @ K
        DK = ops.transpose(DS) @ Q
        return ops.join_column_parts(*(ops.join(D, N) for D in (DQ, DK, DV))), ()

    def _scale(self, ops: MatrixOps[M], A: Size) -> Scalar:
        return ops.size_power(A, -0.5)

    def _mask(self, ops: MatrixOps[M]) -> M:
        return ops.lower_ones(self.L) if self.causal else ops.ones(self.L, self.L)
