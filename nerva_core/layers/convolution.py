"""Convolution, over positions of any number of dimensions (LeCun et al. 1989), as windows times weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, NamedTuple

from nerva_core.algebra.geometry import Geometry
from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.algebra.registry import Count, Natural
from nerva_core.equations.initializers import Initializer, NormalizedXavier, Zero
from nerva_core.layers.base import LAYERS, Positions
from nerva_core.layers.windowed import WindowedLayer


class ConvolutionParameters(NamedTuple, Generic[M]):
    """W is U·C x K, b is 1 x K."""

    W: M
    b: M


class ConvolutionCache(NamedTuple, Generic[M]):
    """X is N·P x C."""

    X: M


@LAYERS.add
@dataclass(frozen=True)
class Convolution(WindowedLayer):
    """Y = Σ_u S_u · X · W_u + 1 · b = windows(X) · W + 1 · b, for kernels of U positions.

    X holds N examples of P positions with C channels, N·P x C; Y has the Q places of the kernel, N·Q x K. The 0-1 matrix S_u tells which
    position each place sees at the offset u: every ``stride``-th, ``dilation`` apart, with ``padding`` of zeros around.
    """

    aliases = ("Conv", "Conv1d", "Conv2d", "Conv3d")

    outputs: Count
    kernel: Count = 3
    stride: Count = 1
    padding: Natural = 0
    dilation: Count = 1
    weights: Initializer = NormalizedXavier()
    bias: Initializer = Zero()

    def windows_over(self, positions: Positions) -> Geometry:
        return Geometry.of(positions, self.kernel, self.stride, self.padding, self.dilation)

    def outputs_for(self, D: Size) -> Size:
        return self.outputs

    def shapes(self, D: Size) -> ConvolutionParameters[Any]:
        return ConvolutionParameters(W=(self.windows.offsets * D, self.outputs), b=(1, self.outputs))

    def initializers(self) -> ConvolutionParameters[Any]:
        return ConvolutionParameters(W=self.weights, b=self.bias)

    def fans(self, D: int) -> tuple[int, int]:
        return self.windows.offsets * D, self.windows.offsets * self.outputs

    def feedforward(self, ops: MatrixOps[M], params: ConvolutionParameters[M], X: M) -> tuple[M, ConvolutionCache[M]]:
        W, b = params
        Y = ops.convolve(X, W, self.windows)
        return Y + ops.row_repeat(b, ops.shape(Y)[0]), ConvolutionCache(X)

    def backpropagate(
        self, ops: MatrixOps[M], params: ConvolutionParameters[M], cache: ConvolutionCache[M], DY: M
    ) -> tuple[M, ConvolutionParameters[M]]:
        W, _ = params
        (X,) = cache
        DW = ops.convolve_weights(X, DY, self.windows)
        Db = ops.columns_sum(DY)
        DX = ops.convolve_inputs(DY, W, self.windows)
        return DX, ConvolutionParameters(DW, Db)
