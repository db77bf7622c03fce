"""Update rules (Nerva specification, section 8): steps that are sums of gradients, and rules around others.

All rules are offered here; those with a step for each element stand in ``nerva_core.equations.adaptive_optimizers``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, NamedTuple

from nerva_core.algebra.errors import NervaError, did_you_mean
from nerva_core.algebra.matrix_ops import M, MatrixOps, Scalar
from nerva_core.algebra.registry import Fraction, NonNegative, Positive
from nerva_core.equations.adaptive_optimizers import (
    LAMB,
    Adadelta,
    Adafactor,
    AdaGrad,
    Adam,
    AdamState,
    AdamW,
    AMSGrad,
    Lion,
    NAdam,
    RMSProp,
)
from nerva_core.equations.averaging import EMA, Lookahead
from nerva_core.equations.gradient_activations import Arctan, GradientActivation
from nerva_core.equations.optimizer import OPTIMIZERS, Optimizer, Wrapper

__all__ = [
    "EMA",
    "GAF",
    "LAMB",
    "OPTIMIZERS",
    "SGD",
    "AMSGrad",
    "AdaGrad",
    "Adadelta",
    "Adafactor",
    "Adam",
    "AdamState",
    "AdamW",
    "GlobalNormClipping",
    "GradientDescent",
    "Lion",
    "Lookahead",
    "Momentum",
    "MomentumState",
    "NAdam",
    "Nesterov",
    "Optimizer",
    "RMSProp",
    "WeightDecay",
    "Wrapper",
]


@OPTIMIZERS.add
@dataclass(frozen=True)
class GradientDescent(Optimizer):
    """θ' = θ - η Dθ."""

    sums_gradients = True

    def update(self, ops: MatrixOps[M], state: tuple[()], theta: M, Dtheta: M, eta: Scalar, *scalars: Scalar) -> tuple[M, tuple[()]]:
        return theta - eta * Dtheta, ()


class MomentumState(NamedTuple):
    """Δ, of the shape of θ."""

    Delta: Any


@OPTIMIZERS.add
@dataclass(frozen=True)
class Momentum(Optimizer):
    """Δ' = μ Δ - η Dθ, θ' = θ + Δ'. Equal to Keras; PyTorch's form, SGD, has η outside Δ."""

    mu: Fraction = field(default=0.9, metadata={"named_below": 0.1})
    sums_gradients = True

    def init(self, ops: MatrixOps[M], theta: M) -> MomentumState:
        return MomentumState(ops.zeros(*ops.shape(theta)))

    def update(
        self, ops: MatrixOps[M], state: MomentumState, theta: M, Dtheta: M, eta: Scalar, *scalars: Scalar
    ) -> tuple[M, MomentumState]:
        Delta = self.mu * state.Delta - eta * Dtheta
        return theta + Delta, MomentumState(Delta)


@OPTIMIZERS.add
@dataclass(frozen=True)
class Nesterov(Momentum):
    """Δ' = μ Δ - η Dθ, θ' = θ + μ Δ' - η Dθ. Equal to Keras."""

    def update(
        self, ops: MatrixOps[M], state: MomentumState, theta: M, Dtheta: M, eta: Scalar, *scalars: Scalar
    ) -> tuple[M, MomentumState]:
        Delta = self.mu * state.Delta - eta * Dtheta
        return theta + self.mu * Delta - eta * Dtheta, MomentumState(Delta)


class SGDState(NamedTuple):
    """V, of the shape of θ."""

    V: Any


@OPTIMIZERS.add
@dataclass(frozen=True, kw_only=True)
class SGD(Optimizer):
    """G = Dθ + λ θ, V' = μ V + G, θ' = θ - η V'; with ``nesterov`` θ' = θ - η (G + μ V'). Equal to PyTorch.

    Without momentum and decay it is GradientDescent. Keras's form, with η inside V, is Momentum or Nesterov.
    """

    momentum: Fraction = 0.0
    decay: NonNegative = 0.0
    nesterov: bool = False

    @property
    def sums_gradients(self) -> bool:
        return self.decay == 0

    def init(self, ops: MatrixOps[M], theta: M) -> SGDState:
        return SGDState(ops.zeros(*ops.shape(theta)))

    def update(self, ops: MatrixOps[M], state: SGDState, theta: M, Dtheta: M, eta: Scalar, *scalars: Scalar) -> tuple[M, SGDState]:
        G = Dtheta + self.decay * theta
        V = self.momentum * state.V + G
        return theta - eta * (G + self.momentum * V if self.nesterov else V), SGDState(V)


@OPTIMIZERS.add
@dataclass(frozen=True)
class WeightDecay(Wrapper):
    """Another optimizer with decay λ: it receives Dθ + λ θ; or, decoupled, η λ θ is taken from its result (Loshchilov and Hutter 2019)."""

    decay: NonNegative
    decoupled: bool = False

    def step(
        self, ops: MatrixOps[M], states: Sequence[Any], thetas: Sequence[M], gradients: Sequence[M], eta: Scalar, *scalars: Scalar
    ) -> tuple[list[M], list[Any]]:
        if not self.decoupled:
            gradients = [Dtheta + self.decay * theta for theta, Dtheta in zip(thetas, gradients, strict=True)]
        new, states = self.optimizer.step(ops, states, thetas, gradients, eta, *scalars)
        if self.decoupled:
            new = [after - (eta * self.decay) * theta for theta, after in zip(thetas, new, strict=True)]
        return new, states


