"""Multi-head attention and the transformer block (Vaswani et al. 2017; with the norm before each part, Xiong et al. 2020)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import Size
from nerva_core.algebra.registry import Count, Fraction
from nerva_core.equations.activations import GELU, Activation
from nerva_core.layers.activation import ActivationLayer
from nerva_core.layers.attention import Attention, AttentionDropout, CrossAttention
from nerva_core.layers.base import LAYERS, Layer, Symbols
from nerva_core.layers.by_columns import CompositionByColumns
from nerva_core.layers.dropout import Dropout
from nerva_core.layers.linear import Linear
from nerva_core.layers.normalization import LayerNorm
from nerva_core.layers.position_encodings import RotaryPositions
from nerva_core.layers.residual import Residual
from nerva_core.layers.sequence import SequenceLayer
from nerva_core.layers.sequential import Sequential

Positions = Literal["none", "rotary"]
"""What attention is told of positions, besides what is added to X before it."""


@dataclass(frozen=True, kw_only=True)
class HeadedLayer(CompositionByColumns, SequenceLayer):
    """A composition around attention: X is N·L x G·A, for G heads of A columns."""

    heads: Count
    padded: bool = field(default=False, repr=False)
    """Whether attention is told which positions are there (``Padded``)."""

    def for_any_data(self, symbols: Symbols) -> Self:
        return replace(self, length=symbols.size("L"), heads=symbols.size("G"))

    def shape_of_input(self, symbols: Symbols) -> tuple[Size, Size]:
        return symbols.size("N") * self.L, self.heads * symbols.size("A")

    def with_padding(self) -> Layer:
        return self if self.padded else replace(self, padded=True)

    def _require_heads(self, D: Size) -> None:
        if isinstance(D, int) and D % self.heads:
            raise NervaError(f"{self!r}: {self.heads} heads of the same size need a multiple of {self.heads} columns, got {D}")


@LAYERS.add
@dataclass(frozen=True)
class MultiHeadAttention(HeadedLayer):
    """Y = Attention(X · Wᵀ + 1 · b) · Uᵀ + 1 · c: linear to [Q K V], attention of all heads, linear back to D columns.

    Of the weights of attention a share ``dropout`` is dropped in training; with ``positions`` "rotary", RotaryPositions stands before it.
    """

    aliases = ("SelfAttention", "MultiheadAttention")

    heads: Count
    causal: bool = False
    dropout: Fraction = 0.0
    positions: Positions = "none"

    def can_go_on(self) -> bool:
        return self.causal and not self.padded

    def composition(self, D: Size) -> Sequential:
        self._require_heads(D)
        turned = (RotaryPositions(self.heads, length=self.length),) if self.positions == "rotary" else ()
        return Sequential((Linear(3 * D), *turned, self._attention(), Linear(D)))

    def _attention(self) -> Layer:
        if self.dropout == 0:
            return Attention(self.heads, self.causal, padded=self.padded, length=self.length)
        return AttentionDropout(self.heads, self.causal, self.dropout, padded=self.padded, length=self.length)


@LAYERS.add
@dataclass(frozen=True)
class MultiHeadCrossAttention(HeadedLayer):
    """Y = CrossAttention(X · Wᵀ + 1 · b) · Uᵀ + 1 · c: the positions after the first S ask those, the ``memory``, of every example.

    The rows of Y that belong to the memory are c; in a residual connection the memory is handed on by a layer of its own.
    """

    heads: Count
    memory: Count

    def bind(self, positions: Any) -> tuple[Layer, Any]:
        layer, left = super().bind(positions)
        CrossAttention(self.heads, self.memory).bind(positions)
        return layer, left

    def for_any_data(self, symbols: Symbols) -> Self:
        return replace(super().for_any_data(symbols), memory=symbols.size("S"))

    def composition(self, D: Size) -> Sequential:
        self._require_heads(D)
        attention = CrossAttention(self.heads, self.memory, padded=self.padded, length=self.length)
        return Sequential((Linear(3 * D), attention, Linear(D)))


@LAYERS.add
@dataclass(frozen=True)
class TransformerBlock(HeadedLayer):
    """Y = H + f(LayerNorm(H)), H = X + MultiHeadAttention(LayerNorm(X)), f = Linear(4 D); activation; Linear(D).

    If ``norm_first`` is false, the norms stand after the sums instead: H = LayerNorm(X + MultiHeadAttention(X)), Y = LayerNorm(H + f(H)).
    With ``dropout``, a share of the weights of attention and of what each of the two parts adds is dropped in training (section 5.4).
    """

    aliases = ("Block",)

    heads: Count
    causal: bool = True
    widening: Count = 4
    activation: Activation = GELU()
    norm_first: bool = True
    dropout: Fraction = 0.0
    positions: Positions = "none"

    def can_go_on(self) -> bool:
        return self.causal and not self.padded

    def composition(self, D: Size) -> Sequential:
        dropped = () if self.dropout == 0 else (Dropout(self.dropout),)
        heads = MultiHeadAttention(self.heads, self.causal, self.dropout, self.positions, padded=self.padded, length=self.length)
        attention = heads, *dropped
        perceptron = Linear(self.widening * D), ActivationLayer(self.activation), Linear(D), *dropped
        if self.norm_first:
            return Sequential((Residual(Sequential((LayerNorm(), *attention))), Residual(Sequential((LayerNorm(), *perceptron)))))
        return Sequential((Residual(Sequential(attention)), LayerNorm(), Residual(Sequential(perceptron)), LayerNorm()))
