"""Theorem 4 of Activated Gradients: how near stochastic gradient descent comes to the optimum, with Assumption 4 and equations 24 and 25.

``gradient_theory`` has equation 26. A loss has the constants l and c (Definitions 2 and 3), F_k is E[L(w_k) - L*], the gap.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from nerva_core.algebra.memory import Array


class Assumption4(NamedTuple):
    """Constants such that, with g the gradient of the loss and ĝ its estimate on an example,

    (b) gᵀ E ĝ >= μ ‖g‖² and ‖E ĝ‖ <= μ_G ‖g‖,    (c) V ĝ <= M + M_V ‖g‖², so that E ‖ĝ‖² <= M + M_G ‖g‖² with M_G = M_V + μ_G².
    """

    mu: float
    mu_G: float
    M: float
    M_V: float

    @property
    def M_G(self) -> float:
        """M_V + μ_G²."""
        return self.M_V + self.mu_G**2


def assumption4(g: Array, estimates: Array) -> Assumption4:
    """The constants that hold at given points: g is K x n, a gradient a row, and ``estimates`` E x K x n, E equally likely ones of each.

    M is the variance at the point with the smallest gradient, and M_V what the other points then need. Of an estimate without bias μ and
    μ_G are 1. With a GAF, G(ĝ) against the gradient G(g) of the equivalent loss, they are other numbers (erratum 001-28).
    """
    mean, square = estimates.mean(axis=0), (g**2).sum(axis=1)
    variance = ((estimates - mean) ** 2).sum(axis=2).mean(axis=0)
    mu = float(((g * mean).sum(axis=1) / square).min())
    mu_G = float(np.sqrt((mean**2).sum(axis=1) / square).max())
    M = float(variance[square.argmin()])
    return Assumption4(mu, mu_G, M, max(0.0, float(((variance - M) / square).max())))


def noise_floor(eta: Any, ell: Any, c: Any, M: Any, mu: Any = 1) -> Any:
    """η l M / (2 c μ), to which the bound of the gap falls; M / (2 c M_G) at the largest rate."""
    return eta * ell * M / (2 * c * mu)


def gap_step(gap: Any, eta: Any, ell: Any, c: Any, M: Any, mu: Any = 1) -> Any:
    """Equation 24, a step at a rate 0 < η <= μ / (l M_G): F_{k+1} - floor <= (1 - η c μ) (F_k - floor), with the noise floor."""
    floor = noise_floor(eta, ell, c, M, mu)
    return floor + (1 - eta * c * mu) * (gap - floor)


def largest_rate(ell: Any, M_G: Any, mu: Any = 1) -> Any:
    """η = μ / (l M_G), the largest for which equation 24 holds."""
    return mu / (ell * M_G)


def gap_step_at_largest_rate(gap: Any, ell: Any, c: Any, M: Any, M_G: Any, mu: Any = 1) -> Any:
    """Equation 25, equation 24 at the largest rate; done k - 1 times it is equation 26, ``gradient_theory.gap_bound``."""
    return gap_step(gap, largest_rate(ell, M_G, mu), ell, c, M, mu)