@OPTIMIZERS.add
@dataclass(frozen=True)
class GlobalNormClipping(Wrapper):
    """Another optimizer that receives Dθ min(1, c / ‖D‖), where ‖D‖² = Σ ‖Dθ‖² over all parameters θ, with the threshold c.

    The norm clipping of the Activated Gradients paper (section I, threshold 0.1) and of Pascanu et al. (2013); equal to Keras's
    ``global_clipnorm``. ``GAF(..., NormClipping)`` clips every parameter by its own norm. Decay that is not clipped stands inside:
    ``GlobalNormClipping(WeightDecay(Momentum, 5e-4))``.
    """

    threshold: Positive = 0.1
    needs_all_gradients = True

    def step(
        self, ops: MatrixOps[M], states: Sequence[Any], thetas: Sequence[M], gradients: Sequence[M], eta: Scalar, *scalars: Scalar
    ) -> tuple[list[M], list[Any]]:
        norm = ops.norm(ops.join_column_parts(*(ops.norm(Dtheta) for Dtheta in gradients)))
        bound = ops.maximum(norm, ops.full(self.threshold, 1, 1))
        clipped = [self.threshold * ops.quotient(Dtheta, ops.fill(bound, *ops.shape(Dtheta))) for Dtheta in gradients]
        return self.optimizer.step(ops, states, thetas, clipped, eta, *scalars)


@OPTIMIZERS.add
@dataclass(frozen=True)
class GAF(Wrapper):
    """Another optimizer with a gradient activation function G (Liu et al., Activated Gradients, Algorithm 1): it receives G(Dθ).

    ``variant`` says where G acts; the paper's Algorithm 1 and its released code differ (erratum 001-46). With momentum μ:

    * ``"gradient-first"``: V' = μ V + G(Dθ), θ' = θ - η V'. Of any optimizer. The default: G sees gradients, the quantity for which α
      and β are chosen and for which the theorems are stated, at every learning rate and before an optimizer such as Adam rescales
      them. It is also the most accurate at all rates but the largest (docs/gaf.md has the accuracies).
    * ``"printed"``: Δ' = μ Δ - η Dθ, θ' = θ + G(Δ'). G sees steps, so that its α and β depend on η, and bounds them.
    * ``"momentum-buffer"``: V' = μ V + Dθ, θ' = θ - η G(V').

    The last two are for optimizers whose step is a sum of gradients (GradientDescent, Momentum, Nesterov, SGD). If G is the identity, all
    are the optimizer. ``alpha`` and ``beta`` replace those of the activation, so that ``GAF(Momentum, arctan, alpha=0.1, beta=20)`` is
    ``GAF(Momentum, arctan(0.1, 20))``. Weight decay is not activated in ``GAF(WeightDecay(Momentum, 5e-4))``, which receives
    G(Dθ) + λ θ, as gradient-first has it; it is in ``WeightDecay(GAF(Momentum), 5e-4)``, which receives G(Dθ + λ θ).
    """

    activation: GradientActivation = Arctan()
    alpha: Positive | None = None
    beta: Positive | None = None
    variant: Literal["gradient-first", "printed", "momentum-buffer"] = "gradient-first"

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("alpha", "beta"):
            if (value := getattr(self, name)) is not None:
                known = [field.name for field in fields(self.activation)]
                if name not in known:
                    hint = did_you_mean(name, known) if known else "it has none"
                    raise NervaError(f"GAF: {type(self.activation).__name__} has no parameter {name!r}; {hint}")
                object.__setattr__(self, "activation", replace(self.activation, **{name: value}))
                object.__setattr__(self, name, None)
        if self.variant != "gradient-first" and not self.optimizer.sums_gradients:
            raise NervaError(
                f"GAF: the variant {self.variant!r} is for GradientDescent, Momentum, Nesterov and SGD without decay, whose steps are "
                f"sums of gradients; got {type(self.optimizer).__name__}, which takes 'gradient-first'"
                + ("; or put the decay outside: WeightDecay(GAF(...), ...)" if isinstance(self.optimizer, (SGD, WeightDecay)) else "")
            )

    def step(
        self, ops: MatrixOps[M], states: Sequence[Any], thetas: Sequence[M], gradients: Sequence[M], eta: Scalar, *scalars: Scalar
    ) -> tuple[list[M], list[Any]]:
        if self.variant == "gradient-first":
            return self.optimizer.step(ops, states, thetas, [self.activation(ops, Dtheta) for Dtheta in gradients], eta, *scalars)
        printed = self.variant == "printed"
        zeros = [ops.zeros(*ops.shape(theta)) for theta in thetas]
        Deltas, states = self.optimizer.step(ops, states, zeros, gradients, eta if printed else 1.0)  # what it adds to any θ, such as 0
        activated = [self.activation(ops, Delta) for Delta in Deltas]
        return [theta + (A if printed else eta * A) for theta, A in zip(thetas, activated, strict=True)], states
