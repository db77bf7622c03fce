"""Every initializer: the mean and the variance of its distribution."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

from nerva_core.equations.initializers import INITIALIZERS, Initializer, NormalDistribution, Uniform
from sympy_validation.claims import EqualNumbers
from sympy_validation.spaces.spaces import Space
from sympy_validation.symbols import symbolic, with_symbols
from sympy_validation.theorem import Theorem
from sympy_validation.theorems.tools import about

Moments = Callable[[Any, Any, Any], Sequence[Any]]
"""(mean, variance) of an element, and what its mean has more on the diagonal, if anything; from the initializer, D and K."""

MOMENTS: dict[str, tuple[str, Moments]] = {
    "Zero": ("mean 0, variance 0", lambda init, D, K: (0, 0)),
    "Constant": ("mean c, variance 0", lambda init, D, K: (init.c, 0)),
    "Uniform": ("mean (a + b)/2, variance (b - a)²/12", lambda init, D, K: ((init.a + init.b) / 2, (init.b - init.a) ** 2 / 12)),
    "Normal": ("mean μ, variance σ²", lambda init, D, K: (init.mu, init.sigma**2)),
    "Xavier": ("mean 0, variance 1/(3D)", lambda init, D, K: (0, 1 / (3 * D))),
    "NormalizedXavier": ("mean 0, variance 2/(D + K)", lambda init, D, K: (0, 2 / (D + K))),
    "He": ("mean 0, variance 2/D", lambda init, D, K: (0, 2 / D)),
    "NearIdentity": (
        "mean 0, on the diagonal scale; variance noise²",
        lambda init, D, K: (0, init.noise**2, init.scale),
    ),
}


def theorems() -> Iterator[Theorem]:
    """The table for the initializers."""
    for name, (statement, expected) in MOMENTS.items():
        yield from moments_theorem(name, statement, expected)
    yield from integrals()


def moments_theorem(name: str, statement: str, expected: Moments, published: bool = False, **options: Any) -> Iterator[Theorem]:
    """The theorem that the declared distribution has these moments, for all D and K; ``published`` ones are tested themselves."""

    def numbers(space: Space) -> tuple[Any, Any, Any]:
        return initializer(name, space), space.scalar("D", 0), space.scalar("K", 0)

    def tested(space: Space) -> Sequence[Any]:
        init, D, K = numbers(space)
        return (*moments(with_symbols(init.distribution, space)(D, K)), init.identity())

    def stated(space: Space) -> Sequence[Any]:
        return (*expected(*numbers(space)), 0)[:3]

    sides = (tested, stated)
    claim = EqualNumbers("mean, variance, on the diagonal", *(reversed(sides) if published else sides))
    yield from about(f"initializers.{name}", claim, statement, methods=("entries",), range="all D, K", **options)


def initializer(name: str, space: Space) -> Initializer:
    """The initializer with symbols for its parameters; those of Uniform in their order."""
    entry = INITIALIZERS.lookup(name)
    if entry is Uniform:
        a = space.scalar("a")
        return Uniform(a=a, b=a + space.scalar("width", 0))
    return symbolic(entry, space)


def moments(distribution: Any) -> tuple[Any, Any]:
    """The mean and the variance of U(a, b) and N(μ, σ); that these are the integrals are theorems too."""
    if isinstance(distribution, NormalDistribution):
        return distribution.mu, distribution.sigma**2
    a, b = distribution
    return (a + b) / 2, (b - a) ** 2 / 12


def integrals() -> Iterator[Theorem]:
    """The formulas of ``moments``, by integration: x = a + (b - a) u with u from U(0, 1), and x = μ + σ u with u from N(0, 1)."""

    def of_uniform(space: Space) -> list[Any]:
        a, b = initializer("Uniform", space).distribution(1, 1)
        _, m1, m2 = standard_moments("Uniform")
        return [a + (b - a) * m1, (b - a) ** 2 * (m2 - m1 * m1)]

    def of_normal(space: Space) -> list[Any]:
        mu, sigma = initializer("Normal", space).distribution(1, 1)
        _, m1, m2 = standard_moments("Normal")
        return [mu + sigma * m1, sigma**2 * (m2 - m1 * m1)]

    def of_code(name: str, space: Space) -> list[Any]:
        return list(moments(initializer(name, space).distribution(1, 1)))

    for name, integral in (("Uniform", of_uniform), ("Normal", of_normal)):
        claim = EqualNumbers("integrals", partial(of_code, name), integral)
        statement = "mean = ∫ x p(x) dx and variance = ∫ (x - mean)² p(x) dx"
        yield from about(f"initializers.{name}", claim, statement, methods=("entries",), range="all parameters")


def standard_moments(name: str) -> list[Fraction]:
    """∫ uᵏ p(u) du for k = 0, 1, 2, with p the density of U(0, 1) or N(0, 1)."""
    import sympy as sp

    u = sp.Symbol("u", real=True)
    density, interval = {
        "Uniform": (sp.Integer(1), (u, 0, 1)),
        "Normal": (sp.exp(-(u**2) / 2) / sp.sqrt(2 * sp.pi), (u, -sp.oo, sp.oo)),
    }[name]
    integrals = [sp.integrate(u**k * density, interval) for k in range(3)]
    return [Fraction(int(m.p), int(m.q)) for m in integrals]
