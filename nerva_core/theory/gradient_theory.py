"""Theory of gradient activation functions, in numbers: their effect on a loss (Liu et al., Activated Gradients, section III).

A loss whose gradient g is replaced by G(g) has an *equivalent loss*: the one whose gradient is G(g). Here are its closed form for a
separable quadratic, the constants l and c of its gradient with the condition number ζ = l / c, and the paper's lemmas and theorems, each
with the conditions under which it holds and a counterexample without them: ``DEMONSTRATIONS``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from nerva_core.algebra.memory import Array
from nerva_core.equations.gradient_activations import Arctan, Elementwise, Identity, NormClipping, at, expansion_radius, fixed_point

CURVATURES = (2.0, 0.4)
"""k of the paper's example, the loss w₁² + 0.2 w₂² (equation 28), whose gradient is k ⊙ w."""


# Equivalent losses -----------------------------------------------------------------------------------------------------------------


def equivalent_loss(G: Elementwise, w: Array, k: Sequence[float] = CURVATURES) -> Array:
    """The loss with gradient G(k ⊙ w) at the rows of w: the sum over n of P(kₙ wₙ) / kₙ with P the integral of G."""
    w = np.atleast_2d(w)
    total: Array = sum((at(G.integral, c * w[:, n]) / c for n, c in enumerate(k)), np.zeros(len(w)))
    return total


def norm_clipped(w: Array, threshold: float, k: Sequence[float] = CURVATURES) -> Array:
    """The gradient k ⊙ w, clipped by its norm."""
    return at(NormClipping(threshold), np.multiply(k, w))


def curl(field: Callable[[Array], Array], w: Sequence[float], h: float = 1e-6) -> float:
    """∂F₂/∂w₁ - ∂F₁/∂w₂ of a field in the plane, by differences. A field that is a gradient has none."""
    x, y = np.array([h, 0.0]), np.array([0.0, h])
    point = np.array(w)
    return float((field(point + x) - field(point - x))[1] - (field(point + y) - field(point - y))[0]) / (2 * h)


def norm_clipping_curl(w: Sequence[float], threshold: float, k: Sequence[float] = CURVATURES) -> float:
    """The curl of the norm-clipped gradient: c k₁ k₂ (k₂ - k₁) w₁ w₂ / ‖k ⊙ w‖³ where ‖k ⊙ w‖ > c, else 0.

    It is not 0 unless k₁ = k₂, so norm clipping has no equivalent loss (erratum 001-34, for the curvatures 2 and 0.4).
    """
    norm = math.hypot(k[0] * w[0], k[1] * w[1])
    return threshold * k[0] * k[1] * (k[1] - k[0]) * w[0] * w[1] / norm**3 if norm > threshold else 0.0


# Constants and condition numbers ---------------------------------------------------------------------------------------------------


class Segment(NamedTuple):
    """A piece of one coordinate of a separable loss: there gₙ goes from ``low`` to ``high`` >= low >= 0, with the slope dgₙ/dwₙ."""

    slope: float
    low: float
    high: float


class Constants(NamedTuple):
    """l, the largest, and c, the smallest of ‖g(w) - g(w̃)‖ / ‖w - w̃‖ (Definitions 2 and 3, with sup and inf: erratum 001-07)."""

    ell: float
    c: float

    @property
    def zeta(self) -> float:
        """The condition number l / c; ∞ if c is 0."""
        return self.ell / self.c if self.c else math.inf


def constants(G: Elementwise, segments: Sequence[Segment]) -> Constants:
    """l and c of G(g) for a separable loss, exactly: G' is even and decreases in |g|, so it is largest at ``low``.

    For a loss that is not separable the constants of the coordinates do not give those of the loss (erratum 001-16).
    """
    largest = [s.slope * at(G.derivative, s.low).item() for s in segments]
    smallest = [s.slope * at(G.derivative, s.high).item() for s in segments]
    return Constants(max(largest), min(smallest))


def box(reach: float, k: Sequence[float] = CURVATURES) -> list[Segment]:
    """The separable quadratic of curvatures k for |wₙ| <= reach; with reach 0, at its minimum."""
    return [Segment(c, 0.0, c * reach) for c in k]


def sampled_constants(gradient: Callable[[Array], Array], low: Sequence[float], high: Sequence[float], pairs: int = 2000) -> Constants:
    """l and c of any gradient over a box, from inside: by random pairs, near and far, so l is too small and c too large."""
    rng = np.random.default_rng(0)
    w = rng.uniform(low, high, (pairs, len(low)))
    reach = 10.0 ** rng.uniform(-6, 0, (pairs, 1))
    other = w + reach * (rng.uniform(low, high, w.shape) - w)
    quotients = [np.linalg.norm(gradient(a) - gradient(b)) / np.linalg.norm(a - b) for a, b in zip(w, other, strict=True)]
    return Constants(float(max(quotients)), float(min(quotients)))


