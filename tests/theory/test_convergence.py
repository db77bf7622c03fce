import numpy as np
import pytest

from nerva_core.equations.gradient_activations import Arctan, at
from nerva_core.theory.convergence import Array, Assumption4, assumption4, gap_step, gap_step_at_largest_rate, largest_rate, noise_floor
from nerva_core.theory.gradient_theory import gap_bound

CURVATURES = np.array([2.0, 0.4])


def test_equation_24_is_the_contraction_plus_the_noise() -> None:
    sympy = pytest.importorskip("sympy")
    F, eta, ell, c, M, mu = sympy.symbols("F eta ell c M mu", positive=True)
    assert sympy.simplify(gap_step(F, eta, ell, c, M, mu) - ((1 - eta * c * mu) * F + eta**2 * ell * M / 2)) == 0


def test_equation_25_repeated_is_equation_26() -> None:
    sympy = pytest.importorskip("sympy")
    F, ell, c, M, M_G, mu = sympy.symbols("F ell c M M_G mu", positive=True)
    gap = F
    for k in range(1, 4):
        assert sympy.simplify(gap - gap_bound(k, F, ell, c, M, M_G, mu)) == 0
        gap = gap_step_at_largest_rate(gap, ell, c, M, M_G, mu)
    assert sympy.simplify(noise_floor(largest_rate(ell, M_G, mu), ell, c, M, mu) - M / (2 * c * M_G)) == 0


def estimates(g: Array, count: int = 5000, noise: float = 0.3) -> Array:
    """The gradient and noise, half of it in proportion to the gradient; in pairs, so that the mean is the gradient."""
    rng = np.random.default_rng(0)
    e = noise * rng.normal(size=(count, *g.shape)) * (1 + np.linalg.norm(g, axis=1, keepdims=True))
    noisy: Array = g + np.concatenate([e, -e])
    return noisy


def activated(g: Array) -> Array:
    """G(g), of every element."""
    return at(Arctan().value, g.ravel()).reshape(g.shape)


def test_the_constants_of_assumption_4_hold() -> None:
    g = np.random.default_rng(1).normal(size=(20, 2))
    noisy = estimates(g)
    found = assumption4(g, noisy)
    assert found.mu == pytest.approx(1)
    assert found.mu_G == pytest.approx(1)
    second = (noisy**2).sum(axis=2).mean(axis=0)
    assert np.all(second <= found.M + found.M_G * (g**2).sum(axis=1) + 1e-12)
    assert Assumption4(1, 2, 3, 4).M_G == 8


def test_a_gaf_needs_constants_of_its_own() -> None:
    """The activated estimate is no estimate of the activated gradient (erratum 001-28)."""
    g = np.random.default_rng(1).normal(size=(20, 2))
    assert assumption4(activated(g), activated(estimates(g, 200))).mu < 0.95


def test_stochastic_gradient_descent_stays_under_the_bound() -> None:
    """On w₁² + 0.2 w₂² with noise of variance M, the mean gap of many runs, at the largest rate."""
    M, ell, c = 0.5, 2.0, 0.4
    eta = largest_rate(ell, 1)
    rng = np.random.default_rng(2)
    w = np.tile([1.0, 1.0], (4000, 1))
    bound = float((CURVATURES * w**2).sum(axis=1).mean() / 2)
    for _ in range(30):
        w = w - eta * (CURVATURES * w + rng.normal(size=w.shape) * np.sqrt(M / 2))
        bound = gap_step(bound, eta, ell, c, M)
        assert (CURVATURES * w**2).sum(axis=1).mean() / 2 <= 1.02 * bound
    assert bound < 1.1 * noise_floor(eta, ell, c, M)
