"""Optimizers around others: weight decay, clipping by a common norm, gradient activations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from nerva_core.algebra.matrix import Matrix, Scalar
from nerva_core.algebra.trees import Tree
from nerva_core.equations.gradient_activations import Arctan
from nerva_core.equations.optimizers import (
    GAF,
    GlobalNormClipping,
    GradientDescent,
    Momentum,
    WeightDecay,
)
from sympy_validation.claims import RealVariable
from sympy_validation.spaces.spaces import Space
from sympy_validation.theorem import Theorem
from sympy_validation.theorems.optimizer_steps import ETA, MATRICES, MU, Ops, steps, theta_and_delta
from sympy_validation.theorems.tools import equation, times


def theorems() -> Iterator[Theorem]:
    """The table for these optimizers."""
    yield from weight_decay()
    yield from global_norm_clipping()
    yield from gradient_activation()


def weight_decay() -> Iterator[Theorem]:
    """λ θ is the gradient of λ/2 |θ|², which gradient descent takes in either form; decoupled, the state is that without decay."""
    subject = "optimizers.WeightDecay"
    variables: dict[str, Any] = {"decay": RealVariable(0), **MU, **ETA, **MATRICES}

    def penalized(space: Space, decay: Scalar, mu: Scalar, eta: Scalar, theta: Matrix, *G: Matrix) -> Tree:
        penalty = (decay / 2) * space.ops.elements_sum(space.ops.hadamard(theta, theta))
        return theta - eta * (G[0] + space.gradient(space.ops.ones(1, 1), penalty, "theta"))

    for decoupled in (False, True):
        yield from equation(
            subject,
            "theta",
            f"{'decoupled' if decoupled else 'coupled'} decay of gradient descent: a step on L + λ/2 ⟨θ, θ⟩",
            variables,
            lambda ops, decay, mu, eta, theta, *G, decoupled=decoupled: steps(
                ops, WeightDecay(GradientDescent(), decay, decoupled), theta, G[:1], eta
            )[0],
            penalized,
            name="decoupled" if decoupled else "coupled",
        )

    yield from weight_decay_of_momentum(subject, variables)


def weight_decay_of_momentum(subject: str, variables: dict[str, Any]) -> Iterator[Theorem]:
    """Coupled, the decay goes through Δ; decoupled, Δ is that without decay."""

    def shipped(decoupled: bool) -> Callable[..., Any]:
        def tested(ops: Ops, decay: Scalar, mu: Scalar, eta: Scalar, theta: Matrix, *G: Matrix) -> Tree:
            return theta_and_delta(steps(ops, WeightDecay(Momentum(mu=mu), decay, decoupled), theta, G[:2], eta))

        return tested

    def by_hand(decoupled: bool) -> Callable[..., Any]:
        def expected(space: Space, decay: Scalar, mu: Scalar, eta: Scalar, theta: Matrix, G1: Matrix, G2: Matrix, G3: Matrix) -> Tree:
            Delta = space.ops.zeros(*space.ops.shape(theta))
            for G in (G1, G2):
                Delta = mu * Delta - eta * (G if decoupled else G + decay * theta)
                theta = theta + Delta - (eta * decay) * theta if decoupled else theta + Delta
            return theta, Delta

        return expected

    for name in ("coupled", "decoupled"):
        statement = f"{{}} after two steps of momentum with {name} decay"
        tested, expected = shipped(name == "decoupled"), by_hand(name == "decoupled")
        yield from equation(subject, ("theta", "Delta"), statement, variables, tested, expected, name=f"{name}, momentum")


def global_norm_clipping() -> Iterator[Theorem]:
    """Two parameters W and b: each gradient is scaled by c / max(‖(DW, Db)‖, c), so that their common norm is at most c."""
    subject = "optimizers.GlobalNormClipping"
    W, b = ("K", "D"), (1, "K")
    # The threshold is c = 4k, any positive number: so the points at which mutants are tried have norms below it and above it.
    variables: dict[str, Any] = {"k": RealVariable(0), **ETA, "W": W, "b": b, "DW": W, "Db": b}

    def shipped(ops: Ops, k: Any, eta: Scalar, W: Matrix, b: Matrix, DW: Matrix, Db: Matrix) -> Tree:
        thetas, _ = GlobalNormClipping(GradientDescent(), 4 * k).step(ops, ((), ()), (W, b), (DW, Db), eta)
        return tuple(thetas)

    def norm(ops: Ops, DW: Matrix, Db: Matrix) -> Tree:
        return ops.sqrt(ops.elements_sum(ops.hadamard(DW, DW)) + ops.elements_sum(ops.hadamard(Db, Db)))

    def by_hand(space: Space, k: Any, eta: Scalar, W: Matrix, b: Matrix, DW: Matrix, Db: Matrix) -> Tree:
        c = 4 * k
        factor = c * space.ops.reciprocal(space.ops.maximum(norm(space.ops, DW, Db), space.ops.full(c, 1, 1)))
        return tuple(theta - eta * times(space.ops, factor, Dtheta) for theta, Dtheta in ((W, DW), (b, Db)))

    statement = "{} after a step of gradient descent: each gradient times c / max(‖(DW, Db)‖, c), with the norm of both parameters"
    yield from equation(subject, ("W", "b"), statement, variables, shipped, by_hand)


Rule = Callable[[Any], Any]
"""G of a matrix."""


def gaf_gradient_first(theta: Matrix, v: Matrix, D: Any, eta: Scalar, mu: Scalar, G: Rule) -> tuple[Any, Any]:
    """SGD_atan of the authors' code."""
    v = mu * v + G(D)
    return theta - eta * v, v


def gaf_printed(theta: Matrix, v: Matrix, D: Any, eta: Scalar, mu: Scalar, G: Rule) -> tuple[Any, Any]:
    """Algorithm 1 of the paper."""
    v = mu * v - eta * D
    return theta + G(v), v


def gaf_momentum_buffer(theta: Matrix, v: Matrix, D: Any, eta: Scalar, mu: Scalar, G: Rule) -> tuple[Any, Any]:
    """SGD_atanMom of the authors' code, where G(-v) = -G(v)."""
    v = mu * v + D
    return theta + eta * G(-v), v


def gradient_activation() -> Iterator[Theorem]:
    """The variants of momentum with the arctangent (erratum 001-46): where G acts."""
    variables: dict[str, Any] = {"alpha": RealVariable(0), "beta": RealVariable(0), **MU, **ETA, **MATRICES}
    for variant, rule in (("gradient-first", gaf_gradient_first), ("printed", gaf_printed), ("momentum-buffer", gaf_momentum_buffer)):

        def by_hand(
            space: Space, alpha: Any, beta: Scalar, mu: Scalar, eta: Scalar, theta: Matrix, *G: Matrix, rule: Callable[..., Any] = rule
        ) -> Tree:
            v = space.ops.zeros(*space.ops.shape(theta))
            for D in G[:2]:
                theta, v = rule(theta, v, D, eta, mu, lambda X: alpha * space.ops.arctan(beta * X))
            return theta

        def shipped(ops: Ops, alpha: Any, beta: Scalar, mu: Scalar, eta: Scalar, theta: Matrix, *G: Matrix, variant: Any = variant) -> Tree:
            return steps(ops, GAF(Momentum(mu=mu), Arctan(alpha, beta), variant=variant), theta, G[:2], eta)[0]

        statement = f"θ after two steps of momentum with α arctan(βg), {variant}"
        yield from equation("optimizers.GAF", "theta", statement, variables, shipped, by_hand, name=variant)
