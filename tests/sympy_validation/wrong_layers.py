"""Layers with a mistake in their backward, and a right one: the checkers must tell them apart."""

from __future__ import annotations

from typing import Any

from nerva_core.layers.batch_normalization import BatchNormalization
from nerva_core.layers.dropout import LinearDropout
from nerva_core.layers.linear import Linear, LinearParameters
from nerva_core.layers.softmax import LogSoftmax, Softmax
from nerva_core.layers.trained_activations import SReLU


class LinearWithoutTranspose(Linear):
    def backpropagate(self, ops: Any, params: Any, cache: Any, DY: Any) -> Any:
        DX, (DW, Db) = super().backpropagate(ops, params, cache, DY)
        return DX, LinearParameters(ops.transpose(DW), Db)


class LinearOffByAThousandth(Linear):
    def backpropagate(self, ops: Any, params: Any, cache: Any, DY: Any) -> Any:
        DX, (DW, Db) = super().backpropagate(ops, params, cache, DY)
        return DX, LinearParameters(1.001 * DW, Db)


class LinearWithMeanOfDb(Linear):
    def backpropagate(self, ops: Any, params: Any, cache: Any, DY: Any) -> Any:
        DX, (DW, _) = super().backpropagate(ops, params, cache, DY)
        return DX, LinearParameters(DW, ops.columns_mean(DY))


class LinearWithOnesForDY(Linear):
    def backpropagate(self, ops: Any, params: Any, cache: Any, DY: Any) -> Any:
        return super().backpropagate(ops, params, cache, ops.ones(*ops.shape(DY)))


class NormalizationWithoutDX(BatchNormalization):
    def backpropagate(self, ops: Any, params: Any, cache: Any, DY: Any) -> Any:
        DX, gradients = super().backpropagate(ops, params, cache, DY)
        return ops.zeros(*ops.shape(DX)), gradients


class NormalizationWithoutMean(BatchNormalization):
    def backpropagate(self, ops: Any, params: Any, cache: Any, DY: Any) -> Any:
        DX, gradients = super().backpropagate(ops, params, cache, DY)
        N, _ = ops.shape(DX)
        DZ = ops.hadamard(ops.row_repeat(params.gamma, N), DY)
        return DX + ops.hadamard(ops.row_repeat(cache.inv_sqrt_Sigma, N), ops.row_repeat(ops.columns_mean(DZ), N)), gradients


class SoftmaxOfColumns(Softmax):
    def backpropagate(self, ops: Any, params: Any, cache: Any, DY: Any) -> Any:
        (Y,) = cache
        N, _ = ops.shape(Y)
        return ops.hadamard(Y, DY - ops.row_repeat(ops.columns_sum(ops.hadamard(DY, Y)), N)), ()


class LogSoftmaxWithoutSum(LogSoftmax):
    def backpropagate(self, ops: Any, params: Any, cache: Any, DY: Any) -> Any:
        DX, _ = super().backpropagate(ops, params, cache, DY)
        return DX + ops.scale(1, DY - DX) / 2, ()


class SReLUWithPrintedTr(SReLU):
    def backpropagate(self, ops: Any, params: Any, cache: Any, DY: Any) -> Any:
        DZ, gradients = super().backpropagate(ops, params, cache, DY)
        (Z,) = cache
        ar, tr = (ops.fill(p, *ops.shape(Z)) for p in (params.ar, params.tr))
        Tr = ops.where(ops.less(Z, tr), ops.zeros(*ops.shape(Z)), ops.ones(*ops.shape(Z)) - ar)
        return DZ, gradients._replace(tr=ops.elements_sum(ops.hadamard(DY, Tr)))


class DropoutWithoutMask(LinearDropout):
    def backpropagate(self, ops: Any, params: Any, cache: Any, DY: Any) -> Any:
        _, gradients = super().backpropagate(ops, params, cache, DY)
        return DY @ params.W, gradients


WRONG: dict[Any, set[str]] = {
    LinearWithoutTranspose: {"DW"},
    LinearOffByAThousandth: {"DW"},
    LinearWithMeanOfDb: {"Db"},
    LinearWithOnesForDY: {"DX", "DW", "Db"},
    NormalizationWithoutDX: {"DX"},
    NormalizationWithoutMean: {"DX"},
    SoftmaxOfColumns: {"DX"},
    LogSoftmaxWithoutSum: {"DX"},
    SReLUWithPrintedTr: {"Dtr"},
    DropoutWithoutMask: {"DX"},
}
"""The gradients that are wrong; all others of the layer are right."""