# The statements of the lemmas and theorems -----------------------------------------------------------------------------------------


def distances(G: Elementwise, g: Sequence[float], other: Sequence[float]) -> tuple[float, float]:
    """(‖G(g) - G(g̃)‖, ‖g - g̃‖): Lemma 1 says that the first is larger, Lemma 2 that it is smaller."""
    return float(np.linalg.norm(at(G.value, g) - at(G.value, other))), float(np.linalg.norm(np.subtract(g, other)))


def expands(G: Elementwise, epsilon0: float) -> bool:
    """The condition of Lemma 1: G'(g) > 1 for all |g| <= ε₀. Both vectors must lie there (erratum 001-10)."""
    return epsilon0 < expansion_radius(G)


def contracts(G: Elementwise, epsilon1: float, epsilon2: float) -> bool:
    """The condition of Lemma 2, corrected: 0 < ε₁ <= ε₂, G'(ε₁) <= 1 and G(ε₂) <= ε₂ (errata 001-12 and 001-13)."""
    return 0 < epsilon1 <= epsilon2 and at(G.derivative, epsilon1).item() <= 1 and at(G.value, epsilon2).item() <= epsilon2


def contracts_as_printed(G: Elementwise, epsilon1: float, epsilon2: float) -> bool:
    """The condition of Lemma 2 as printed: ε₁ <= ε₂, G'(ε₁) <= 1 and G'(ε₂) <= ε₂."""
    return epsilon1 <= epsilon2 and at(G.derivative, epsilon1).item() <= 1 and at(G.derivative, epsilon2).item() <= epsilon2


def gap_bound(k: int, gap: Any, ell: Any, c: Any, M: Any, M_G: Any, mu: Any = 1) -> Any:
    """Theorem 4, equation 26: the bound (1 - cμ²/(l M_G))^(k-1) (gap - F) + F of E[L(w_k) - L*], with the noise floor F = M / (2 c M_G)."""
    floor = M / (2 * c * M_G)
    return (1 - c * mu**2 / (ell * M_G)) ** (k - 1) * (gap - floor) + floor


def descent(G: Elementwise, curvature: float, w: float, eta: float, steps: int) -> Array:
    """The path w' = w - η G(curvature · w) of gradient descent on curvature · w² / 2; a negative curvature is a way out of a saddle."""
    path = [w]
    for _ in range(steps):
        path.append(path[-1] - eta * at(G.value, curvature * path[-1]).item())
    return np.array(path)


# Demonstrations --------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Demonstration:
    """A statement of the paper, as it is true, with an instance; and a counterexample to it as printed."""

    name: str
    statement: str
    holds: Callable[[], bool]
    """Whether the instance shows it."""
    missing: str
    """What is missing or wrong in print, and its erratum."""
    fails: Callable[[], bool]
    """Whether the counterexample meets what is printed and contradicts its conclusion."""


ARCTAN, STEEP, NONE = Arctan(0.1, 20.0), Arctan(10.0, 1.0), Identity()
EPSILON3 = 0.116557
"""Just above the fixed point of ``ARCTAN``, where G(ε₃) <= ε₃."""

INSTANCE = (Segment(0.1, 0.0, 0.04), Segment(1.0, 0.04, EPSILON3), Segment(10.0, EPSILON3, 0.5))
"""A loss that meets the conditions of Theorems 1 to 4 with ``ARCTAN``: its slope is small for |g| <= ε₀ = 0.04, large for |g| > ε₂ = ε₃.
The band between belongs to neither part in print (erratum 001-17)."""


def _saddle(w: Array) -> Array:
    """The gradient of w₁² - w₂²."""
    return np.array([2.0, -2.0]) * w


def _lemma1() -> bool:
    vectors = np.random.default_rng(1).uniform(-0.04, 0.04, (100, 2, 3))
    pairs = [distances(ARCTAN, a, b) for a, b in vectors]
    return expands(ARCTAN, 0.04) and all(after > before for after, before in pairs)


def _lemma2() -> bool:
    rng = np.random.default_rng(2)
    vectors = rng.uniform(EPSILON3, 2, (100, 2, 3)) * rng.choice([-1, 1], (100, 2, 3))
    pairs = [distances(ARCTAN, a, b) for a, b in vectors]
    return contracts(ARCTAN, EPSILON3, EPSILON3) and all(after < before for after, before in pairs)


