"""Embeddings: rows for numbers, and for positions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Generic, NamedTuple

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.algebra.registry import Count
from nerva_core.algebra.trees import Tree
from nerva_core.equations.initializers import Initializer, Normal
from nerva_core.layers.base import LAYERS, Layer, Symbols
from nerva_core.layers.continuation import Place
from nerva_core.layers.sequence import SequenceLayer


class EmbeddingParameters(NamedTuple, Generic[M]):
    """E is V x K."""

    E: M


class EmbeddingCache(NamedTuple, Generic[M]):
    """x is N x 1."""

    x: M


class PositionParameters(NamedTuple, Generic[M]):
    """P is L x D."""

    P: M


@LAYERS.add
@dataclass(frozen=True)
class Embedding(Layer):
    """Y = O · E, where O = one_hot(x): for each number x in 0, ..., V - 1 its row of E. The numbers have no gradient."""

    outputs: Count
    vocabulary: Count
    weights: Initializer = Normal(0.0, 0.02)

    def outputs_for(self, D: Size) -> Size:
        if isinstance(D, int) and D != 1:
            raise NervaError(f"Embedding takes one number in a row, got {D} columns; begin the network with Sequences({D})")
        return self.outputs

    def shapes(self, D: Size) -> EmbeddingParameters:
        return EmbeddingParameters(E=(self.vocabulary, self.outputs))

    def initializers(self) -> EmbeddingParameters:
        return EmbeddingParameters(E=self.weights)

    def numbers_below(self) -> Size:
        return self.vocabulary

    def for_any_data(self, symbols: Symbols) -> Layer:
        return replace(self, vocabulary=symbols.size("V"))

    def shape_of_input(self, symbols: Symbols) -> tuple[Size, Size]:
        return symbols.size("N"), 1

    def feedforward(self, ops: MatrixOps[M], params: EmbeddingParameters[M], x: M) -> tuple[M, EmbeddingCache[M]]:
        (E,) = params
        return ops.rows_at(E, x), EmbeddingCache(x)

    def backpropagate(
        self, ops: MatrixOps[M], params: EmbeddingParameters[M], cache: EmbeddingCache[M], DY: M
    ) -> tuple[M, EmbeddingParameters[M]]:
        (x,) = cache
        DE = ops.sums_at_rows(DY, x, self.vocabulary)
        Dx = ops.zeros(*ops.shape(x))
        return Dx, EmbeddingParameters(DE)


@LAYERS.add
@dataclass(frozen=True)
class PositionEmbedding(SequenceLayer):
    """Y = X + 1_N ⊗ P: to position l of every sequence the row P_l is added."""

    weights: Initializer = Normal(0.0, 0.02)

    def shapes(self, D: Size) -> PositionParameters:
        return PositionParameters(P=(self.L, D))

    def initializers(self) -> PositionParameters:
        return PositionParameters(P=self.weights)

    def feedforward(self, ops: MatrixOps[M], params: PositionParameters[M], X: M) -> tuple[M, tuple[()]]:
        (P,) = params
        NL, D = ops.shape(X)
        return ops.join(ops.split(X, self.L, D) + P, NL // self.L), ()

    def can_go_on(self) -> bool:
        return True

    def go_on(self, ops: MatrixOps[M], params: Tree, state: Tree, past: Any, x: M, place: Place[M]) -> tuple[M, Tree]:
        (P,) = params
        return x + ops.transpose(place.e) @ P, past

    def backpropagate(self, ops: MatrixOps[M], params: PositionParameters[M], cache: tuple[()], DY: M) -> tuple[M, PositionParameters[M]]:
        _, D = ops.shape(DY)
        DP = ops.members_sum(ops.split(DY, self.L, D))
        return DY, PositionParameters(DP)
