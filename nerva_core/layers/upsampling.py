"""From fewer positions to more: the transposed convolution (Zeiler et al. 2010; Dumoulin and Visin 2016), and repetition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, NamedTuple

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.geometry import Geometry
from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.algebra.registry import Count, Natural
from nerva_core.equations.initializers import Initializer, NormalizedXavier, Zero
from nerva_core.layers.base import LAYERS, Positions, Symbols
from nerva_core.layers.windowed import ToPositions, groups_of


class TransposedConvolutionParameters(NamedTuple, Generic[M]):
    """W is U·K x C, b is 1 x K; in G groups W is U·K/G x C, side by side the weights of the groups."""

    W: M
    b: M


class TransposedConvolutionCache(NamedTuple, Generic[M]):
    """X is N·Q x C."""

    X: M


@LAYERS.add
@dataclass(frozen=True)
class TransposedConvolution(ToPositions):
    """Y = Σ_u S_uᵀ · X · W_uᵀ + 1 · b = fold(X · Wᵀ) + 1 · b: to each position the sum of what all windows over it hold for it.

    X has a row for each of Q windows of each example, N·Q x C, and Y one for each of the P positions that they see, N·P x K. Without b
    it is the adjoint of the convolution with the same numbers, of which X has the shape of the output. That convolution has the same Q
    for several P where its stride is above 1; ``output_padding`` adds to the least P. In ``groups``, the first C/G channels make the
    first K/G columns of Y, and so on.
    """

    aliases = ("ConvTranspose", "ConvTranspose1d", "ConvTranspose2d", "Conv1DTranspose", "Conv2DTranspose", "Deconvolution")

    outputs: Count
    kernel: Count = 3
    stride: Count = 1
    padding: Natural = 0
    output_padding: Natural = 0
    dilation: Count = 1
    groups: Count = 1
    weights: Initializer = NormalizedXavier()
    bias: Initializer = Zero()

    def windows_over(self, positions: Positions) -> Geometry:
        reach = self.dilation * (self.kernel - 1) + 1
        size = tuple((n - 1) * self.stride - 2 * self.padding + reach + self.output_padding for n in positions)
        geometry = Geometry.of(size, self.kernel, self.stride, self.padding, self.dilation)
        if geometry.out != positions:
            raise NervaError(f"{self!r}: output_padding must be less than the stride, {self.stride}, got {self.output_padding}")
        return geometry

    def groups_of(self, C: Size) -> Size:
        """G, the number of groups; NervaError if C channels cannot be divided into them."""
        return groups_of(self, self.groups, C, self.outputs)

    def outputs_for(self, D: Size) -> Size:
        self.groups_of(D)
        return self.outputs

    def shape_of_input(self, symbols: Symbols) -> tuple[Size, Size]:
        rows, C = super().shape_of_input(symbols)
        return rows, C if self.groups == 1 else self.groups * C

    def shapes(self, D: Size) -> TransposedConvolutionParameters:
        K = self.outputs_for(D)
        return TransposedConvolutionParameters(W=(self.windows.offsets * (K // self.groups_of(D)), D), b=(1, K))

    def initializers(self) -> TransposedConvolutionParameters:
        return TransposedConvolutionParameters(W=self.weights, b=self.bias)

    def fans(self, D: int) -> tuple[int, int]:
        G = self.groups_of(D)
        return self.windows.offsets * (D // G), self.windows.offsets * (self.outputs // G)

    def feedforward(self, ops: MatrixOps[M], params: TransposedConvolutionParameters[M], X: M) -> tuple[M, TransposedConvolutionCache[M]]:
        W, b = params
        G = self.groups_of(ops.shape(X)[1])
        Y = self.beside(ops, ops.convolve_inputs(self.in_groups(ops, X, G), self.in_groups(ops, W, G), self.windows), G)
        return Y + ops.row_repeat(b, ops.shape(Y)[0]), TransposedConvolutionCache(X)

    def backpropagate(
        self, ops: MatrixOps[M], params: TransposedConvolutionParameters[M], cache: TransposedConvolutionCache[M], DY: M
    ) -> tuple[M, TransposedConvolutionParameters[M]]:
        W, _ = params
        (X,) = cache
        G = self.groups_of(ops.shape(X)[1])
        DW = self.beside(ops, ops.convolve_weights(self.in_groups(ops, DY, G), self.in_groups(ops, X, G), self.windows), G)
        Db = ops.columns_sum(DY)
        DX = self.beside(ops, ops.convolve(self.in_groups(ops, DY, G), self.in_groups(ops, W, G), self.windows), G)
        return DX, TransposedConvolutionParameters(DW, Db)


@LAYERS.add
@dataclass(frozen=True)
class Upsample(ToPositions):
    """Y = Σ_u S_uᵀ · X: every position becomes ``factor`` in each direction, with its value: nearest-neighbour interpolation.

    X is N·Q x C and Y is N·P x C: the P positions lie in windows side by side, each of which has one value for every channel.
    """

    aliases = ("UpsamplingNearest2d", "UpSampling1D", "UpSampling2D")

    factor: Count = 2

    def windows_over(self, positions: Positions) -> Geometry:
        return Geometry.of(tuple(n * self.factor for n in positions), self.factor, self.factor)

    def feedforward(self, ops: MatrixOps[M], params: tuple[()], X: M) -> tuple[M, tuple[()]]:
        NQ, C = ops.shape(X)
        Z = ops.column_repeat(ops.reshape(X, NQ * C, 1), self.windows.offsets)
        return ops.channel_fold(Z, C, self.windows), ()

    def backpropagate(self, ops: MatrixOps[M], params: tuple[()], cache: tuple[()], DY: M) -> tuple[M, tuple[()]]:
        NP, C = ops.shape(DY)
        NQ = NP // self.windows.positions * self.windows.places
        DX = ops.rows_sum(ops.channel_windows(DY, self.windows))
        return ops.reshape(DX, NQ, C), ()