def _lemma2_fails() -> bool:
    after, before = distances(STEEP, [3.01], [-3.01])
    negative, apart = distances(STEEP, [0.2], [0.1])  # with ε₁ = -5, ε₂ = 0
    return contracts_as_printed(STEEP, 3.0, 3.0) and after > before and at(STEEP.derivative, -5.0).item() <= 1 and negative > apart


def _ordered() -> bool:
    """Whether l and c of the part with small gradients are less than those of the part with large ones, before and after."""
    parts = [(constants(G, INSTANCE[:1]), constants(G, INSTANCE[-1:])) for G in (NONE, ARCTAN)]
    return all(small.ell < large.ell and small.c < large.c for small, large in parts)


def _theorem1() -> bool:
    applies = _ordered() and contracts(ARCTAN, EPSILON3, EPSILON3)
    return applies and constants(ARCTAN, INSTANCE).ell < constants(NONE, INSTANCE).ell


def _theorem2() -> bool:
    return _ordered() and expands(ARCTAN, 0.04) and constants(ARCTAN, INSTANCE).c > constants(NONE, INSTANCE).c


def _theorem3() -> bool:
    return _theorem1() and _theorem2() and constants(ARCTAN, INSTANCE).zeta < constants(NONE, INSTANCE).zeta


def _theorem1_fails() -> bool:
    low, high = Segment(0.1, 0.0, 1.0), Segment(10.0, 1.0, 2.0)
    ordered = all(constants(G, [low]).ell < constants(G, [high]).ell for G in (NONE, STEEP))
    return ordered and constants(STEEP, [low, high]).ell > constants(NONE, [low, high]).ell


def _theorem4(gap: float, k: int = 2, M: float = 1.0, M_G: float = 1.0) -> tuple[float, float]:
    """The bounds with the GAF and without it, on the instance."""
    with_gaf, without = constants(ARCTAN, INSTANCE), constants(NONE, INSTANCE)
    return gap_bound(k, gap, *with_gaf, M, M_G), gap_bound(k, gap, *without, M, M_G)


def _theorem4_holds() -> bool:
    floor = 1 / (2 * constants(NONE, INSTANCE).c)
    return all(a < b for gap in (floor, 2 * floor, 100 * floor) for k in (2, 3, 10, 1000) for a, b in [_theorem4(gap, k)])


def _theorem4_fails() -> bool:
    with_gaf, without = _theorem4(gap=0.0)
    g = np.array([-0.3, 0.5])  # equally likely: the activated gradient estimates something else than the gradient, activated
    return with_gaf > without and not math.isclose(at(ARCTAN.value, g).mean(), at(ARCTAN.value, g.mean()).item(), abs_tol=0.05)


def _theorem5() -> bool:
    enlarged = all(
        np.all(np.abs(at(G.value, g)) > np.abs(g))
        for G in (ARCTAN, STEEP, Arctan(0.2, 10.0))
        for g in [np.linspace(-0.999, 0.999, 100) * fixed_point(G)]  # an even number of points: not 0
    )
    return enlarged and fixed_point(Arctan(0.1, 10.0)) == 0.0


def _theorem5_fails() -> bool:
    radius, end = expansion_radius(ARCTAN), fixed_point(ARCTAN)
    f = at(ARCTAN.value, [radius, (radius + end) / 2, -1.0]) - np.array([radius, (radius + end) / 2, -1.0])
    return bool(f[1] < f[0] and f[2] > 0)


def _theorem6() -> bool:
    without, with_gaf = (descent(G, -2.0, 0.001, 0.1, 20) for G in (NONE, ARCTAN))
    return bool(2 * without[-1] < fixed_point(ARCTAN) and np.all(np.abs(with_gaf - 0.001)[1:] > np.abs(without - 0.001)[1:]))


def _theorem6_fails() -> bool:
    without, with_gaf = (abs(descent(G, 1.0, 0.1, 0.95, 2)[-1] - 0.1) for G in (NONE, ARCTAN))
    g = np.array([0.11, -0.105])  # the terms grow in magnitude, their sum shrinks
    return with_gaf < without and bool(np.all(np.abs(at(ARCTAN.value, g)) > np.abs(g)) and abs(at(ARCTAN.value, g).sum()) < abs(g.sum()))


