"""Activation functions and their derivatives (Nerva specification, section 5).

Adding one is one entry here: a dataclass with its parameters, ``value`` and ``gradient``. It is then known to the parser, runs on
every backend, and is tested, proved and documented without a further edit. ``second_derivative`` is only needed to train with QLimit.

The rectifiers, which are linear on each of two or three pieces, are in ``rectifiers``. At a kink the derivative is the one that the
specification prints.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from nerva_core.algebra.matrix_ops import M, MatrixOps
from nerva_core.algebra.registry import NonNegative
from nerva_core.equations.activation import ACTIVATIONS as ACTIVATIONS
from nerva_core.equations.activation import Activation as Activation
from nerva_core.equations.rectifiers import AllReLU as AllReLU
from nerva_core.equations.rectifiers import LeakyReLU as LeakyReLU
from nerva_core.equations.rectifiers import ReLU as ReLU
from nerva_core.equations.rectifiers import SReLU as SReLU


@ACTIVATIONS.add
@dataclass(frozen=True)
class Identity(Activation):
    """x."""

    def value(self, ops: MatrixOps[M], X: M) -> M:
        return X

    def gradient(self, ops: MatrixOps[M], X: M) -> M:
        return ops.ones(*ops.shape(X))

    def second_derivative(self, ops: MatrixOps[M], X: M) -> M:
        return ops.zeros(*ops.shape(X))


@ACTIVATIONS.add
@dataclass(frozen=True)
class Tanh(Activation):
    """tanh x; the derivative 1 - tanh² x is computed as 4 σ(2x) σ(-2x), which does not cancel for large x."""

    aliases = ("HyperbolicTangent",)

    def value(self, ops: MatrixOps[M], X: M) -> M:
        return ops.tanh(X)

    def gradient(self, ops: MatrixOps[M], X: M) -> M:
        result: M = 4 * ops.hadamard(ops.sigmoid(2 * X), ops.sigmoid(-2 * X))
        return result

    def second_derivative(self, ops: MatrixOps[M], X: M) -> M:
        return ops.hadamard(-2 * ops.tanh(X), self.gradient(ops, X))


@ACTIVATIONS.add
@dataclass(frozen=True)
class Sigmoid(Activation):
    """σ(x) = 1 / (1 + e⁻ˣ); the derivative σ(x)(1 - σ(x)) is computed as σ(x) σ(-x), which does not cancel for large x."""

    aliases = ("Logistic",)

    def value(self, ops: MatrixOps[M], X: M) -> M:
        return ops.sigmoid(X)

    def gradient(self, ops: MatrixOps[M], X: M) -> M:
        return ops.hadamard(ops.sigmoid(X), ops.sigmoid(-X))

    def second_derivative(self, ops: MatrixOps[M], X: M) -> M:
        return ops.hadamard(self.gradient(ops, X), ops.sigmoid(-X) - ops.sigmoid(X))


@ACTIVATIONS.add
@dataclass(frozen=True)
class ELU(Activation):
    """x for x >= 0, α(eˣ - 1) for x < 0 (Clevert et al. 2016)."""

    alpha: NonNegative = 1.0

    def value(self, ops: MatrixOps[M], X: M) -> M:
        zero = ops.zeros(*ops.shape(X))
        result: M = ops.maximum(X, zero) + self.alpha * ops.expm1(ops.minimum(X, zero))
        return result

    def gradient(self, ops: MatrixOps[M], X: M) -> M:
        m, n = ops.shape(X)
        zero = ops.zeros(m, n)
        return ops.where(ops.less(X, zero), self.alpha * ops.exp(ops.minimum(X, zero)), ops.ones(m, n))

    def second_derivative(self, ops: MatrixOps[M], X: M) -> M:
        zero = ops.zeros(*ops.shape(X))
        return ops.where(ops.less(X, zero), self.alpha * ops.exp(ops.minimum(X, zero)), zero)


@ACTIVATIONS.add
@dataclass(frozen=True)
class Softplus(Activation):
    """log(1 + eˣ); the derivative is σ(x)."""

    def value(self, ops: MatrixOps[M], X: M) -> M:
        return ops.softplus(X)

    def gradient(self, ops: MatrixOps[M], X: M) -> M:
        return ops.sigmoid(X)

    def second_derivative(self, ops: MatrixOps[M], X: M) -> M:
        return ops.hadamard(ops.sigmoid(X), ops.sigmoid(-X))


@ACTIVATIONS.add
@dataclass(frozen=True)
class SiLU(Activation):
    """x σ(x), also called swish; the derivative is σ(x) + x σ(x) σ(-x)."""

    aliases = ("Swish",)

    def value(self, ops: MatrixOps[M], X: M) -> M:
        return ops.hadamard(X, ops.sigmoid(X))

    def gradient(self, ops: MatrixOps[M], X: M) -> M:
        S = ops.sigmoid(X)
        result: M = S + ops.hadamard(X, ops.hadamard(S, ops.sigmoid(-X)))
        return result

    def second_derivative(self, ops: MatrixOps[M], X: M) -> M:
        S, R = ops.sigmoid(X), ops.sigmoid(-X)
        result: M = ops.hadamard(ops.hadamard(S, R), 2 * ops.ones(*ops.shape(X)) + ops.hadamard(X, R - S))
        return result


@ACTIVATIONS.add
@dataclass(frozen=True)
class GELU(Activation):
    """x Φ(x), with Φ the distribution function of the standard normal distribution (the exact form); the derivative is Φ(x) + x φ(x)."""

    def value(self, ops: MatrixOps[M], X: M) -> M:
        return ops.hadamard(X, ops.normal_cdf(X))

    def gradient(self, ops: MatrixOps[M], X: M) -> M:
        result: M = ops.normal_cdf(X) + ops.hadamard(X, ops.normal_pdf(X))
        return result

    def second_derivative(self, ops: MatrixOps[M], X: M) -> M:
        density = ops.normal_pdf(X)
        result: M = 2 * density - ops.hadamard(X, ops.hadamard(X, density))  # in this order X² does not overflow
        return result


TANH_GELU_SLOPE = math.sqrt(8 / math.pi)
"""2z' at 0."""


