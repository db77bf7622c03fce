"""Multi-head attention and the transformer block (Vaswani et al. 2017; with the norm before each part, Xiong et al. 2020)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import Size
from nerva_core.algebra.registry import Count
from nerva_core.equations.activations import GELU, Activation
from nerva_core.layers.activation import ActivationLayer
from nerva_core.layers.attention import Attention
from nerva_core.layers.base import LAYERS, Layer, Symbols
from nerva_core.layers.by_columns import CompositionByColumns
from nerva_core.layers.linear import Linear
from nerva_core.layers.normalization import LayerNorm
from nerva_core.layers.residual import Residual
from nerva_core.layers.sequence import SequenceLayer
from nerva_core.layers.sequential import Sequential


@dataclass(frozen=True, kw_only=True)
class HeadedLayer(CompositionByColumns, SequenceLayer):
    """A composition around attention: X is N·L x G·A, for G heads of A columns."""

    heads: Count

    def for_any_data(self, symbols: Symbols) -> Layer:
        return replace(self, length=symbols.size("L"), heads=symbols.size("G"))

    def shape_of_input(self, symbols: Symbols) -> tuple[Size, Size]:
        return symbols.size("N") * self.L, self.heads * symbols.size("A")


@LAYERS.add
@dataclass(frozen=True)
class MultiHeadAttention(HeadedLayer):
    """Y = Attention(X · Wᵀ + 1 · b) · Uᵀ + 1 · c: linear to [Q K V], attention of all heads, linear back to D columns."""

    aliases = ("SelfAttention", "MultiheadAttention")

    heads: Count
    causal: bool = False

    def composition(self, D: Size) -> Sequential:
        if isinstance(D, int) and D % self.heads:
            raise NervaError(f"{self!r}: {self.heads} heads of the same size need a multiple of {self.heads} columns, got {D}")
        return Sequential((Linear(3 * D), Attention(self.heads, self.causal, length=self.length), Linear(D)))


@LAYERS.add
@dataclass(frozen=True)
class TransformerBlock(HeadedLayer):
    """Y = H + f(LayerNorm(H)), H = X + MultiHeadAttention(LayerNorm(X)), f = Linear(4 D); activation; Linear(D).

    If ``norm_first`` is false, the norms stand after the sums instead: H = LayerNorm(X + MultiHeadAttention(X)), Y = LayerNorm(H + f(H)).
    """

    aliases = ("Block",)

    heads: Count
    causal: bool = True
    widening: Count = 4
    activation: Activation = GELU()
    norm_first: bool = True

    def composition(self, D: Size) -> Sequential:
        attention = MultiHeadAttention(self.heads, self.causal, length=self.length)
        perceptron = Linear(self.widening * D), ActivationLayer(self.activation), Linear(D)
        if self.norm_first:
            return Sequential((Residual(Sequential((LayerNorm(), attention))), Residual(Sequential((LayerNorm(), *perceptron)))))
        return Sequential((Residual(Sequential((attention,))), LayerNorm(), Residual(Sequential(perceptron)), LayerNorm()))
