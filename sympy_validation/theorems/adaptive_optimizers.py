"""The optimizers in which every element has a step of its own: θ and the averages in closed form, as their papers print them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nerva_core.algebra.matrix import Matrix, Scalar
from nerva_core.algebra.trees import Tree
from nerva_core.equations.adaptive_optimizers import AdafactorState
from nerva_core.equations.optimizers import (
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
    WeightDecay,
)
from sympy_validation.claims import RealVariable
from sympy_validation.spaces.spaces import Kind, Space
from sympy_validation.theorem import Theorem
from sympy_validation.theorems.optimizer_steps import ETA, MATRICES, STEPS, Ops, average, steps, total
from sympy_validation.theorems.tools import METHODS, equation, product, times


def theorems() -> Iterator[Theorem]:
    """The table for these optimizers."""
    yield from adam()
    yield from rmsprop()
    yield from adamw()
    yield from amsgrad()
    yield from nadam()
    yield from adagrad()
    yield from adadelta()
    yield from lion()
    yield from lamb()
    yield from adafactor()


BETAS: dict[str, Any] = {"beta1": RealVariable(0, 1), "beta2": RealVariable(0, 1), "epsilon": RealVariable(0)}


def adam() -> Iterator[Theorem]:
    """θ and the moments in closed form: each step is -η m̂ / (√v̂ + ε) as Algorithm 1 of Kingma and Ba prints it."""
    subject = "optimizers.Adam"

    def tested(ops: Ops, beta1: Scalar, beta2: Scalar, epsilon: Scalar, eta: Scalar, theta: Matrix, *G: Matrix) -> Tree:
        theta, state = steps(ops, Adam(beta1=beta1, beta2=beta2, epsilon=epsilon), theta, G, eta)
        return theta, *state

    def expected(space: Space, beta1: Scalar, beta2: Scalar, epsilon: Scalar, eta: Scalar, theta: Matrix, *G: Matrix) -> Tree:
        squares = tuple(space.ops.hadamard(g, g) for g in G)
        for m_hat, v_hat in corrected(space.ops, beta1, beta2, G):
            theta = theta - scaled(space.ops, eta, m_hat, v_hat, epsilon)
        return theta, average(beta1, G), average(beta2, squares)

    statement = "{} after three steps: m = (1 - β1) Σ β1^(3-t) G_t, v likewise, each step is -η m̂ / (√v̂ + ε)"
    yield from equation(subject, ("theta", "m", "v"), statement, {**BETAS, **ETA, **MATRICES}, tested, expected)
    yield from bias_correction(subject)


def scaled(ops: Ops, eta: Scalar, m: Matrix, v: Matrix, epsilon: Scalar) -> Tree:
    """η m / (√v + ε)."""
    return eta * ops.hadamard(m, ops.reciprocal(ops.sqrt(v) + epsilon * ops.ones(*ops.shape(m))))


def bias_correction(subject: str) -> Iterator[Theorem]:
    """If all gradients are the same, the corrected average is that gradient: this is what the correction is for."""
    variables: dict[str, Any] = {**BETAS, **ETA, "theta": ("K", "D"), "G": ("K", "D")}

    def tested(ops: Ops, beta1: Scalar, beta2: Scalar, epsilon: Scalar, eta: Scalar, theta: Matrix, G: Matrix) -> Tree:
        adam = Adam(beta1=beta1, beta2=beta2, epsilon=epsilon)
        theta, state = steps(ops, adam, theta, (G,) * STEPS, eta)
        _, correction1, correction2 = adam.scalars(eta, STEPS)
        return theta, state.m / correction1, state.v / correction2

    def expected(space: Space, beta1: Scalar, beta2: Scalar, epsilon: Scalar, eta: Scalar, theta: Matrix, G: Matrix) -> Tree:
        square = space.ops.hadamard(G, G)
        return theta - STEPS * scaled(space.ops, eta, G, square, epsilon), G, square

    statement = "{} if every gradient is G: θ - 3 η G / (√(G ⊙ G) + ε), m̂ = G and v̂ = G ⊙ G"
    yield from equation(
        subject, ("theta", "m_hat", "v_hat"), statement, variables, tested, expected, name="constant gradient", methods=("all sizes",)
    )


def rmsprop() -> Iterator[Theorem]:
    """θ and the average in closed form."""
    variables: dict[str, Any] = {"rho": RealVariable(0, 1), "epsilon": RealVariable(0), **ETA, **MATRICES}

    def tested(ops: Ops, rho: Scalar, epsilon: Scalar, eta: Scalar, theta: Matrix, *G: Matrix) -> Tree:
        theta, state = steps(ops, RMSProp(rho=rho, epsilon=epsilon), theta, G, eta)
        return theta, *state

    def expected(space: Space, rho: Scalar, epsilon: Scalar, eta: Scalar, theta: Matrix, *G: Matrix) -> Tree:
        squares = tuple(space.ops.hadamard(g, g) for g in G)
        for t in range(1, STEPS + 1):
            theta = theta - scaled(space.ops, eta, G[t - 1], average(rho, squares[:t]), epsilon)
        return theta, average(rho, squares)

    statement = "{} after three steps: v = (1 - ρ) Σ ρ^(3-t) G_t ⊙ G_t, each step is -η G_t / (√v + ε)"
    yield from equation("optimizers.RMSProp", ("theta", "v"), statement, variables, tested, expected)


DECAY: dict[str, Any] = {"decay": RealVariable(0)}


def adamw() -> Iterator[Theorem]:
    """It is Adam with decoupled decay, and its first step by hand."""
    subject, variables = "optimizers.AdamW", {**DECAY, **BETAS, **ETA, **MATRICES}

    def tested(ops: Ops, decay: Scalar, beta1: Scalar, beta2: Scalar, epsilon: Scalar, eta: Scalar, theta: Matrix, *G: Matrix) -> Tree:
        optimizer = AdamW(beta1=beta1, beta2=beta2, epsilon=epsilon, decay=decay)
        return steps(ops, optimizer, theta, G, eta)[0]

    def around(space: Space, decay: Scalar, beta1: Scalar, beta2: Scalar, epsilon: Scalar, eta: Scalar, theta: Matrix, *G: Matrix) -> Tree:
        optimizer = WeightDecay(Adam(beta1=beta1, beta2=beta2, epsilon=epsilon), decay, decoupled=True)
        return steps(space.ops, optimizer, theta, G, eta)[0]

    def expected(
        space: Space, decay: Scalar, beta1: Scalar, beta2: Scalar, epsilon: Scalar, eta: Scalar, theta: Matrix, *G: Matrix
    ) -> Tree:
        for m_hat, v_hat in corrected(space.ops, beta1, beta2, G):
            theta = (1 - eta * decay) * theta - scaled(space.ops, eta, m_hat, v_hat, epsilon)
        return theta

    statement = "θ after three steps, each θ' = (1 - η λ) θ - η m̂ / (√v̂ + ε)"
    yield from equation(subject, "theta", statement, variables, tested, expected)
    yield from equation(subject, "theta", "θ is that of Adam with decoupled weight decay", variables, tested, around, name="around")


def corrected(ops: Ops, beta1: Scalar, beta2: Scalar, G: tuple[Any, ...]) -> Iterator[tuple[Any, Any]]:
    """m̂ and v̂ of each step, in closed form."""
    squares = tuple(ops.hadamard(g, g) for g in G)
    for t in range(1, len(G) + 1):
        yield average(beta1, G[:t]) / (1 - beta1**t), average(beta2, squares[:t]) / (1 - beta2**t)


def amsgrad() -> Iterator[Theorem]:
    """θ after two steps and the averages: the second step has the larger of both v."""

    def tested(ops: Ops, beta1: Scalar, beta2: Scalar, epsilon: Scalar, eta: Scalar, theta: Matrix, *G: Matrix) -> Tree:
        theta, state = steps(ops, AMSGrad(beta1=beta1, beta2=beta2, epsilon=epsilon), theta, G[:2], eta)
        return theta, *state

    def expected(space: Space, beta1: Scalar, beta2: Scalar, epsilon: Scalar, eta: Scalar, theta: Matrix, *G: Matrix) -> Tree:
        ops, G = space.ops, G[:2]
        squares = tuple(ops.hadamard(g, g) for g in G)
        second = average(beta2, squares)
        first = ops.maximum(ops.zeros(*ops.shape(theta)), average(beta2, squares[:1]))  # v is not negative, but its sign is not asked
        largest = ops.maximum(first, second)
        for t, w in ((1, first), (2, largest)):
            theta = theta - scaled(ops, eta, average(beta1, G[:t]) / (1 - beta1**t), w / (1 - beta2**t), epsilon)
        return theta, average(beta1, G), second, largest

    statement = "{} after two steps: w = max(0, v_1, v_2), each step is -η m̂ / (√ŵ + ε)"
    names = ("theta", "m", "v", "largest")
    yield from equation("optimizers.AMSGrad", names, statement, {**BETAS, **ETA, **MATRICES}, tested, expected)


def nadam() -> Iterator[Theorem]:
    """θ after two steps, as Dozat prints them."""
    variables: dict[str, Any] = {"d": RealVariable(0, 1), **BETAS, **ETA, **MATRICES}

    def tested(ops: Ops, d: Any, beta1: Scalar, beta2: Scalar, epsilon: Scalar, eta: Scalar, theta: Matrix, *G: Matrix) -> Tree:
        return steps(ops, NAdam(beta1=beta1, beta2=beta2, epsilon=epsilon, momentum_decay=d), theta, G[:2], eta)[0]

    def expected(space: Space, d: Any, beta1: Scalar, beta2: Scalar, epsilon: Scalar, eta: Scalar, theta: Matrix, *G: Matrix) -> Tree:
        ops, G = space.ops, G[:2]
        squares = tuple(ops.hadamard(g, g) for g in G)
        mu1, mu2, mu3 = (beta1 * (1 - d**t / 2) for t in (1, 2, 3))
        for t, now, after, P in ((1, mu1, mu2, mu1), (2, mu2, mu3, mu1 * mu2)):
            ahead = after * average(beta1, G[:t]) / (1 - P * after) + (1 - now) * G[t - 1] / (1 - P)
            theta = theta - scaled(ops, eta, ahead, average(beta2, squares[:t]) / (1 - beta2**t), epsilon)
        return theta

    statement = "θ after two steps, each -η (μ_{t+1} m / (1 - μ_1 ⋯ μ_{t+1}) + (1 - μ_t) G_t / (1 - μ_1 ⋯ μ_t)) / (√v̂ + ε)"
    yield from equation("optimizers.NAdam", "theta", statement, variables, tested, expected)


def adagrad() -> Iterator[Theorem]:
    """θ and the sum of squares in closed form."""
    variables: dict[str, Any] = {"epsilon": RealVariable(0), **ETA, **MATRICES}

    def tested(ops: Ops, epsilon: Scalar, eta: Scalar, theta: Matrix, *G: Matrix) -> Tree:
        theta, state = steps(ops, AdaGrad(epsilon=epsilon), theta, G, eta)
        return theta, *state

    def expected(space: Space, epsilon: Scalar, eta: Scalar, theta: Matrix, *G: Matrix) -> Tree:
        squares = tuple(space.ops.hadamard(g, g) for g in G)
        for t in range(1, STEPS + 1):
            theta = theta - scaled(space.ops, eta, G[t - 1], total(squares[:t]), epsilon)
        return theta, total(squares)

    statement = "{} after three steps: s = Σ G_t ⊙ G_t, each step is -η G_t / (√s + ε)"
    yield from equation("optimizers.AdaGrad", ("theta", "s"), statement, variables, tested, expected)


def adadelta() -> Iterator[Theorem]:
    """θ and the averages after two steps: Δ_1 has √ε, Δ_2 the average of Δ_1²."""
    variables: dict[str, Any] = {"rho": RealVariable(0, 1), "epsilon": RealVariable(0), **ETA, **MATRICES}

    def tested(ops: Ops, rho: Scalar, epsilon: Scalar, eta: Scalar, theta: Matrix, *G: Matrix) -> Tree:
        theta, state = steps(ops, Adadelta(rho=rho, epsilon=epsilon), theta, G[:2], eta)
        return theta, state.v

    def expected(space: Space, rho: Scalar, epsilon: Scalar, eta: Scalar, theta: Matrix, G1: Matrix, G2: Matrix, G3: Matrix) -> Tree:
        ops = space.ops
        eps = epsilon * ops.ones(*ops.shape(theta))
        squares = tuple(ops.hadamard(g, g) for g in (G1, G2))
        v1, v2 = average(rho, squares[:1]) + eps, average(rho, squares) + eps
        Delta1 = ops.hadamard(ops.hadamard(ops.sqrt(eps), ops.inv_sqrt(v1)), G1)
        u1 = (1 - rho) * ops.hadamard(ops.hadamard(eps, ops.reciprocal(v1)), squares[0]) + eps
        Delta2 = ops.hadamard(ops.hadamard(ops.sqrt(u1), ops.inv_sqrt(v2)), G2)
        return theta - eta * (Delta1 + Delta2), average(rho, squares)

    statement = "{} after two steps: Δ_1 = √ε / √(v_1 + ε) G_1, Δ_2 = √(u + ε) / √(v_2 + ε) G_2, u = (1 - ρ) ε G_1² / (v_1 + ε)"
    yield from equation("optimizers.Adadelta", ("theta", "v"), statement, variables, tested, expected)


def lion() -> Iterator[Theorem]:
    """θ and m in closed form."""
    variables: dict[str, Any] = {**DECAY, "beta1": RealVariable(0, 1), "beta2": RealVariable(0, 1), **ETA, **MATRICES}

    def tested(ops: Ops, decay: Scalar, beta1: Scalar, beta2: Scalar, eta: Scalar, theta: Matrix, *G: Matrix) -> Tree:
        theta, state = steps(ops, Lion(beta1=beta1, beta2=beta2, decay=decay), theta, G[:2], eta)
        return theta, state.m

    def expected(
        space: Space, decay: Scalar, beta1: Scalar, beta2: Scalar, eta: Scalar, theta: Matrix, G1: Matrix, G2: Matrix, G3: Matrix
    ) -> Tree:
        sign = space.ops.sign
        theta = theta - eta * (sign((1 - beta1) * G1) + decay * theta)
        c = beta1 * (1 - beta2) * G1 + (1 - beta1) * G2
        return theta - eta * (sign(c) + decay * theta), average(beta2, (G1, G2))

    statement = "{} after two steps, the second in the direction sign(β1 (1 - β2) G_1 + (1 - β1) G_2)"
    yield from equation("optimizers.Lion", ("theta", "m"), statement, variables, tested, expected)


def lamb() -> Iterator[Theorem]:
    """The first step: u in closed form, its length that of θ. θ is any matrix as a hundredth of any: so there are points with ‖θ‖ < 1."""
    variables: dict[str, Any] = {**DECAY, **BETAS, **ETA, **MATRICES}

    def tested(ops: Ops, decay: Scalar, beta1: Scalar, beta2: Scalar, epsilon: Scalar, eta: Scalar, theta: Matrix, *G: Matrix) -> Tree:
        return steps(ops, LAMB(beta1=beta1, beta2=beta2, epsilon=epsilon, decay=decay), theta / 100, G[:1], eta)[0]

    def expected(
        space: Space, decay: Scalar, beta1: Scalar, beta2: Scalar, epsilon: Scalar, eta: Scalar, theta: Matrix, *G: Matrix
    ) -> Tree:
        ops, theta = space.ops, theta / 100
        u = scaled(ops, 1, G[0], ops.hadamard(G[0], G[0]), epsilon) + decay * theta
        of_theta, of_u = (ops.sqrt(ops.elements_sum(ops.hadamard(X, X))) for X in (theta, u))
        return theta - eta * times(ops, ops.hadamard(of_theta, ops.reciprocal(of_u)), u)

    state: dict[str, Any] = {"m": ("K", "D"), "v": ("K", "D", Kind.POSITIVE)}

    def averages(
        ops: Ops, m: Matrix, v: Matrix, decay: Scalar, beta1: Scalar, beta2: Scalar, epsilon: Scalar, eta: Scalar, theta: Matrix, *G: Matrix
    ) -> Tree:
        optimizer = LAMB(beta1=beta1, beta2=beta2, epsilon=epsilon, decay=decay)
        return tuple(optimizer.update(ops, AdamState(m, v), theta, G[0], *optimizer.scalars(eta, 2))[1])

    def printed(
        space: Space,
        m: Matrix,
        v: Matrix,
        decay: Scalar,
        beta1: Scalar,
        beta2: Scalar,
        epsilon: Scalar,
        eta: Scalar,
        theta: Matrix,
        G1: Matrix,
        G2: Matrix,
        G3: Matrix,
    ) -> Tree:
        return beta1 * m + (1 - beta1) * G1, beta2 * v + (1 - beta2) * space.ops.hadamard(G1, G1)

    subject = "optimizers.LAMB"
    statement = "θ after a step: θ - η (‖θ‖ / ‖u‖) u with u = G / (√(G ⊙ G) + ε) + λ θ"
    yield from equation(subject, "theta", statement, variables, tested, expected, methods=("all sizes",))
    averages_of_adam = "{}' from any state: the averages of Adam"
    yield from equation(subject, ("m", "v"), averages_of_adam, {**state, **variables}, averages, printed, methods=("all sizes",))


def adafactor() -> Iterator[Theorem]:
    """A step from any averages, as Algorithm 4 prints it. θ is any matrix as a quarter of any: so rms(θ) < ε₂ at some points only."""
    coefficients: dict[str, Any] = {"share": RealVariable(0, 1), **{name: RealVariable(0) for name in ("epsilon1", "epsilon2", "d")}}
    state: dict[str, Any] = {"r": ("K", 1, Kind.POSITIVE), "c": (1, "D", Kind.POSITIVE)}
    variables: dict[str, Any] = {**state, **coefficients, **ETA, "theta": ("K", "D"), "G": ("K", "D")}

    def tested(ops: Ops, r: Any, c: Any, share: Any, epsilon1: Any, epsilon2: Any, d: Any, eta: Scalar, theta: Matrix, G: Matrix) -> Tree:
        optimizer = Adafactor(epsilon1=epsilon1, epsilon2=epsilon2, clipping=d)
        theta, averages = optimizer.update(ops, AdafactorState(r, c), theta / 4, G, eta, share)
        return theta, *averages

    def expected(
        space: Space, r: Any, c: Any, share: Any, epsilon1: Any, epsilon2: Any, d: Any, eta: Scalar, theta: Matrix, G: Matrix
    ) -> Tree:
        ops, theta = space.ops, theta / 4
        K, D = ops.shape(G)
        S = ops.hadamard(G, G) + ops.full(epsilon1, K, D)
        r = (1 - share) * r + share * ops.divide(S @ ops.ones(D, 1), D)
        c = (1 - share) * c + share * ops.divide(ops.ones(1, K) @ S, K)
        U = ops.hadamard(G, product(ops.inv_sqrt(_over_mean(ops, r)), ops.inv_sqrt(c)))
        rms_theta, rms_U = (ops.sqrt(ops.divide(ops.divide(ops.elements_sum(ops.hadamard(X, X)), D), K)) for X in (theta, U))
        alpha = eta * ops.maximum(ops.full(epsilon2, 1, 1), rms_theta)
        clipped = ops.maximum(ops.ones(1, 1), rms_U / d)
        return theta - times(ops, ops.hadamard(alpha, ops.reciprocal(clipped)), U), r, c

    subject, only = "optimizers.Adafactor", METHODS[:1]
    statement = "{} after a step: θ' = θ - η max(ε₂, rms(θ)) U / max(1, rms(U) / d), U = G ⊙ (1 / √(r / mean(r)) · 1 / √c)"
    yield from equation(subject, ("theta", "r", "c"), statement, variables, tested, expected, methods=only)
    yield from equation(
        subject,
        "1/sqrt(V)",
        "{} = 1 / √(r / mean(r)) · 1 / √c for V = r · c / mean(r), of any positive averages",
        state,
        lambda ops, r, c: product(ops.inv_sqrt(_over_mean(ops, r)), ops.inv_sqrt(c)),
        lambda space, r, c: space.ops.inv_sqrt(product(_over_mean(space.ops, r), c)),
        name="factors",
        methods=only,
    )


def _over_mean(ops: Ops, r: Any) -> Tree:
    """r / mean(r)."""
    K, _ = ops.shape(r)
    return times(ops, ops.reciprocal(ops.divide(ops.ones(1, K) @ r, K)), r)