@ACTIVATIONS.add
@dataclass(frozen=True)
class TanhGELU(Activation):
    """x (1 + tanh z) / 2 = x σ(2z), 2z = √(8/π) (x + 0.044715 x³), the derivative is σ(2z) + σ(2z) σ(-2z) x 2z' (Hendrycks 2016); from
    |x| = 32 on max(0, x), from which it differs by less than e^(-2000) there, so that the cube does not overflow.
    """

    def value(self, ops: MatrixOps[M], X: M) -> M:
        zero = ops.zeros(*ops.shape(X))
        within = self._within(ops, X)
        return ops.where(within, ops.hadamard(X, ops.sigmoid(self._inside(ops, X, 1))), ops.maximum(X, zero))

    def gradient(self, ops: MatrixOps[M], X: M) -> M:
        Z = self._inside(ops, X, 1)
        S = ops.sigmoid(Z)
        slope: M = S + ops.hadamard(ops.hadamard(S, ops.sigmoid(-Z)), self._inside(ops, X, 3))
        return ops.where(self._within(ops, X), slope, ops.greater_equal(X, ops.zeros(*ops.shape(X))))

    def second_derivative(self, ops: MatrixOps[M], X: M) -> M:
        """σ(2z) σ(-2z) (2 · 2z' + x 2z'' + (σ(-2z) - σ(2z)) x (2z')²)."""
        Z = self._inside(ops, X, 1)
        S, T = ops.sigmoid(Z), ops.sigmoid(-Z)
        slope, twice = (TANH_GELU_SLOPE * self._parabola(ops, X, k) for k in (3, 6))
        bend: M = 2 * twice + ops.hadamard(T - S, ops.hadamard(self._inside(ops, X, 3), slope))
        return ops.where(self._within(ops, X), ops.hadamard(ops.hadamard(S, T), bend), ops.zeros(*ops.shape(X)))

    def _within(self, ops: MatrixOps[M], X: M) -> M:
        """[-32 < x < 32]."""
        most = ops.full(32, *ops.shape(X))
        return ops.hadamard(ops.less(X, most), ops.less(-most, X))

    def _inside(self, ops: MatrixOps[M], X: M, k: int) -> M:
        """2z for k = 1; x 2z' for k = 3; 0 where x is outside."""
        result: M = TANH_GELU_SLOPE * ops.hadamard(self._near(ops, X), self._parabola(ops, X, k))
        return result

    def _parabola(self, ops: MatrixOps[M], X: M, k: int) -> M:
        """1 + k 0.044715 x²: times √(8/π), it is 2z / x for k = 1; 2z' for k = 3; 2z' + x z'' for k = 6."""
        X = self._near(ops, X)
        result: M = ops.ones(*ops.shape(X)) + k * (0.044715 * ops.hadamard(X, X))
        return result

    def _near(self, ops: MatrixOps[M], X: M) -> M:
        """x, and 0 where it is outside."""
        return ops.where(self._within(ops, X), X, ops.zeros(*ops.shape(X)))


