"""Softmax and log-softmax of the rows, in their stable forms.

The specification's softmax layer is a linear layer followed by one of these (section 4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, NamedTuple

from nerva_core.algebra.matrix_ops import M, MatrixOps
from nerva_core.equations.softmax import stable_log_softmax, stable_softmax
from nerva_core.layers.base import LAYERS, Layer


class SoftmaxCache(NamedTuple, Generic[M]):
    """Y, the output, is N x K."""

    Y: M


@LAYERS.add
@dataclass(frozen=True)
class Softmax(Layer):
    """Y = softmax(Z). DZ = Y ⊙ (DY - diag(DY · Yᵀ) · 1_Kᵀ), where diag(DY · Yᵀ), O(N²K), is computed as (DY ⊙ Y) · 1_K, O(NK)."""

    trailing = True

    def feedforward(self, ops: MatrixOps[M], params: tuple[()], Z: M) -> tuple[M, SoftmaxCache[M]]:
        Y = stable_softmax(ops, Z)
        return Y, SoftmaxCache(Y)

    def backpropagate(self, ops: MatrixOps[M], params: tuple[()], cache: SoftmaxCache[M], DY: M) -> tuple[M, tuple[()]]:
        (Y,) = cache
        _, K = ops.shape(Y)
        DZ = ops.hadamard(Y, DY - ops.column_repeat(ops.rows_sum(ops.hadamard(DY, Y)), K))
        return DZ, ()


class LogSoftmaxCache(NamedTuple, Generic[M]):
    """Z, the input, is N x K."""

    Z: M


@LAYERS.add
@dataclass(frozen=True)
class LogSoftmax(Layer):
    """Y = log-softmax(Z). DZ = DY - softmax(Z) ⊙ (DY · 1_K · 1_Kᵀ) (equation 17)."""

    trailing = True

    def feedforward(self, ops: MatrixOps[M], params: tuple[()], Z: M) -> tuple[M, LogSoftmaxCache[M]]:
        Y = stable_log_softmax(ops, Z)
        return Y, LogSoftmaxCache(Z)

    def backpropagate(self, ops: MatrixOps[M], params: tuple[()], cache: LogSoftmaxCache[M], DY: M) -> tuple[M, tuple[()]]:
        (Z,) = cache
        _, K = ops.shape(Z)
        DZ = DY - ops.hadamard(stable_softmax(ops, Z), ops.column_repeat(ops.rows_sum(DY), K))
        return DZ, ()
