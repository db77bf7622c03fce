"""Convolution (LeCun et al. 1989), over positions of any number of dimensions, as windows times weights; in groups of channels."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Generic, NamedTuple

from nerva_core.algebra.geometry import Geometry
from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.algebra.registry import Count, Natural
from nerva_core.equations.initializers import Initializer, NormalizedXavier, Zero
from nerva_core.layers.base import LAYERS, Layer, Positions, Symbols
from nerva_core.layers.windowed import WindowedLayer, groups_of


class ConvolutionParameters(NamedTuple, Generic[M]):
    """W is U·C x K, b is 1 x K; in G groups W is U·C/G x K, side by side the weights of the groups."""

    W: M
    b: M


class ConvolutionCache(NamedTuple, Generic[M]):
    """X is N·P x C."""

    X: M


class Convolving(WindowedLayer):
    """The equations of convolutions: Y = windows(X) · W + 1 · b, for each group of channels with its own part of W."""

    weights_of_output = "column"

    kernel: int
    stride: int
    padding: int
    dilation: int
    weights: Initializer
    bias: Initializer

    @abstractmethod
    def groups_of(self, C: Size) -> Size:
        """G, the number of groups into which C channels are divided; NervaError if they cannot be."""

    def windows_over(self, positions: Positions) -> Geometry:
        return Geometry.of(positions, self.kernel, self.stride, self.padding, self.dilation)

    def shapes(self, D: Size) -> ConvolutionParameters:
        K = self.outputs_for(D)
        return ConvolutionParameters(W=(self.windows.offsets * (D // self.groups_of(D)), K), b=(1, K))

    def initializers(self) -> ConvolutionParameters:
        return ConvolutionParameters(W=self.weights, b=self.bias)

    def fans(self, D: int) -> tuple[int, int]:
        G = self.groups_of(D)
        return self.windows.offsets * (D // G), self.windows.offsets * (self.outputs_for(D) // G)

    def feedforward(self, ops: MatrixOps[M], params: ConvolutionParameters[M], X: M) -> tuple[M, ConvolutionCache[M]]:
        W, b = params
        G = self.groups_of(ops.shape(X)[1])
        Y = self.beside(ops, ops.convolve(self.in_groups(ops, X, G), self.in_groups(ops, W, G), self.windows), G)
        return Y + ops.row_repeat(b, ops.shape(Y)[0]), ConvolutionCache(X)

    def backpropagate(
        self, ops: MatrixOps[M], params: ConvolutionParameters[M], cache: ConvolutionCache[M], DY: M
    ) -> tuple[M, ConvolutionParameters[M]]:
        W, _ = params
        (X,) = cache
        G = self.groups_of(ops.shape(X)[1])
        DW = self.beside(ops, ops.convolve_weights(self.in_groups(ops, X, G), self.in_groups(ops, DY, G), self.windows), G)
        Db = ops.columns_sum(DY)
        DX = self.beside(ops, ops.convolve_inputs(self.in_groups(ops, DY, G), self.in_groups(ops, W, G), self.windows), G)
        return DX, ConvolutionParameters(DW, Db)


@LAYERS.add
@dataclass(frozen=True)
class Convolution(Convolving):
    """Y = Σ_u S_u · X · W_u + 1 · b = windows(X) · W + 1 · b, for kernels of U positions.

    X holds N examples of P positions with C channels, N·P x C; Y has the Q places of the kernel, N·Q x K. The 0-1 matrix S_u tells which
    position each place sees at the offset u: every ``stride``-th, ``dilation`` apart, with ``padding`` of zeros around. In ``groups``, the
    first C/G channels make the first K/G columns of Y, and so on.
    """

    aliases = ("Conv", "Conv1d", "Conv2d", "Conv3d")

    outputs: Count
    kernel: Count = 3
    stride: Count = 1
    padding: Natural = 0
    dilation: Count = 1
    groups: Count = 1
    weights: Initializer = NormalizedXavier()
    bias: Initializer = Zero()

    def groups_of(self, C: Size) -> Size:
        return groups_of(self, self.groups, C, self.outputs)

    def outputs_for(self, D: Size) -> Size:
        self.groups_of(D)
        return self.outputs

    def shape_of_input(self, symbols: Symbols) -> tuple[Size, Size]:
        rows, C = super().shape_of_input(symbols)
        return rows, C if self.groups == 1 else self.groups * C


@LAYERS.add
@dataclass(frozen=True)
class DepthwiseConvolution(Convolving):
    """y_q(c,m) = Σ_u (S_u · X)_qc w_u(c,m) + b_(c,m): a convolution of each channel by itself, with ``multiplier`` kernels (Chollet 2017).

    X is N·P x C and Y is N·Q x C·m: it is the convolution in C groups. A convolution of kernel 1 after it makes it a separable one.
    """

    aliases = ("DepthwiseConv", "DepthwiseConv1D", "DepthwiseConv2D")

    kernel: Count = 3
    multiplier: Count = 1
    stride: Count = 1
    padding: Natural = 0
    dilation: Count = 1
    weights: Initializer = NormalizedXavier()
    bias: Initializer = Zero()

    def for_any_data(self, symbols: Symbols) -> Layer:
        return replace(self, geometry=symbols.geometry("S"), multiplier=symbols.size("m"))

    def groups_of(self, C: Size) -> Size:
        return C

    def outputs_for(self, D: Size) -> Size:
        return D * self.multiplier
