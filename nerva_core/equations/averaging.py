"""Averages of weights around any optimizer: EMA, with which a network is evaluated, and Lookahead, from which training goes on.

The numbers of a step are as in ``nerva_core.equations.optimizer``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from nerva_core.algebra.matrix_ops import M, MatrixOps, Scalar
from nerva_core.algebra.registry import Count, Fraction, Share
from nerva_core.algebra.trees import Tree
from nerva_core.equations.optimizer import OPTIMIZERS, Wrapper


class AveragedState(NamedTuple):
    """The state of the optimizer inside, and Θ, of the shape of θ."""

    inner: Any
    Theta: Any


@dataclass(frozen=True)
class Averaged(Wrapper):
    """An optimizer with a second copy Θ of every parameter θ, which begins as θ."""

    def init(self, ops: MatrixOps[M], theta: M) -> AveragedState:
        copy = theta + ops.zeros(*ops.shape(theta))  # a framework may change θ in place
        return AveragedState(self.optimizer.init(ops, theta), copy)

    def evaluated(self, state: Tree, theta: M) -> M:
        return self.optimizer.evaluated(state.inner, theta)

    def inner_step(
        self, ops: MatrixOps[M], states: Sequence[Any], thetas: Sequence[M], gradients: Sequence[M], eta: Scalar, *scalars: Scalar
    ) -> tuple[list[M], list[Any]]:
        """All θ' and states of the optimizer inside."""
        return self.optimizer.step(ops, [state.inner for state in states], thetas, gradients, eta, *scalars)


@OPTIMIZERS.add
@dataclass(frozen=True)
class EMA(Averaged):
    """Another optimizer, whose θ' are averaged: Θ' = Θ + (1 - β) / (1 - β^t) (θ' - Θ). The network is evaluated with Θ, and saved so.

    After t steps Θ is Σ β^(t-i) θ_i / Σ β^(t-i), the exponential moving average without a share of the first values (Polyak and
    Juditsky 1992; the correction is that of Adam's m). Training goes on from θ'. Running statistics of layers are those of θ.
    """

    beta: Fraction = 0.999

    def scalars(self, eta: Scalar, t: int) -> tuple[Scalar, ...]:
        return (*self.optimizer.scalars(eta, t), (1 - self.beta) / (1 - self.beta**t))

    def step(
        self, ops: MatrixOps[M], states: Sequence[Any], thetas: Sequence[M], gradients: Sequence[M], eta: Scalar, *scalars: Scalar
    ) -> tuple[list[M], list[Any]]:
        *of_inner, share = scalars
        new, inner = self.inner_step(ops, states, thetas, gradients, eta, *of_inner)
        averages = [state.Theta + share * (theta - state.Theta) for state, theta in zip(states, new, strict=True)]
        return new, list(map(AveragedState, inner, averages))

    def evaluated(self, state: Tree, theta: M) -> M:
        Theta: M = state.Theta
        return Theta


@OPTIMIZERS.add
@dataclass(frozen=True)
class Lookahead(Averaged):
    """Another optimizer, and after every k-th of its steps Θ' = Θ + α (θ' - Θ), θ' = Θ' (Zhang et al. 2019, Algorithm 1).

    In the other steps Θ stays as it is, and θ' is that of the optimizer, whose state goes on.
    """

    k: Count = 5
    alpha: Share = 0.5

    def scalars(self, eta: Scalar, t: int) -> tuple[Scalar, ...]:
        return (*self.optimizer.scalars(eta, t), 0.0 ** (t % self.k))

    def step(
        self, ops: MatrixOps[M], states: Sequence[Any], thetas: Sequence[M], gradients: Sequence[M], eta: Scalar, *scalars: Scalar
    ) -> tuple[list[M], list[Any]]:
        *of_inner, due = scalars  # 0^(t mod k), which is 1 in every k-th step and 0 in the others
        new, inner = self.inner_step(ops, states, thetas, gradients, eta, *of_inner)
        slow = [state.Theta + (due * self.alpha) * (theta - state.Theta) for state, theta in zip(states, new, strict=True)]
        fast = [due * Theta + (1 - due) * theta for Theta, theta in zip(slow, new, strict=True)]
        return fast, list(map(AveragedState, inner, slow))
