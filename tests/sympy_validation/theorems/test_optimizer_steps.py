from __future__ import annotations

import numpy as np

from nerva_core.equations.optimizers import GradientDescent, Momentum
from sympy_validation.theorems.optimizer_steps import steps, theta_and_delta
from tests.conftest import make_backend


def test_the_last_learning_rate_is_that_of_the_remaining_steps(rng: np.random.Generator) -> None:
    ops, (theta, *G) = make_backend("numpy", "float64"), rng.normal(size=(4, 2, 3))
    np.testing.assert_allclose(steps(ops, GradientDescent(), theta, tuple(G), 0.1)[0], theta - 0.1 * (G[0] + G[1] + G[2]))
    np.testing.assert_allclose(steps(ops, GradientDescent(), theta, tuple(G), 0.1, 2.0)[0], theta - 0.1 * G[0] - 2 * (G[1] + G[2]))


def test_the_delta_is_that_of_the_state(rng: np.random.Generator) -> None:
    ops, (theta, G) = make_backend("numpy", "float64"), rng.normal(size=(2, 2, 3))
    new, Delta = theta_and_delta(steps(ops, Momentum(), theta, (G,), 0.1))
    np.testing.assert_allclose(Delta, -0.1 * G)
    np.testing.assert_allclose(new, theta + Delta)
