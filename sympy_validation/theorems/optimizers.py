"""Every optimizer: what it computes over several steps, and that it is the rule that other libraries call by the same name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from nerva_core.algebra.matrix import Matrix, Scalar
from nerva_core.algebra.trees import Tree
from nerva_core.equations.optimizers import (
    SGD,
    GradientDescent,
    Momentum,
    Nesterov,
)
from sympy_validation.claims import RealVariable
from sympy_validation.spaces.spaces import Space
from sympy_validation.theorem import Expected, Theorem
from sympy_validation.theorems import adaptive_optimizers, averaging, wrapped_optimizers
from sympy_validation.theorems.optimizer_steps import ETA, MATRICES, MU, STEPS, Ops, steps, theta_and_delta, total
from sympy_validation.theorems.tools import METHODS, equation


def theorems() -> Iterator[Theorem]:
    """The table for the optimizers."""
    yield from gradient_descent()
    yield from momentum()
    yield from nesterov()
    yield from sgd()
    yield from averaging.theorems()
    yield from adaptive_optimizers.theorems()
    yield from wrapped_optimizers.theorems()


def gradient_descent() -> Iterator[Theorem]:
    """θ_3 = θ_0 - η Σ Dθ."""
    yield from equation(
        "optimizers.GradientDescent",
        "theta",
        "θ after three steps = θ - η (G1 + G2 + G3)",
        {**ETA, **MATRICES},
        lambda ops, eta, theta, *G: steps(ops, GradientDescent(), theta, G, eta)[0],
        lambda space, eta, theta, *G: theta - eta * total(G),
    )


Library = Callable[[Any, Any, Any, Any, Any], tuple[Any, Any]]
"""A library's step (θ, velocity, G, η, μ) -> (θ', velocity')."""


def keras_momentum(theta: Matrix, velocity: Any, G: Matrix, eta: Scalar, mu: Scalar) -> tuple[Any, Any]:
    """keras.optimizers.SGD(momentum=μ)."""
    velocity = mu * velocity - eta * G
    return theta + velocity, velocity


def keras_nesterov(theta: Matrix, velocity: Any, G: Matrix, eta: Scalar, mu: Scalar) -> tuple[Any, Any]:
    """keras.optimizers.SGD(momentum=μ, nesterov=True)."""
    velocity = mu * velocity - eta * G
    return theta + mu * velocity - eta * G, velocity


def torch_momentum(theta: Matrix, buffer: Any, G: Matrix, eta: Scalar, mu: Scalar) -> tuple[Any, Any]:
    """torch.optim.SGD(momentum=μ): the learning rate is outside the buffer."""
    buffer = mu * buffer + G
    return theta - eta * buffer, buffer


def torch_nesterov(theta: Matrix, buffer: Any, G: Matrix, eta: Scalar, mu: Scalar) -> tuple[Any, Any]:
    """torch.optim.SGD(momentum=μ, nesterov=True)."""
    buffer = mu * buffer + G
    return theta - eta * (G + mu * buffer), buffer


def library_steps(space: Space, rule: Library, theta: Matrix, gradients: tuple[Any, ...], etas: tuple[Any, ...], mu: Scalar) -> Tree:
    """θ after the library's steps."""
    velocity = space.ops.zeros(*space.ops.shape(theta))
    for G, eta in zip(gradients, etas, strict=True):
        theta, velocity = rule(theta, velocity, G, eta, mu)
    return theta


def momentum() -> Iterator[Theorem]:
    """Keras's form for every learning rate, PyTorch's for a constant one, and the closed form of Δ."""
    subject = "optimizers.Momentum"
    yield from like_library(subject, Momentum, "Keras", keras_momentum, varying=True)
    yield from like_library(subject, Momentum, "PyTorch", torch_momentum, varying=False)
    yield from like_library(subject, Momentum, "PyTorch", torch_momentum, varying=True, status="refuted")
    yield from equation(
        subject,
        ("theta", "Delta"),
        "{} in closed form: Δ = -η (μ² G1 + μ G2 + G3), θ = θ_0 - η ((1 + μ + μ²) G1 + (1 + μ) G2 + G3)",
        {**ETA, **MU, **MATRICES},
        lambda ops, eta, mu, theta, *G: theta_and_delta(steps(ops, Momentum(mu=mu), theta, G, eta)),
        lambda space, eta, mu, theta, G1, G2, G3: (
            theta - eta * ((1 + mu + mu * mu) * G1 + (1 + mu) * G2 + G3),
            -eta * (mu * mu * G1 + mu * G2 + G3),
        ),
    )


