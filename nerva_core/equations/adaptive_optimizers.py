"""Update rules in which every element of θ has a step of its own: Adam and its relatives.

The numbers of a step are as in ``nerva_core.equations.optimizer``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from nerva_core.algebra.matrix_ops import M, MatrixOps, Scalar
from nerva_core.algebra.registry import Fraction, NonNegative, Positive
from nerva_core.algebra.trees import Tree
from nerva_core.equations.optimizer import OPTIMIZERS, Optimizer


class AdamState(NamedTuple):
    """The averages of Dθ and of Dθ ⊙ Dθ, of the shape of θ."""

    m: Any
    v: Any


@OPTIMIZERS.add
@dataclass(frozen=True, kw_only=True)
class Adam(Optimizer):
    """m' = β1 m + (1 - β1) Dθ, v' = β2 v + (1 - β2) Dθ ⊙ Dθ, θ' = θ - η m̂ / (√v̂ + ε), m̂ = m' / (1 - β1^t), v̂ = v' / (1 - β2^t).

    Kingma and Ba (2015), Algorithm 1; equal to PyTorch. Keras places ε differently.
    """

    beta1: Fraction = 0.9
    beta2: Fraction = 0.999
    epsilon: Positive = 1e-8

    def scalars(self, eta: Scalar, t: int) -> tuple[Scalar, ...]:
        return (eta, 1 - self.beta1**t, 1 - self.beta2**t)

    def init(self, ops: MatrixOps[M], theta: M) -> AdamState:
        zero = ops.zeros(*ops.shape(theta))
        return AdamState(zero, zero)

    def update(self, ops: MatrixOps[M], state: AdamState, theta: M, Dtheta: M, eta: Scalar, *scalars: Scalar) -> tuple[M, AdamState]:
        correction1, correction2 = scalars
        m, v = self.averages(ops, state, Dtheta)
        return theta - (eta / correction1) * ops.hadamard(m, self.inverse_root(ops, v / correction2)), AdamState(m, v)

    def averages(self, ops: MatrixOps[M], state: Tree, Dtheta: M) -> tuple[M, M]:
        """m' and v'."""
        m = self.beta1 * state.m + (1 - self.beta1) * Dtheta
        v = self.beta2 * state.v + (1 - self.beta2) * ops.hadamard(Dtheta, Dtheta)
        return m, v

    def inverse_root(self, ops: MatrixOps[M], v: M) -> M:
        """1 / (√v + ε)."""
        return ops.reciprocal(ops.sqrt(v) + self.epsilon * ops.ones(*ops.shape(v)))


class RMSPropState(NamedTuple):
    """The average of Dθ ⊙ Dθ, of the shape of θ."""

    v: Any


@OPTIMIZERS.add
@dataclass(frozen=True, kw_only=True)
class RMSProp(Optimizer):
    """v' = ρ v + (1 - ρ) Dθ ⊙ Dθ, θ' = θ - η Dθ / (√v' + ε). Equal to PyTorch, whose default for ρ is 0.99."""

    rho: Fraction = 0.9
    epsilon: Positive = 1e-8

    def init(self, ops: MatrixOps[M], theta: M) -> RMSPropState:
        return RMSPropState(ops.zeros(*ops.shape(theta)))

    def update(self, ops: MatrixOps[M], state: RMSPropState, theta: M, Dtheta: M, eta: Scalar, *scalars: Scalar) -> tuple[M, RMSPropState]:
        v = self.rho * state.v + (1 - self.rho) * ops.hadamard(Dtheta, Dtheta)
        root = ops.sqrt(v) + self.epsilon * ops.ones(*ops.shape(theta))
        return theta - eta * ops.hadamard(Dtheta, ops.reciprocal(root)), RMSPropState(v)


@OPTIMIZERS.add
@dataclass(frozen=True, kw_only=True)
class AdamW(Adam):
    """Adam, from whose result η λ θ is taken: decay that is no part of the gradient (Loshchilov and Hutter 2019, Algorithm 2).

    Equal to PyTorch. It is ``WeightDecay(Adam, λ, decoupled=true)``.
    """

    decay: NonNegative = 0.01

    def update(self, ops: MatrixOps[M], state: AdamState, theta: M, Dtheta: M, eta: Scalar, *scalars: Scalar) -> tuple[M, AdamState]:
        after, state = super().update(ops, state, theta, Dtheta, eta, *scalars)
        return after - (eta * self.decay) * theta, state


class AMSGradState(NamedTuple):
    """The averages of Adam, and the largest v so far, of the shape of θ."""

    m: Any
    v: Any
    largest: Any


@OPTIMIZERS.add
@dataclass(frozen=True, kw_only=True)
class AMSGrad(Adam):
    """Adam with the largest v' so far in the place of v' (Reddi, Kale and Kumar 2018, Algorithm 2): w' = max(w, v').

    θ' = θ - η m̂ / (√ŵ + ε) with m̂ = m' / (1 - β1^t), ŵ = w' / (1 - β2^t), which the paper leaves out. Equal to PyTorch.
    """

    def init(self, ops: MatrixOps[M], theta: M) -> Tree:
        zero = ops.zeros(*ops.shape(theta))
        return AMSGradState(zero, zero, zero)

    def update(self, ops: MatrixOps[M], state: Tree, theta: M, Dtheta: M, eta: Scalar, *scalars: Scalar) -> tuple[M, Tree]:
        correction1, correction2 = scalars
        m, v = self.averages(ops, state, Dtheta)
        w = ops.maximum(state.largest, v)
        return theta - (eta / correction1) * ops.hadamard(m, self.inverse_root(ops, w / correction2)), AMSGradState(m, v, w)


class NAdamState(NamedTuple):
    """The averages of Adam, and in every element the product P of the momenta so far, of the shape of θ."""

    m: Any
    v: Any
    P: Any


@OPTIMIZERS.add
@dataclass(frozen=True, kw_only=True)
class NAdam(Adam):
    """Adam with Nesterov's look ahead (Dozat 2016): its m̂ is μ_{t+1} m' / (1 - μ_1 ⋯ μ_{t+1}) + (1 - μ_t) Dθ / (1 - μ_1 ⋯ μ_t).

    The momentum μ_t = β1 (1 - d^t / 2) grows to β1. Equal to PyTorch, whose d is 0.96^0.004 too.
    """

    momentum_decay: Fraction = 0.96**0.004

    def scalars(self, eta: Scalar, t: int) -> tuple[Scalar, ...]:
        now, after = (self.beta1 * (1 - self.momentum_decay**i / 2) for i in (t, t + 1))
        return (eta, now, after, 1 - self.beta2**t)

    def init(self, ops: MatrixOps[M], theta: M) -> Tree:
        zero = ops.zeros(*ops.shape(theta))
        return NAdamState(zero, zero, ops.ones(*ops.shape(theta)))

    def update(self, ops: MatrixOps[M], state: Tree, theta: M, Dtheta: M, eta: Scalar, *scalars: Scalar) -> tuple[M, Tree]:
        mu, after, correction2 = scalars
        m, v = self.averages(ops, state, Dtheta)
        P, one = mu * state.P, ops.ones(*ops.shape(theta))
        ahead = after * ops.hadamard(m, ops.reciprocal(one - after * P)) + (1 - mu) * ops.hadamard(Dtheta, ops.reciprocal(one - P))
        return theta - eta * ops.hadamard(ahead, self.inverse_root(ops, v / correction2)), NAdamState(m, v, P)


class AdaGradState(NamedTuple):
    """The sum of Dθ ⊙ Dθ, of the shape of θ."""

    s: Any


@OPTIMIZERS.add
@dataclass(frozen=True, kw_only=True)
class AdaGrad(Optimizer):
    """s' = s + Dθ ⊙ Dθ, θ' = θ - η Dθ / (√s' + ε) (Duchi, Hazan and Singer 2011). Equal to PyTorch."""

    epsilon: Positive = 1e-10

    def init(self, ops: MatrixOps[M], theta: M) -> AdaGradState:
        return AdaGradState(ops.zeros(*ops.shape(theta)))

    def update(self, ops: MatrixOps[M], state: AdaGradState, theta: M, Dtheta: M, eta: Scalar, *scalars: Scalar) -> tuple[M, AdaGradState]:
        s = state.s + ops.hadamard(Dtheta, Dtheta)
        root = ops.sqrt(s) + self.epsilon * ops.ones(*ops.shape(theta))
        return theta - eta * ops.hadamard(Dtheta, ops.reciprocal(root)), AdaGradState(s)


class AdadeltaState(NamedTuple):
    """The averages of Dθ ⊙ Dθ and of Δ ⊙ Δ, of the shape of θ."""

    v: Any
    u: Any


@OPTIMIZERS.add
@dataclass(frozen=True, kw_only=True)
class Adadelta(Optimizer):
    """v' = ρ v + (1 - ρ) Dθ ⊙ Dθ, Δ = √(u + ε) / √(v' + ε) ⊙ Dθ, u' = ρ u + (1 - ρ) Δ ⊙ Δ, θ' = θ - η Δ.

    Zeiler (2012), Algorithm 1, where η = 1. Equal to PyTorch.
    """

    rho: Fraction = 0.9
    epsilon: Positive = 1e-6

    def init(self, ops: MatrixOps[M], theta: M) -> AdadeltaState:
        zero = ops.zeros(*ops.shape(theta))
        return AdadeltaState(zero, zero)

    def update(
        self, ops: MatrixOps[M], state: AdadeltaState, theta: M, Dtheta: M, eta: Scalar, *scalars: Scalar
    ) -> tuple[M, AdadeltaState]:
        one = ops.ones(*ops.shape(theta))
        v = self.rho * state.v + (1 - self.rho) * ops.hadamard(Dtheta, Dtheta)
        factor = ops.hadamard(ops.sqrt(state.u + self.epsilon * one), ops.inv_sqrt(v + self.epsilon * one))
        Delta = ops.hadamard(factor, Dtheta)
        u = self.rho * state.u + (1 - self.rho) * ops.hadamard(Delta, Delta)
        return theta - eta * Delta, AdadeltaState(v, u)


class LionState(NamedTuple):
    """The average of Dθ, of the shape of θ."""

    m: Any


@OPTIMIZERS.add
@dataclass(frozen=True, kw_only=True)
class Lion(Optimizer):
    """θ' = θ - η (sign(β1 m + (1 - β1) Dθ) + λ θ), m' = β2 m + (1 - β2) Dθ (Chen et al. 2023, Algorithm 2). Its steps are ±η."""

    beta1: Fraction = 0.9
    beta2: Fraction = 0.99
    decay: NonNegative = 0.0

    def init(self, ops: MatrixOps[M], theta: M) -> LionState:
        return LionState(ops.zeros(*ops.shape(theta)))

    def update(self, ops: MatrixOps[M], state: LionState, theta: M, Dtheta: M, eta: Scalar, *scalars: Scalar) -> tuple[M, LionState]:
        direction = ops.sign(self.beta1 * state.m + (1 - self.beta1) * Dtheta)
        m = self.beta2 * state.m + (1 - self.beta2) * Dtheta
        return theta - eta * (direction + self.decay * theta), LionState(m)


@OPTIMIZERS.add
@dataclass(frozen=True, kw_only=True)
class LAMB(Adam):
    """u = m̂ / (√v̂ + ε) + λ θ with the m̂ and v̂ of Adam, θ' = θ - η (‖θ‖ / ‖u‖) u; the ratio is 1 where a norm is 0.

    You et al. (2020), Algorithm 2 with φ(z) = z; the norms are those of one parameter.
    """

    epsilon: Positive = 1e-6
    decay: NonNegative = 0.01

    def update(self, ops: MatrixOps[M], state: AdamState, theta: M, Dtheta: M, eta: Scalar, *scalars: Scalar) -> tuple[M, AdamState]:
        shape, correction1, correction2 = ops.shape(theta), *scalars
        m, v = self.averages(ops, state, Dtheta)
        u = ops.hadamard(m / correction1, self.inverse_root(ops, v / correction2)) + self.decay * theta
        norms = [ops.norm(X) for X in (theta, u)]
        both = ops.less(ops.zeros(1, 1), ops.minimum(*norms))
        of_theta, of_u = (ops.where(both, norm, ops.ones(1, 1)) for norm in norms)
        ratio = ops.hadamard(of_theta, ops.reciprocal(of_u))
        return theta - eta * ops.hadamard(ops.fill(ratio, *shape), u), AdamState(m, v)


class AdafactorState(NamedTuple):
    """The averages of the rows' and of the columns' means of Dθ ⊙ Dθ: r is m x 1 and c is 1 x n for θ of m x n."""

    r: Any
    c: Any


@OPTIMIZERS.add
@dataclass(frozen=True, kw_only=True)
class Adafactor(Optimizer):
    """r' = β r + (1 - β) mean_rows(S), c' = β c + (1 - β) mean_columns(S), S = Dθ ⊙ Dθ + ε₁, V = r' · c' / mean(r'), U = Dθ / √V.

    θ' = θ - η max(ε₂, rms(θ)) U / max(1, rms(U) / d), with β = 1 - t^(-0.8) and rms(X) = √(mean of X ⊙ X): m + n numbers are kept of each
    m x n parameter, not m n. Shazeer and Stern (2018), Algorithm 4, whose η is min(10⁻², 1 / √t); equal to Keras with
    ``relative_step=False``. Of a row V is the average of S itself, as Algorithm 5 has it.
    """

    epsilon1: Positive = 1e-30
    epsilon2: Positive = 1e-3
    clipping: Positive = 1.0

    def scalars(self, eta: Scalar, t: int) -> tuple[Scalar, ...]:
        return (eta, t**-0.8)

    def init(self, ops: MatrixOps[M], theta: M) -> AdafactorState:
        m, n = ops.shape(theta)
        return AdafactorState(ops.zeros(m, 1), ops.zeros(1, n))

    def update(
        self, ops: MatrixOps[M], state: AdafactorState, theta: M, Dtheta: M, eta: Scalar, *scalars: Scalar
    ) -> tuple[M, AdafactorState]:
        (m, n), (share,) = ops.shape(theta), scalars  # 1 - β
        S = ops.hadamard(Dtheta, Dtheta) + self.epsilon1 * ops.ones(m, n)
        r = (1 - share) * state.r + share * ops.rows_mean(S)
        c = (1 - share) * state.c + share * ops.columns_mean(S)
        R = ops.inv_sqrt(ops.quotient(r, ops.fill(ops.columns_mean(r), m, 1)))
        C = ops.inv_sqrt(c)  # one factor after the other, as the elements of V may be too small for a float32
        U = ops.hadamard(ops.hadamard(Dtheta, ops.column_repeat(R, n)), ops.row_repeat(C, m))
        length = ops.maximum(self._rms(ops, theta), ops.full(self.epsilon2, 1, 1))
        clipped = ops.maximum(self._rms(ops, U) / self.clipping, ops.ones(1, 1))
        step = ops.hadamard(length, ops.reciprocal(clipped))
        return theta - eta * ops.hadamard(ops.fill(step, m, n), U), AdafactorState(r, c)

    def _rms(self, ops: MatrixOps[M], X: M) -> M:
        """√(mean of X ⊙ X), 1 x 1."""
        return ops.sqrt(ops.columns_mean(ops.rows_mean(ops.hadamard(X, X))))
