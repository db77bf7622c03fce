"""Activations with trained parameters: SReLU (Nerva specification, section 4), PReLU and a rescaled activation (TMAF, sections 2 and 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, NamedTuple

from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.equations.activations import Activation, ReLU
from nerva_core.equations.initializers import Constant
from nerva_core.equations.rectifiers import srelu, srelu_gradient
from nerva_core.layers.base import LAYERS, Layer


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

    def shapes(self, D: Size) -> SReLUParameters:
        return SReLUParameters((1, 1), (1, 1), (1, 1), (1, 1))

    def initializers(self) -> SReLUParameters:
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


class PReLUParameters(NamedTuple, Generic[M]):
    """a is 1 x 1."""

    a: M


class PReLUCache(NamedTuple, Generic[M]):
    """Z, the input, is N x K."""

    Z: M


@LAYERS.add
@dataclass(frozen=True)
class PReLU(Layer):
    """Y = aZ where Z <= 0, Z elsewhere, with a trained slope a, whose initial value is the field (He et al. 2015; baseline of section 3).

    It is ``DiagonalTMAF`` with the grid point 0, of whose values (a, 1) only the first is trained.
    """

    trailing = True
    a: float = 0.25

    def shapes(self, D: Size) -> PReLUParameters:
        return PReLUParameters((1, 1))

    def initializers(self) -> PReLUParameters:
        return PReLUParameters(Constant(self.a))

    def feedforward(self, ops: MatrixOps[M], params: PReLUParameters[M], Z: M) -> tuple[M, PReLUCache[M]]:
        a = ops.fill(params.a, *ops.shape(Z))
        Y = ops.where(self._left(ops, Z), ops.hadamard(a, Z), Z)
        return Y, PReLUCache(Z)

    def backpropagate(self, ops: MatrixOps[M], params: PReLUParameters[M], cache: PReLUCache[M], DY: M) -> tuple[M, PReLUParameters[M]]:
        (Z,) = cache
        N, K = ops.shape(Z)
        DZ = ops.hadamard(DY, ops.where(self._left(ops, Z), ops.fill(params.a, N, K), ops.ones(N, K)))
        Da = ops.elements_sum(ops.hadamard(DY, ops.where(self._left(ops, Z), Z, ops.zeros(N, K))))
        return DZ, PReLUParameters(Da)

    def _left(self, ops: MatrixOps[M], Z: M) -> M:
        return ops.less_equal(Z, ops.zeros(*ops.shape(Z)))


class RescaledActivationParameters(NamedTuple, Generic[M]):
    """ω is 1 x K."""

    omega: M


class RescaledActivationCache(NamedTuple, Generic[M]):
    """Z, the input, and Ω = 1_N · ω are N x K."""

    Z: M
    Omega: M


@LAYERS.add
@dataclass(frozen=True)
class RescaledActivation(Layer):
    """Y = act((1_N · ω) ⊙ Z), an activation with a trained scale ω for every neuron, initially 1 (TMAF, last remark of section 2)."""

    trailing = True
    activation: Activation = ReLU()

    def shapes(self, D: Size) -> RescaledActivationParameters:
        return RescaledActivationParameters(omega=(1, D))

    def initializers(self) -> RescaledActivationParameters:
        return RescaledActivationParameters(Constant(1.0))

    def feedforward(self, ops: MatrixOps[M], params: RescaledActivationParameters[M], Z: M) -> tuple[M, RescaledActivationCache[M]]:
        Omega = ops.row_repeat(params.omega, ops.shape(Z)[0])
        Y = ops.apply(self.activation.value, ops.hadamard(Omega, Z))
        return Y, RescaledActivationCache(Z, Omega)

    def backpropagate(
        self, ops: MatrixOps[M], params: RescaledActivationParameters[M], cache: RescaledActivationCache[M], DY: M
    ) -> tuple[M, RescaledActivationParameters[M]]:
        Z, Omega = cache
        G = ops.hadamard(DY, ops.apply(self.activation.gradient, ops.hadamard(Omega, Z)))
        DZ = ops.hadamard(Omega, G)
        Domega = ops.columns_sum(ops.hadamard(Z, G))
        return DZ, RescaledActivationParameters(Domega)
