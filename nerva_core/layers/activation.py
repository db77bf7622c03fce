"""Activation layers: an activation function on every element, and SReLU with its trained parameters.

The specification's activation layer is a linear layer followed by one of these (section 4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, NamedTuple

from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.equations.activations import Activation, srelu, srelu_gradient
from nerva_core.equations.initializers import Constant
from nerva_core.layers.base import LAYERS, Layer


class ActivationCache(NamedTuple, Generic[M]):
    """Z, the input, is N x K."""

    Z: M


@LAYERS.add
@dataclass(frozen=True)
class ActivationLayer(Layer):
    """Y = act(Z)."""

    aliases = ("Activation",)
    activation: Activation

    def feedforward(self, ops: MatrixOps[M], params: tuple[()], Z: M) -> tuple[M, ActivationCache[M]]:
        Y = ops.apply(self.activation.value, Z)
        return Y, ActivationCache(Z)

    def backpropagate(self, ops: MatrixOps[M], params: tuple[()], cache: ActivationCache[M], DY: M) -> tuple[M, tuple[()]]:
        (Z,) = cache
        DZ = ops.hadamard(DY, ops.apply(self.activation.gradient, Z))
        return DZ, ()


class SReLUParameters(NamedTuple, Generic[M]):
    """a_l, t_l, a_r, t_r, each 1 x 1."""

    al: M
    tl: M
    ar: M
    tr: M


class SReLUCache(NamedTuple, Generic[M]):
    """Z, the input, is N x K."""

    Z: M


@LAYERS.add
@dataclass(frozen=True)
class SReLU(Layer):
    """Y = srelu(Z), with four trained parameters; the fields are their initial values.

    Of the cases Z <= t_l, Z < t_r and Z >= t_r the first that holds is taken, in the gradients too (T^r: erratum 004-16).
    """

    trailing = True
    al: float = 0.0
    tl: float = 0.0
    ar: float = 0.0
    tr: float = 1.0

    def shapes(self, D: Size) -> SReLUParameters[Any]:
        return SReLUParameters((1, 1), (1, 1), (1, 1), (1, 1))

    def initializers(self) -> SReLUParameters[Any]:
        return SReLUParameters(Constant(self.al), Constant(self.tl), Constant(self.ar), Constant(self.tr))

    def feedforward(self, ops: MatrixOps[M], params: SReLUParameters[M], Z: M) -> tuple[M, SReLUCache[M]]:
        Y = srelu(ops, Z, *(ops.fill(parameter, *ops.shape(Z)) for parameter in params))
        return Y, SReLUCache(Z)

    def backpropagate(self, ops: MatrixOps[M], params: SReLUParameters[M], cache: SReLUCache[M], DY: M) -> tuple[M, SReLUParameters[M]]:
        (Z,) = cache
        N, K = ops.shape(Z)
        al, tl, ar, tr = (ops.fill(parameter, N, K) for parameter in params)
        zero, one = ops.zeros(N, K), ops.ones(N, K)
        left = ops.less_equal(Z, tl)
        middle = ops.less(Z, tr)
        Al = ops.where(left, Z - tl, zero)
        Tl = ops.where(left, one - al, zero)
        Ar = ops.where(left, zero, ops.where(middle, zero, Z - tr))
        Tr = ops.where(left, zero, ops.where(middle, zero, one - ar))
        DZ = ops.hadamard(DY, srelu_gradient(ops, Z, al, tl, ar, tr))
        Dal = ops.elements_sum(ops.hadamard(DY, Al))
        Dtl = ops.elements_sum(ops.hadamard(DY, Tl))
        Dar = ops.elements_sum(ops.hadamard(DY, Ar))
        Dtr = ops.elements_sum(ops.hadamard(DY, Tr))
        return DZ, SReLUParameters(Dal, Dtl, Dar, Dtr)
