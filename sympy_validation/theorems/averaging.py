"""Averages of weights: Θ in closed form, and what it changes of the optimizer inside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nerva_core.algebra.matrix import Matrix, Scalar
from nerva_core.algebra.trees import Tree
from nerva_core.equations.optimizers import EMA, Lookahead, Momentum
from sympy_validation.claims import RealVariable
from sympy_validation.spaces.spaces import Space
from sympy_validation.theorem import Theorem
from sympy_validation.theorems.optimizer_steps import ETA, MATRICES, MU, STEPS, Ops, steps, weighted
from sympy_validation.theorems.tools import equation


def theorems() -> Iterator[Theorem]:
    """The table for these optimizers."""
    yield from ema()
    yield from lookahead()


def of_momentum(ops: Ops, mu: Scalar, eta: Scalar, theta: Matrix, G: tuple[Any, ...]) -> list[Any]:
    """θ_1, θ_2, ... of momentum."""
    return [steps(ops, Momentum(mu=mu), theta, G[:t], eta)[0] for t in range(1, len(G) + 1)]


def ema() -> Iterator[Theorem]:
    """Θ is the weighted mean of θ_1, θ_2, θ_3, without θ_0; and θ is that of the optimizer inside."""

    def tested(ops: Ops, beta: Scalar, mu: Scalar, eta: Scalar, theta: Matrix, *G: Matrix) -> Tree:
        optimizer = EMA(Momentum(mu=mu), beta)
        theta, state = steps(ops, optimizer, theta, G, eta)
        return theta, optimizer.evaluated(state, theta)

    def expected(space: Space, beta: Scalar, mu: Scalar, eta: Scalar, theta: Matrix, *G: Matrix) -> Tree:
        thetas = of_momentum(space.ops, mu, eta, theta, G)
        powers = tuple(beta ** (STEPS - t) for t in range(1, STEPS + 1))
        return thetas[-1], weighted(powers, tuple(thetas)) / sum(powers)

    statement = "{} after three steps of momentum: Θ = (β² θ_1 + β θ_2 + θ_3) / (β² + β + 1), and θ as without averages"
    variables: dict[str, Any] = {"beta": RealVariable(0, 1), **MU, **ETA, **MATRICES}
    yield from equation("optimizers.EMA", ("theta", "Theta"), statement, variables, tested, expected, methods=("all sizes",))


def lookahead() -> Iterator[Theorem]:
    """With k = 2: after three steps of momentum, the second of which ends between θ_0 and where it led."""
    k = 2

    def tested(ops: Ops, alpha: Any, mu: Scalar, eta: Scalar, theta: Matrix, *G: Matrix) -> Tree:
        theta, state = steps(ops, Lookahead(Momentum(mu=mu), k, alpha), theta, G, eta)
        return theta, state.Theta

    def expected(space: Space, alpha: Any, mu: Scalar, eta: Scalar, theta: Matrix, *G: Matrix) -> Tree:
        slow = fast = theta
        Delta = space.ops.zeros(*space.ops.shape(theta))
        for t, D in enumerate(G, 1):
            Delta = mu * Delta - eta * D
            fast = fast + Delta
            if t % k == 0:
                fast = slow = (1 - alpha) * slow + alpha * fast
        return fast, slow

    statement = "{} after three steps of momentum, k = 2: Θ = (1 - α) θ_0 + α (θ_0 + Δ_1 + Δ_2), from which the third step goes on"
    variables: dict[str, Any] = {"alpha": RealVariable(0, 1), **MU, **ETA, **MATRICES}
    yield from equation("optimizers.Lookahead", ("theta", "Theta"), statement, variables, tested, expected, methods=("all sizes",))
