from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.equations.initializers import (
    INITIALIZERS,
    Constant,
    He,
    Initializer,
    NearIdentity,
    Normal,
    NormalDistribution,
    NormalizedXavier,
    Uniform,
    UniformDistribution,
    Xavier,
    Zero,
)
from nerva_core.layers import Linear
from tests.conftest import make_backend
from tests.helpers import examples

D, K = 300, 200

EXACT = [
    (Uniform(-0.2, 0.3), UniformDistribution(-0.2, 0.3)),
    (Normal(0.5, 0.2), NormalDistribution(0.5, 0.2)),
    (Xavier(), UniformDistribution(-1 / math.sqrt(D), 1 / math.sqrt(D))),
    (NormalizedXavier(), UniformDistribution(-math.sqrt(6) / math.sqrt(D + K), math.sqrt(6) / math.sqrt(D + K))),
    (He(), NormalDistribution(0.0, math.sqrt(2) / math.sqrt(D))),
    (Zero(), UniformDistribution(0.0, 0.0)),
    (NearIdentity(0.5, 0.2), NormalDistribution(0.0, 0.2)),
    (Constant(-0.7), UniformDistribution(-0.7, -0.7)),
]

each_initializer = pytest.mark.parametrize("initializer", [*examples(INITIALIZERS), *(initializer for initializer, _ in EXACT)], ids=repr)


@pytest.mark.parametrize(("initializer", "expected"), EXACT, ids=repr)
def test_the_distribution_is_the_printed_one(initializer: Initializer, expected: Any) -> None:
    actual = initializer.distribution(D, K)
    assert type(actual) is type(expected)
    assert actual == pytest.approx(expected, rel=1e-15)


def moments(distribution: Any) -> tuple[float, float]:
    if isinstance(distribution, NormalDistribution):
        return distribution.mu, distribution.sigma
    return (distribution.a + distribution.b) / 2, (distribution.b - distribution.a) / math.sqrt(12)


@each_initializer
def test_mean_and_deviation_of_a_large_sample(initializer: Initializer) -> None:
    """Within five standard errors: σ/√n of the mean, at most σ/√(2n) of the deviation of a normal sample."""
    mean, deviation = moments(initializer.distribution(D, K))
    sample = initializer.draw(np.random.default_rng(2), D, K, (K, D))
    assert sample.shape == (K, D)
    assert sample.dtype == np.float64
    sample -= initializer.identity() * np.eye(K, D)
    assert abs(sample.mean() - mean) <= 5 * deviation / math.sqrt(sample.size) + 1e-15
    assert abs(sample.std() - deviation) <= 5 * deviation / math.sqrt(2 * sample.size) + 1e-15


@pytest.mark.parametrize("initializer", [Uniform(-0.2, 0.3), Normal(0.5, 0.2), Xavier(), He()], ids=repr)
def test_the_sample_has_the_distribution(initializer: Initializer) -> None:
    """Kolmogorov-Smirnov: a true distribution fails with probability 1e-6, for a fixed seed never."""
    from scipy import stats

    distribution = initializer.distribution(D, K)
    if isinstance(distribution, NormalDistribution):
        expected = stats.norm(distribution.mu, distribution.sigma)
    else:
        expected = stats.uniform(distribution.a, distribution.b - distribution.a)
    sample = initializer.draw(np.random.default_rng(4), D, K, (K, D)).ravel()
    assert stats.kstest(sample, expected.cdf).pvalue > 1e-6


@each_initializer
def test_a_seed_gives_the_same_values(initializer: Initializer) -> None:
    first, again = (initializer.draw(np.random.default_rng(9), 4, 3, (3, 4)) for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_constants_are_exact() -> None:
    rng = np.random.default_rng(0)
    np.testing.assert_array_equal(Zero().draw(rng, 4, 3, (3, 4)), np.zeros((3, 4)))
    np.testing.assert_array_equal(Constant(0.1).draw(rng, 4, 3, (1, 3)), np.full((1, 3), 0.1))


def test_a_seed_gives_the_same_network_on_every_backend(backend_name: str, dtype: Any) -> None:
    W, _ = Linear(3).init(np.random.default_rng(1), 4)
    ops = make_backend(backend_name, dtype)
    np.testing.assert_array_equal(ops.to_numpy(ops.matrix(W)), W.astype(dtype))


@pytest.mark.parametrize(
    ("make", "message"), [(lambda: Uniform(1.0, 0.0), "a must be at most b"), (lambda: Normal(0.0, -1.0), "sigma must be >= 0")]
)
def test_bounds(make: Any, message: str) -> None:
    with pytest.raises(NervaError, match=message):
        make()


@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (5, 3)])
def test_near_identity_has_its_scale_on_the_diagonal_and_noise_elsewhere(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    K, D = shape
    exact = NearIdentity(0.5, 0.0).draw(rng, D, K, shape)
    np.testing.assert_array_equal(exact, [[0.5 if i == j else 0.0 for j in range(D)] for i in range(K)])
    noisy = NearIdentity(0.5, 0.01).draw(rng, D, K, shape)
    assert 0 < abs(noisy - exact).max() < 0.1
