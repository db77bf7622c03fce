"""Pooling: one number for each channel of each window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, NamedTuple

from nerva_core.algebra.geometry import Geometry
from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.algebra.registry import Count
from nerva_core.layers.base import LAYERS, Positions
from nerva_core.layers.windowed import WindowedLayer


class MaxPoolCache(NamedTuple, Generic[M]):
    """X is N·P x C."""

    X: M


class AveragePoolCache(NamedTuple):
    """The number of channels."""

    C: Size


@dataclass(frozen=True)
class _Pooling(WindowedLayer):
    """Windows that lie side by side, unless ``stride`` says otherwise."""

    kernel: Count = 2
    stride: Count | None = None

    def windows_over(self, positions: Positions) -> Geometry:
        return Geometry.of(positions, self.kernel, self.stride or self.kernel)


@LAYERS.add
@dataclass(frozen=True)
class MaxPool(_Pooling):
    """y_qc = max_u (S_u · X)_qc: the largest element of each window, channel by channel.

    Where several are the largest, the first has the gradient. There is no padding, whose zeros would win over negative numbers.
    """

    aliases = ("MaxPool1d", "MaxPool2d", "MaxPooling2D")

    def feedforward(self, ops: MatrixOps[M], params: tuple[()], X: M) -> tuple[M, MaxPoolCache[M]]:
        Y = ops.pool_max(X, self.windows)
        return Y, MaxPoolCache(X)

    def backpropagate(self, ops: MatrixOps[M], params: tuple[()], cache: MaxPoolCache[M], DY: M) -> tuple[M, tuple[()]]:
        (X,) = cache
        DX = ops.pool_max_inputs(X, DY, self.windows)
        return DX, ()


@LAYERS.add
@dataclass(frozen=True)
class AveragePool(_Pooling):
    """y_qc = 1/U Σ_u (S_u · X)_qc: the mean of each window, channel by channel."""

    aliases = ("AvgPool", "AvgPool1d", "AvgPool2d", "AveragePooling2D")

    def feedforward(self, ops: MatrixOps[M], params: tuple[()], X: M) -> tuple[M, AveragePoolCache]:
        _, C = ops.shape(X)
        Y = ops.rows_mean(ops.channel_windows(X, self.windows))
        NQC, _ = ops.shape(Y)
        return ops.reshape(Y, NQC // C, C), AveragePoolCache(C)

    def backpropagate(self, ops: MatrixOps[M], params: tuple[()], cache: AveragePoolCache, DY: M) -> tuple[M, tuple[()]]:
        (C,) = cache
        NQ, _ = ops.shape(DY)
        U = self.windows.offsets
        DZ = ops.column_repeat(ops.divide(ops.reshape(DY, NQ * C, 1), U), U)
        return ops.channel_fold(DZ, C, self.windows), ()


@LAYERS.add
@dataclass(frozen=True)
class GlobalAveragePool(WindowedLayer):
    """y_nc = 1/P Σ_p x_(n,p)c: the mean over all positions of an example, channel by channel; N x C."""

    aliases = ("GlobalAveragePooling2D", "AdaptiveAvgPool2d")

    def windows_over(self, positions: Positions) -> Geometry:
        once = (1,) * len(positions)
        return Geometry(positions, positions, once, (0,) * len(positions), once)

    def bind(self, positions: Positions | None) -> tuple[Any, Positions | None]:
        return super().bind(positions)[0], () if positions is not None else None

    def rows_for(self, N: Size) -> Size:
        return N // self.windows.positions

    def feedforward(self, ops: MatrixOps[M], params: tuple[()], X: M) -> tuple[M, AveragePoolCache]:
        NP, C = ops.shape(X)
        Z = ops.split(X, self.windows.positions, C)
        return ops.join(ops.columns_mean(Z), NP // self.windows.positions), AveragePoolCache(C)

    def backpropagate(self, ops: MatrixOps[M], params: tuple[()], cache: AveragePoolCache, DY: M) -> tuple[M, tuple[()]]:
        (C,) = cache
        N, _ = ops.shape(DY)
        P = self.windows.positions
        return ops.join(ops.row_repeat(ops.divide(ops.split(DY, 1, C), P), P), N), ()
