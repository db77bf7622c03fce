"""The q-activation of any activation function (q-neurons, section 2).

``"q-elu(lambda=0.02)"`` in a network is the q-activation of ELU: "q-" before the name of any activation, also of a user's own.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Generic, Literal, NamedTuple

import numpy as np

from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.algebra.memory import Array
from nerva_core.algebra.registry import EntryCall, NonNegative, Positive
from nerva_core.equations.activations import ACTIVATIONS, Activation, QLimit
from nerva_core.layers.base import LAYERS, Layer, Shape

PREFIXES = ("q-", "q_", "q ")
"""What stands before the name of an activation in the name of its q-activation."""


def draw_q(rng: np.random.Generator, lambda_: float, phi: float, shape: tuple[int, int]) -> Array:
    """q = 1 + (2[ε >= 0] - 1)(λ|ε| + φ), with independent standard normal ε (equation 6).

    |q - 1| >= φ (printed as |q| >= φ: errata 000-19 and 000-20), E q = 1 and Var q = λ² + 2λφ√(2/π) + φ² (erratum 000-08).
    """
    epsilon = rng.standard_normal(shape)
    result: Array = 1 + np.where(epsilon >= 0, 1, -1) * (lambda_ * np.abs(epsilon) + phi)
    return result


def q_density(q: Array, lambda_: float, phi: float) -> Array:
    """The density of q: exp(-(|q - 1| - φ)² / (2λ²)) / (λ √(2π)) where |q - 1| >= φ, and 0 elsewhere (erratum 000-21)."""
    distance = np.abs(q - 1) - phi
    return np.where(distance >= 0, np.exp(-((distance / lambda_) ** 2) / 2) / (lambda_ * math.sqrt(2 * math.pi)), 0)


class QActivationCache(NamedTuple, Generic[M]):
    """Z, the input, and the noise Q are N x K."""

    Z: M
    Q: M


@LAYERS.add
@dataclass(frozen=True)
class QActivation(Layer):
    """Y = (f(Z) - f(Q ⊙ Z)) / (1 - Q), for an activation f and noise Q (equation 3); at inference Y = f'(Z) ⊙ Z, its limit for Q → 1.

    DZ = DY ⊙ (f'(Z) - Q ⊙ f'(Q ⊙ Z)) / (1 - Q), for every Q without an element 1. Q is drawn by equation (6), one q an element as
    in the pseudo-code (A.3), a row, or a step ("scalar"; erratum 000-24).

    The paper does not say how a trained network is evaluated. With evaluation="noise" the training loop evaluates with noise, too;
    ``evaluate`` without noise is the limit.

    In epoch T = 1, 2, ... the λ of the noise is λ_0 / (1 + γ(T - 1)) (equation 7), so it is constant for γ = 0. The paper's c0.02 is
    lambda=0.02, and its a1, a5 and a9 are lambda=1, 5 and 9 with gamma=0.5.

    The difference cancels where q is near 1. If f is accurate to c units of roundoff u, the error of y is at most
    (c|f(z)| + c|f(qz)| + |qz f'(qz)|) u / |1 - q|, and that of its derivative has the same form with f' and z f'' + f'. With φ = 10⁻³
    the error measured for |z| <= 4 and the activations here is below 6·10⁻⁴ in float32, and below 2·10⁻¹² in float64 (c <= 3).
    φ must stay well above u: 6·10⁻⁸ in float32.
    """

    activation: Activation
    lambda_: Positive = 0.02
    phi: Positive = 1e-3
    gamma: NonNegative = 0.0
    noise: Literal["element", "row", "scalar"] = "element"
    evaluation: Literal["limit", "noise"] = "limit"

    def noise_shapes(self, N: Size, D: Size) -> tuple[Shape, ...]:
        return ((N, D),)

    def draw(self, rng: np.random.Generator, N: int, D: int) -> tuple[Array]:
        """Q, where the same q may be repeated along a row or everywhere."""
        drawn = {"element": (N, D), "row": (N, 1), "scalar": (1, 1)}[self.noise]
        q = draw_q(rng, self.lambda_, self.phi, drawn)
        return (np.tile(q, (N // drawn[0], D // drawn[1])),)

    def draw_for_evaluation(self, rng: np.random.Generator, N: int, D: int) -> tuple[Array, ...]:
        return self.draw(rng, N, D) if self.evaluation == "noise" else ()

    def at_epoch(self, T: int) -> QActivation:
        return dataclasses.replace(self, lambda_=self.lambda_ / (1 + self.gamma * (T - 1)), gamma=0.0)

    def noise_scale(self) -> float:
        return self.lambda_

    def feedforward(self, ops: MatrixOps[M], params: tuple[()], Z: M, Q: M) -> tuple[M, QActivationCache[M]]:
        f = self.activation
        Y = self._divide(ops, ops.apply(f.value, Z) - ops.apply(f.value, ops.hadamard(Q, Z)), Q)
        return Y, QActivationCache(Z, Q)

    def backpropagate(self, ops: MatrixOps[M], params: tuple[()], cache: QActivationCache[M], DY: M) -> tuple[M, tuple[()]]:
        f = self.activation
        Z, Q = cache
        G = self._divide(ops, ops.apply(f.gradient, Z) - ops.hadamard(Q, ops.apply(f.gradient, ops.hadamard(Q, Z))), Q)
        DZ = ops.hadamard(DY, G)
        return DZ, ()

    def evaluate(self, ops: MatrixOps[M], params: tuple[()], state: tuple[()], Z: M, *noise: M) -> M:
        return self.feedforward(ops, params, Z, *noise)[0] if noise else ops.apply(QLimit(self.activation).value, Z)

    def _divide(self, ops: MatrixOps[M], difference: M, Q: M) -> M:
        return ops.hadamard(difference, ops.reciprocal(ops.ones(*ops.shape(Q)) - Q))


def is_q_activation(call: EntryCall) -> bool:
    """Whether a name is that of an activation with "q-" before it."""
    return call.name[:2].casefold() in PREFIXES


def q_activation(call: EntryCall) -> QActivation:
    """``q-ELU(alpha=0.5, lambda=0.02)``: parameters of QActivation by their names, and all others those of the activation."""
    own = {field.name.rstrip("_") for field in dataclasses.fields(QActivation)} - {"activation"}
    noise = {key: value for key, value in call.parameters.items() if key.rstrip("_") in own}
    rest = {key: value for key, value in call.parameters.items() if key not in noise}
    layer = LAYERS.build("QActivation", ACTIVATIONS.build(call.name[2:], *call.arguments, **rest), **noise)
    assert isinstance(layer, QActivation)
    return layer
