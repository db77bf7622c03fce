"""Scaled dot-product attention (Vaswani et al. 2017, section 3.2), with padding, with dropout of its weights, and of a memory."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Any, Generic, NamedTuple

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.algebra.memory import Array
from nerva_core.algebra.registry import Count, Fraction
from nerva_core.algebra.trees import Tree
from nerva_core.layers.base import LAYERS, Layer, Shape, Symbols
from nerva_core.layers.continuation import Place
from nerva_core.layers.dropout import draw_mask
from nerva_core.layers.sequence import AttendingLayer


class Seen(NamedTuple, Generic[M]):
    """What limits attention, a member for every example and head: the mask C, and r and g, L x 1; None where nothing does.

    r is 1 where a position receives, g is 1 where one gives; both are 0 otherwise.
    """

    C: M
    r: M | None = None
    g: M | None = None


class AttentionCache(NamedTuple, Generic[M]):
    """Families with a member for every example and head: Q, K, V are L x A, P is L x L; if any, r is L x 1, the dropout mask R L x L."""

    Q: M
    K: M
    V: M
    P: M
    r: tuple[M, ...]
    R: tuple[M, ...]


@dataclass(frozen=True, kw_only=True)
class DotProductAttention(AttendingLayer):
    """Y = P · V, P = softmax(Q · Kᵀ / √A) under a mask, for every example and head of X = [Q K V].

    X is N·L x 3·G·A, the queries, keys and values of G heads with A columns each; Y is N·L x G·A. After X follow m, N·L x 1, if the layer
    is ``padded``, 1 where there is a position and 0 where there is padding, and R, N·L x G·L, if weights are dropped.
    """

    @abstractmethod
    def seen(self, ops: MatrixOps[M], m: M | None) -> Seen[M]:
        """Which positions see which, if those that are there are m."""

    def dropped(self, ops: MatrixOps[M], P: M, R: M | None) -> M:
        """P ⊙ R, or P where no weights are dropped."""
        return P if R is None else ops.hadamard(P, R)

    def feedforward(self, ops: MatrixOps[M], params: tuple[()], X: M, *given: M) -> tuple[M, AttentionCache[M]]:
        m, R = self._following(ops, given)
        C, r, g = self.seen(ops, m)
        Q, K, V = (self.of_heads(ops, ops.column_part(X, k, 3)) for k in range(3))
        S = ops.scale(self.scale(ops, K), Q @ ops.transpose(K))
        P = ops.masked_softmax(S, self.mask(ops, C, r, g))
        Y = self.received(ops, r, self.dropped(ops, P, R) @ V)
        return ops.join(Y, ops.shape(X)[0] // self.L), AttentionCache(Q, K, V, P, if_any(r), if_any(R))

    def backpropagate(self, ops: MatrixOps[M], params: tuple[()], cache: AttentionCache[M], DY: M) -> tuple[M, tuple[()]]:
        Q, K, V, P, *rest = cache
        r, R = (given[0] if given else None for given in rest)
        DH = self.received(ops, r, self.of_heads(ops, DY))
        DV = ops.transpose(self.dropped(ops, P, R)) @ DH
        DP = self.dropped(ops, DH @ ops.transpose(V), R)
        DS = ops.scale(self.scale(ops, K), ops.softmax_inputs(P, DP))
        DQ = DS @ K
        DK = ops.transpose(DS) @ Q
        N = ops.shape(DY)[0] // self.L
        return ops.join_column_parts(*(ops.join(D, N) for D in (DQ, DK, DV))), ()

    def evaluate(self, ops: MatrixOps[M], params: tuple[()], state: tuple[()], X: M, *given: M) -> M:
        return DotProductAttention.feedforward(self, ops, params, X, *given)[0]

    def past(self, ops: MatrixOps[M], D: Size) -> Any:
        """K and V of all positions, zeros where nothing is known yet."""
        A = D // 3 // self.heads
        nothing = ops.family(*[ops.zeros(self.L, A)] * self.heads)
        return nothing, nothing

    def go_on(self, ops: MatrixOps[M], params: Tree, state: Tree, past: Any, x: M, place: Place[M]) -> tuple[M, Tree]:
        q, k, v = (ops.split(part, 1, ops.shape(part)[1] // self.heads) for part in (ops.column_part(x, k, 3) for k in range(3)))
        K, V = (before + place.e @ new for before, new in zip(past, (k, v), strict=True))
        p = ops.masked_softmax(ops.scale(self.scale(ops, K), q @ ops.transpose(K)), place.seen)
        return ops.join(p @ V, 1), (K, V)

    def outputs_for(self, D: Size) -> Size:
        if isinstance(D, int) and D % (3 * self.heads):
            raise NervaError(f"{self!r}: X is [Q K V] with {self.heads} heads each, so 3 · {self.heads} must divide its columns, got {D}")
        return D // 3

    def shape_of_input(self, symbols: Symbols) -> tuple[Size, Size]:
        return symbols.size("N") * self.L, 3 * (self.heads * symbols.size("A"))

    def _following(self, ops: MatrixOps[M], given: tuple[M, ...]) -> tuple[M | None, M | None]:
        """(m, R) of each head, from what follows X; None for what is not there."""
        there, dropped = (given[:1], given[1:]) if self.padded else ((), given)
        m = self.there(ops, there[0]) if there else None
        return m, ops.split(dropped[0], self.L, self.L) if dropped else None


def if_any(X: M | None) -> tuple[M, ...]:
    """What a cache keeps of a matrix that need not be there."""
    return () if X is None else (X,)


@LAYERS.add
@dataclass(frozen=True)
class Attention(DotProductAttention):
    """Y = P · V, P = softmax(Q · Kᵀ / √A) under the mask, for every example and head of X = [Q K V].

    X is N·L x 3·G·A, the queries, keys and values of G heads with A columns each; Y is N·L x G·A. If ``causal``, a position sees itself
    and those before it. If ``padded``, the column m follows X, 1 where there is a position and 0 where there is padding, which neither
    receives nor gives: its rows of Y are 0.
    """

    heads: Count
    causal: bool = False

    def can_go_on(self) -> bool:
        return self.causal and not self.padded

    def seen(self, ops: MatrixOps[M], m: M | None) -> Seen[M]:
        C = ops.lower_ones(self.L) if self.causal else ops.ones(self.L, self.L)
        return Seen(C, m, m)


@LAYERS.add
@dataclass(frozen=True)
class AttentionDropout(Attention):
    """Y = (P ⊙ R) · V, with P as in Attention and a mask element for every weight; Y = P · V at inference."""

    p: Fraction = 0.1

    def noise_shapes(self, N: Size, D: Size) -> tuple[Shape, ...]:
        return *super().noise_shapes(N, D), (N, self.heads * self.L)

    def draw(self, rng: np.random.Generator, N: int, D: int) -> tuple[Array, ...]:
        *_, (rows, columns) = self.noise_shapes(N, D)
        return *super().draw(rng, N, D), draw_mask(rng, self.p, (rows, columns))


@LAYERS.add
@dataclass(frozen=True)
class CrossAttention(DotProductAttention):
    """Y = P · V, P = softmax(Q · Kᵀ / √A), where the positions after the first S see those first ones, the ``memory``.

    X = [Q K V] is N·L x 3·G·A, as in Attention: the L positions of an example are its memory and those that ask it. The rows of Y that
    belong to the memory are 0. If ``padded``, the column m follows X, 1 where there is a position; one of the memory at least must be.
    """

    heads: Count
    memory: Count

    def for_any_data(self, symbols: Symbols) -> Layer:
        return replace(self, length=symbols.size("L"), heads=symbols.size("G"), memory=symbols.size("S"))

    def bind(self, positions: Any) -> tuple[Layer, Any]:
        layer, left = super().bind(positions)
        length = getattr(layer, "length", None)
        if isinstance(length, int) and not self.memory < length:
            raise NervaError(f"{self!r}: of {length} positions the first {self.memory} are the memory, so none is left that asks it")
        return layer, left

    def seen(self, ops: MatrixOps[M], m: M | None) -> Seen[M]:
        s = ops.first_ones(self.memory, self.L)
        r = ops.ones(self.L, 1) - s
        if m is None:
            return Seen(ops.ones(self.L, self.L), r, s)
        return Seen(ops.ones(self.L, self.L), ops.hadamard(r, m), ops.hadamard(s, m))
