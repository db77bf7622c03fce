"""Attention in which several queries share a key and a value (Ainslie et al. 2023; with one head, Shazeer 2019)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Generic, NamedTuple

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.algebra.registry import Count
from nerva_core.algebra.trees import Tree
from nerva_core.layers.attention import if_any
from nerva_core.layers.base import LAYERS, Symbols
from nerva_core.layers.continuation import Place
from nerva_core.layers.sequence import AttendingLayer


class GroupedQueryCache(NamedTuple, Generic[M]):
    """Families with a member for every example and head: Q is L·m x A, K and V are L x A, P is L·m x L; if any, r is L·m x 1."""

    Q: M
    K: M
    V: M
    P: M
    r: tuple[M, ...]


@LAYERS.add
@dataclass(frozen=True)
class GroupedQueryAttention(AttendingLayer):
    """Y = P · V, P = softmax(Q · Kᵀ / √A) under the mask, for every example and head, where Q has m rows at each position.

    X = [Q_1 ... Q_m K V] is N·L x (m + 2)·G·A: m = ``queries`` share the keys and values of G ``heads`` with A columns each; Y is
    N·L x m·G·A. If ``causal``, a position sees itself and those before it. If ``padded``, padding neither receives nor gives, as in
    Attention.
    """

    heads: Count
    queries: Count = 2
    causal: bool = True

    def outputs_for(self, D: Size) -> Size:
        parts = self.queries + 2
        if isinstance(D, int) and D % (parts * self.heads):
            raise NervaError(f"{self!r}: X is [Q_1 ... K V], so {parts} · {self.heads} must divide its columns, got {D}")
        return self.queries * (D // parts)

    def shape_of_input(self, symbols: Symbols) -> tuple[Size, Size]:
        return symbols.size("N") * self.L, (self.queries + 2) * (self.heads * symbols.size("A"))

    def feedforward(self, ops: MatrixOps[M], params: tuple[()], X: M, *given: M) -> tuple[M, GroupedQueryCache[M]]:
        m = self.queries
        *queries, K, V = self._families(ops, X, m + 2)
        Q = self._as_rows(ops, queries)
        S = ops.scale(self.scale(ops, K), Q @ ops.transpose(K))
        there = self.there(ops, given[0]) if self.padded else None
        P = ops.masked_softmax(S, self._as_rows(ops, [self.mask(ops, self._causal(ops), there, there)] * m))
        r = None if there is None else self._as_rows(ops, [there] * m)
        H = self.received(ops, r, P @ V)
        return ops.join_column_parts(*self._as_columns(ops, H, X)), GroupedQueryCache(Q, K, V, P, if_any(r))

    def backpropagate(self, ops: MatrixOps[M], params: tuple[()], cache: GroupedQueryCache[M], DY: M) -> tuple[M, tuple[()]]:
        Q, K, V, P, rest = cache
        r = rest[0] if rest else None
        N = ops.shape(DY)[0] // self.L
        DH = self.received(ops, r, self._as_rows(ops, self._families(ops, DY, self.queries)))
        DV = ops.transpose(P) @ DH
        DP = DH @ ops.transpose(V)
        DS = ops.scale(self.scale(ops, K), ops.softmax_inputs(P, DP))
        DQ = DS @ K
        DK = ops.transpose(DS) @ Q
        return ops.join_column_parts(*self._as_columns(ops, DQ, DY), ops.join(DK, N), ops.join(DV, N)), ()

    def evaluate(self, ops: MatrixOps[M], params: tuple[()], state: tuple[()], X: M, *given: M) -> M:
        return self.feedforward(ops, params, X, *given)[0]

    def can_go_on(self) -> bool:
        return self.causal and not self.padded

    def past(self, ops: MatrixOps[M], D: Size) -> Any:
        """K and V of all positions, zeros where nothing is known yet."""
        nothing = ops.family(*[ops.zeros(self.L, D // (self.queries + 2) // self.heads)] * self.heads)
        return nothing, nothing

    def go_on(self, ops: MatrixOps[M], params: Tree, state: Tree, past: Any, x: M, place: Place[M]) -> tuple[M, Tree]:
        one = replace(self, length=1)
        *queries, k, v = one._families(ops, x, self.queries + 2)
        K, V = (before + place.e @ new for before, new in zip(past, (k, v), strict=True))
        s = ops.scale(self.scale(ops, K), one._as_rows(ops, queries) @ ops.transpose(K))
        p = ops.masked_softmax(s, ops.row_repeat(place.seen, self.queries))
        return ops.join_column_parts(*one._as_columns(ops, p @ V, x)), (K, V)

    def _families(self, ops: MatrixOps[M], X: M, count: int) -> list[M]:
        """The parts of the columns of X, each with a member L x A for every example and head."""
        return [self.of_heads(ops, ops.column_part(X, k, count)) for k in range(count)]

    def _as_rows(self, ops: MatrixOps[M], parts: list[M]) -> M:
        """For every position the m rows that the parts have there, one under the other: L·m rows."""
        _, n = ops.shape(parts[0])
        return ops.reshape(ops.join_column_parts(*parts), self.L * self.queries, n)

    def _as_columns(self, ops: MatrixOps[M], H: M, X: M) -> list[M]:
        """The inverse of ``_as_rows``, and of ``split``: m parts, each with a row for every row of X."""
        m, A = self.queries, ops.shape(H)[1]
        beside = ops.reshape(H, self.L, m * A)
        return [ops.join(ops.column_part(beside, k, m), ops.shape(X)[0] // self.L) for k in range(m)]

    def _causal(self, ops: MatrixOps[M]) -> M:
        return ops.lower_ones(self.L) if self.causal else ops.ones(self.L, self.L)