def nesterov() -> Iterator[Theorem]:
    """Keras's form for every learning rate, PyTorch's for a constant one; and a look ahead of one momentum step."""
    subject = "optimizers.Nesterov"
    yield from like_library(subject, Nesterov, "Keras", keras_nesterov, varying=True)
    yield from like_library(subject, Nesterov, "PyTorch", torch_nesterov, varying=False)
    yield from like_library(subject, Nesterov, "PyTorch", torch_nesterov, varying=True, status="refuted")

    def look_ahead(space: Space, eta: Scalar, mu: Scalar, theta: Matrix, *G: Matrix) -> Tree:
        after, state = steps(space.ops, Momentum(mu=mu), theta, G, eta)
        return after + mu * state.Delta

    yield from equation(
        subject,
        "theta",
        "θ of Nesterov = θ + μ Δ of Momentum, at every step",
        {**ETA, **MU, **MATRICES},
        lambda ops, eta, mu, theta, *G: steps(ops, Nesterov(mu=mu), theta, G, eta)[0],
        look_ahead,
        name="look-ahead",
    )


def sgd() -> Iterator[Theorem]:
    """PyTorch's forms for learning rates that vary, with decay; and it differs from Keras's, which has η inside V."""

    def with_decay(rule: Library, decay: Scalar) -> Library:
        return lambda theta, V, G, eta, mu: rule(theta, V, G + decay * theta, eta, mu)

    etas: dict[str, Any] = {f"eta{t}": RealVariable(0) for t in range(1, STEPS + 1)}
    variables: dict[str, Any] = {"decay": RealVariable(0), **MU, **etas, **MATRICES}
    forms: tuple[tuple[str, Library, bool, Expected], ...] = (
        ("PyTorch", torch_momentum, False, "proved"),
        ("PyTorch, nesterov", torch_nesterov, True, "proved"),
        ("Keras", keras_momentum, False, "refuted"),
    )
    for name, rule, nesterov, status in forms:

        def shipped(ops: Ops, decay: Scalar, mu: Scalar, *rest: Any, nesterov: bool = nesterov) -> Tree:
            rates, (theta, *G) = rest[:STEPS], rest[STEPS:]
            return steps(ops, SGD(momentum=mu, decay=decay, nesterov=nesterov), theta, tuple(G), *rates)[0]

        def library(space: Space, decay: Scalar, mu: Scalar, *rest: Any, rule: Library = rule) -> Tree:
            rates, (theta, *G) = rest[:STEPS], rest[STEPS:]
            return library_steps(space, with_decay(rule, decay), theta, tuple(G), rates, mu)

        statement = f"θ after three steps is that of {name}, for learning rates that vary, with decay"
        subject, only = "optimizers.SGD", METHODS[:1]
        yield from equation(subject, "theta", statement, variables, shipped, library, name=name, status=status, methods=only)


def like_library(subject: str, entry: Any, library: str, rule: Library, varying: bool, **options: Any) -> Iterator[Theorem]:
    """θ is that of a library after three steps, with one learning rate or with another for every step."""
    etas: dict[str, Any] = {f"eta{t}": RealVariable(0) for t in range(1, STEPS + 1)} if varying else dict(ETA)

    def tested(ops: Ops, mu: Scalar, *rest: Any) -> Tree:
        rates, (theta, *G) = rest[: len(etas)], rest[len(etas) :]
        return steps(ops, entry(mu=mu), theta, tuple(G), *rates)[0]

    def expected(space: Space, mu: Scalar, *rest: Any) -> Tree:
        rates, (theta, *G) = rest[: len(etas)], rest[len(etas) :]
        return library_steps(space, rule, theta, tuple(G), rates if varying else rates * STEPS, mu)

    rate = "learning rates that vary" if varying else "a constant learning rate"
    yield from equation(
        subject,
        "theta",
        f"θ after three steps is that of {library}, for {rate}",
        {**MU, **etas, **MATRICES},
        tested,
        expected,
        name=f"{library}, {'varying' if varying else 'constant'} rate",
        **options,
    )
