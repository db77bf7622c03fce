from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from nerva_core.algebra.errors import NervaError
from nerva_core.theory.bridge_theory import map_bridge, map_gradient, map_objective, score_function_gradient
from tests.conftest import make_backend

OPS = make_backend("numpy", "float64")


def test_the_bridge_is_ridge_regression(rng: np.random.Generator) -> None:
    X, H = rng.normal(size=(20, 4)), rng.normal(size=(20, 3))
    Phi = map_bridge(X, H, sigma=0.5, sigma_phi=2.0)
    np.testing.assert_allclose(Phi, Ridge(alpha=(0.5 / 2) ** 2, fit_intercept=False).fit(X, H).coef_, rtol=1e-10)
    np.testing.assert_allclose(map_bridge(X, H), np.linalg.lstsq(X, H, rcond=None)[0].T, rtol=1e-10)
    np.testing.assert_allclose(map_gradient(OPS, Phi, X, H, 0.5, 2.0), np.zeros((3, 4)), atol=1e-11)


def test_the_bridge_is_the_least_of_the_objective(rng: np.random.Generator) -> None:
    X, H = rng.normal(size=(6, 2)), rng.normal(size=(6, 3))
    Phi = map_bridge(X, H, 0.5, 2.0)
    least = map_objective(OPS, Phi, X, H, 0.5, 2.0).item()
    assert all(map_objective(OPS, Phi + 0.1 * rng.normal(size=Phi.shape), X, H, 0.5, 2.0).item() > least for _ in range(20))


def test_a_flat_prior_needs_enough_samples() -> None:
    X, H = np.ones((3, 2)), np.ones((3, 1))
    with pytest.raises(NervaError, match="the 3 samples do not determine a bridge of 2 inputs"):
        map_bridge(X, H)
    assert np.isfinite(map_bridge(X, H, 1.0, 1.0)).all()


def test_the_score_function_estimates_the_gradient_of_the_mean(rng: np.random.Generator) -> None:
    """F(z) = (z_1 + 2 z_2)² has E F = p_1 + 4 p_2 + 4 p_1 p_2: summed over all four draws."""
    p = np.array([[0.3, 0.6]])
    total = np.zeros((1, 2))
    for z in np.array([[[a, b]] for a in (0.0, 1.0) for b in (0.0, 1.0)]):
        probability = np.prod(np.where(z == 1, p, 1 - p))
        F = (z[:, :1] + 2 * z[:, 1:]) ** 2
        total += probability * score_function_gradient(OPS, p, z, F)
    np.testing.assert_allclose(total, [[1 + 4 * 0.6, 4 + 4 * 0.3]], rtol=1e-12)