SELU_SCALE, SELU_ELU = 1.0507009873554805, ELU(1.6732632423543772)
"""The constants of SELU, with which mean 0 and variance 1 are a fixed point."""


@ACTIVATIONS.add
@dataclass(frozen=True)
class Mish(Activation):
    """x tanh(log(1 + eˣ)) (Misra 2019); with T = tanh(log(1 + eˣ)) the derivative is T + x (1 - T²) σ(x)."""

    def value(self, ops: MatrixOps[M], X: M) -> M:
        return ops.hadamard(X, ops.tanh(ops.softplus(X)))

    def gradient(self, ops: MatrixOps[M], X: M) -> M:
        T = ops.tanh(ops.softplus(X))
        result: M = T + ops.hadamard(X, ops.hadamard(ops.ones(*ops.shape(X)) - ops.hadamard(T, T), ops.sigmoid(X)))
        return result


@ACTIVATIONS.add
@dataclass(frozen=True)
class SELU(Activation):
    """λ ELU(x) with α = 1.6732632423543772 and λ = 1.0507009873554805 (Klambauer et al. 2017, equation 2)."""

    def value(self, ops: MatrixOps[M], X: M) -> M:
        result: M = SELU_SCALE * SELU_ELU.value(ops, X)
        return result

    def gradient(self, ops: MatrixOps[M], X: M) -> M:
        result: M = SELU_SCALE * SELU_ELU.gradient(ops, X)
        return result


@ACTIVATIONS.add
@dataclass(frozen=True)
class Hardtanh(Activation):
    """min(max(x, a), b); the derivative is 1 for a < x < b and 0 elsewhere."""

    low: float = -1.0
    high: float = 1.0

    def value(self, ops: MatrixOps[M], X: M) -> M:
        return ops.minimum(ops.maximum(X, ops.full(self.low, *ops.shape(X))), ops.full(self.high, *ops.shape(X)))

    def gradient(self, ops: MatrixOps[M], X: M) -> M:
        m, n = ops.shape(X)
        return ops.hadamard(ops.less(ops.full(self.low, m, n), X), ops.less(X, ops.full(self.high, m, n)))


@ACTIVATIONS.add
@dataclass(frozen=True)
class Hardswish(Activation):
    """x min(max(x + 3, 0), 6) / 6 (Howard et al. 2019, section 5.2); the derivative is 0 up to -3, (2x + 3) / 6, and 1 from 3."""

    def value(self, ops: MatrixOps[M], X: M) -> M:
        return ops.hadamard(X, self._gate(ops, X))

    def gradient(self, ops: MatrixOps[M], X: M) -> M:
        result: M = self._gate(ops, X) + ops.hadamard(X, Hardtanh(-3.0, 3.0).gradient(ops, X)) / 6
        return result

    def _gate(self, ops: MatrixOps[M], X: M) -> M:
        """(min(max(x, -3), 3) + 3) / 6."""
        result: M = (Hardtanh(-3.0, 3.0).value(ops, X) + ops.full(3, *ops.shape(X))) / 6
        return result


@ACTIVATIONS.add
@dataclass(frozen=True)
class QLimit(Activation):
    """x f'(x), the limit of the q-activation of f for q → 1 (q-neurons, Proposition 1); the derivative is f'(x) + x f''(x)."""

    activation: Activation

    def value(self, ops: MatrixOps[M], X: M) -> M:
        return ops.hadamard(X, ops.apply(self.activation.gradient, X))

    def gradient(self, ops: MatrixOps[M], X: M) -> M:
        f = self.activation
        result: M = ops.apply(f.gradient, X) + ops.hadamard(X, ops.apply(f.second_derivative, X))
        return result
