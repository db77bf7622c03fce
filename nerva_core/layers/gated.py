"""Gated linear units (Dauphin et al. 2017, section 2), with other activations of the gate (Shazeer 2020, equations 5 and 6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Generic, NamedTuple

from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.algebra.registry import Count
from nerva_core.equations.activations import GELU, Activation, Sigmoid, SiLU
from nerva_core.equations.initializers import Initializer, NormalizedXavier, Zero
from nerva_core.layers.base import LAYERS, Layer


class GatedParameters(NamedTuple, Generic[M]):
    """W and V are K x D, b and c are 1 x K; V and c make the gate."""

    W: M
    b: M
    V: M
    c: M


class GatedCache(NamedTuple, Generic[M]):
    """X is N x D; A, what passes, and Z, the gate before its activation, are N x K."""

    X: M
    A: M
    Z: M


@LAYERS.add
@dataclass(frozen=True)
class GLU(Layer):
    """Y = A ⊙ act(Z), A = X · Wᵀ + 1_N · b, Z = X · Vᵀ + 1_N · c."""

    aliases: ClassVar[tuple[str, ...]] = ("GatedLinearUnit",)
    outputs: Count
    activation: Activation = Sigmoid()
    weights: Initializer = NormalizedXavier()
    bias: Initializer = Zero()

    def outputs_for(self, D: Size) -> Size:
        return self.outputs

    def shapes(self, D: Size) -> GatedParameters:
        return GatedParameters(W=(self.outputs, D), b=(1, self.outputs), V=(self.outputs, D), c=(1, self.outputs))

    def initializers(self) -> GatedParameters:
        return GatedParameters(W=self.weights, b=self.bias, V=self.weights, c=self.bias)

    def feedforward(self, ops: MatrixOps[M], params: GatedParameters[M], X: M) -> tuple[M, GatedCache[M]]:
        W, b, V, c = params
        N, _ = ops.shape(X)
        A = X @ ops.transpose(W) + ops.row_repeat(b, N)
        Z = X @ ops.transpose(V) + ops.row_repeat(c, N)
        Y = ops.hadamard(A, ops.apply(self.activation.value, Z))
        return Y, GatedCache(X, A, Z)

    def backpropagate(self, ops: MatrixOps[M], params: GatedParameters[M], cache: GatedCache[M], DY: M) -> tuple[M, GatedParameters[M]]:
        W, _, V, _ = params
        X, A, Z = cache
        DA = ops.hadamard(DY, ops.apply(self.activation.value, Z))
        DZ = ops.hadamard(ops.hadamard(DY, A), ops.apply(self.activation.gradient, Z))
        DX = DA @ W + DZ @ V
        gradients = GatedParameters(ops.transpose(DA) @ X, ops.columns_sum(DA), ops.transpose(DZ) @ X, ops.columns_sum(DZ))
        return DX, gradients


@LAYERS.add
@dataclass(frozen=True)
class SwiGLU(GLU):
    """Y = A ⊙ silu(Z), A = X · Wᵀ + 1_N · b, Z = X · Vᵀ + 1_N · c."""

    aliases: ClassVar[tuple[str, ...]] = ()
    activation: Activation = SiLU()


@LAYERS.add
@dataclass(frozen=True)
class GeGLU(GLU):
    """Y = A ⊙ gelu(Z), A = X · Wᵀ + 1_N · b, Z = X · Vᵀ + 1_N · c."""

    aliases: ClassVar[tuple[str, ...]] = ()
    activation: Activation = GELU()