DEMONSTRATIONS = (
    Demonstration(
        "Remark 1",
        "A convex loss whose gradient has the constant c > 0 is strongly convex.",
        lambda: abs(sampled_constants(lambda w: np.multiply(CURVATURES, w), (-1, -1), (1, 1)).c - 0.4) < 0.01,
        "convexity (001-08): w₁² - w₂² has c = 2",
        lambda: sampled_constants(_saddle, (-1, -1), (1, 1)).c > 1.99,
    ),
    Demonstration(
        "Lemma 1",
        "If G' > 1 on [-ε₀, ε₀], then ‖G(g) - G(g̃)‖ > ‖g - g̃‖ for g != g̃ with elements in it.",
        _lemma1,
        "both vectors in [-ε₀, ε₀] (001-10)",
        lambda: expands(ARCTAN, 0.04) and bool(np.less(*distances(ARCTAN, [0.04], [2.0]))),
    ),
    Demonstration(
        "Lemma 2",
        "If 0 < ε₁ <= ε₂, G'(ε₁) <= 1 and G(ε₂) <= ε₂, then ‖G(g) - G(g̃)‖ < ‖g - g̃‖ for g != g̃ with elements beyond ±ε₂.",
        _lemma2,
        "G(ε₂) <= ε₂ in place of G'(ε₂) <= ε₂, and ε₁ > 0 (001-12, 001-13)",
        _lemma2_fails,
    ),
    Demonstration(
        "Assumption 2",
        "The l of a separable loss is the largest lₙ of its coordinates, and its c is the smallest cₙ.",
        lambda: np.allclose(sampled_constants(lambda w: np.multiply(CURVATURES, w), (-1, -1), (1, 1)), (2.0, 0.4), rtol=0.01),
        "a separable loss (001-16): the Hessian ((2, 1), (1, 2)) has lₙ = cₙ = 2, l = 3, c = 1",
        lambda: np.allclose(np.linalg.eigvalsh([[2, 1], [1, 2]]), [1, 3]),
    ),
    Demonstration(
        "Theorem 1",
        "Where the slope is larger for |g| > ε₂, before and after, and Lemma 2 holds, the GAF makes l smaller.",
        _theorem1,
        "the conditions of Lemma 2 (001-18)",
        _theorem1_fails,
    ),
    Demonstration(
        "Theorem 2",
        "Where the slope is smaller for |g| <= ε₀, before and after, and Lemma 1 holds, the GAF makes c larger.",
        _theorem2,
        "the direction of equation 23 (001-21): the c of the part with |g| <= ε₀ becomes larger",
        lambda: constants(ARCTAN, INSTANCE[:1]).c > constants(NONE, INSTANCE[:1]).c,
    ),
    Demonstration(
        "Theorem 3",
        "Under the conditions of Theorems 1 and 2 the GAF makes the condition number ζ smaller.",
        _theorem3,
        "a quadratic does not meet them (001-23): on any region around its minimum ζ becomes larger, for (28) with |w| <= 1 from 5 to 1601",
        lambda: constants(ARCTAN, box(1.0)).zeta > constants(NONE, box(1.0)).zeta,
    ),
    Demonstration(
        "Equation 28",
        "The condition number at the minimum of every equivalent loss is that of the loss, 5 (001-24).",
        lambda: all(math.isclose(constants(G, box(0.0)).zeta, 5.0) for G in (ARCTAN, STEEP, NONE)),
        "norm clipping has no equivalent loss (001-34): the clipped gradient has a curl",
        lambda: abs(curl(lambda w: norm_clipped(w, 0.1), (0.5, 0.5))) > 0.01,
    ),
    Demonstration(
        "Theorem 4",
        "With the same μ, M and M_G, and E[L(w₁) - L*] >= M / (2 c M_G), the bound of equation 26 is smaller with the ARCTAN.",
        _theorem4_holds,
        "that condition, and Assumption 4 for the activated gradient, which is biased; bounds are compared, not rates (001-27, 001-28)",
        _theorem4_fails,
    ),
    Demonstration(
        "Theorem 5",
        "α arctan(β g) enlarges all g with 0 < |g| < ε₃ for an ε₃ > 0 if and only if αβ > 1.",
        _theorem5,
        "f(g) = G(g) - g increases for |g| < √(αβ - 1) / β only, and is not negative for all g < 0 (001-36, 001-37, 001-40)",
        _theorem5_fails,
    ),
    Demonstration(
        "Theorem 6",
        "From one start, along a direction of negative curvature and while |g| < ε₃, gradient descent with the GAF moves further.",
        _theorem6,
        "one sign of the gradients and a gradient that grows along the path (001-42, 001-43)",
        _theorem6_fails,
    ),
    Demonstration(
        "Section IV-B",
        "One step with η = 1 / l reaches the minimum of a quadratic in one dimension, or with equal curvatures.",
        lambda: abs(descent(NONE, 2.0, 1.0, 0.5, 1)[-1]) < 1e-15,
        "equal curvatures (001-48): with (28) and η = 1/2, w₂ shrinks to 0.8 of itself",
        lambda: math.isclose(descent(NONE, 0.4, 1.0, 0.5, 1)[-1], 0.8),
    ),
)
"""What the paper states, where it is true and where not; numbers such as 001-12 are those of the project's list of errata."""
