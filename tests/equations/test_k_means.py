"""Lloyd's algorithm against scikit-learn's; ties and empty clusters included."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from sklearn.cluster import KMeans as SklearnKMeans

from nerva_core.algebra.numeric_backend import Backend
from nerva_core.equations.k_means import KMeans
from tests.equations.test_hard_functions import apply

Array = np.ndarray[Any, Any]


def lloyd(points: Array, start: Array, iterations: int) -> tuple[Array, Array]:
    """scikit-learn's, from the same start."""
    fitted = SklearnKMeans(len(start), init=start, n_init=1, max_iter=iterations, tol=0, algorithm="lloyd").fit(points)
    return fitted.cluster_centers_, fitted.labels_


@pytest.mark.parametrize("d", [1, 2])
def test_k_means_is_lloyds_algorithm(ops: Backend, rng: np.random.Generator, d: int) -> None:
    """Run until it no longer changes, where scikit-learn's also ends."""
    k, n = 3, 12
    X = rng.normal(size=(4, n * d)) + 4 * rng.integers(0, 3, size=(4, n)).repeat(d, axis=1)
    hard = KMeans(k, iterations=20, dimension=d)
    outputs = {name: apply(ops, dataclasses.replace(hard, output=name), X) for name in ("quantised", "centroids", "assignments")}
    for i, x in enumerate(X):
        points = x.reshape(n, d)
        start = (np.sort(points, axis=0) if d == 1 else points)[[2, 6, 10]]
        centers, labels = lloyd(points, start, 100)
        np.testing.assert_allclose(outputs["centroids"][i].reshape(k, d), centers, rtol=1e-12)
        np.testing.assert_array_equal(outputs["assignments"][i], labels)
        np.testing.assert_allclose(outputs["quantised"][i].reshape(n, d), centers[labels], rtol=1e-12)


def test_k_means_gives_equally_near_points_to_the_first_centroid(ops: Backend) -> None:
    X = [[0.0, 0.0, 0.0, 1.0, 2.0, 2.0, 2.0, 2.0]]
    np.testing.assert_array_equal(apply(ops, KMeans(2, "assignments", 1), X), [[0, 0, 0, 0, 1, 1, 1, 1]])
    np.testing.assert_array_equal(apply(ops, KMeans(2, "centroids", 1), X), [[0.25, 2.0]])


def test_k_means_keeps_a_centroid_without_points(ops: Backend) -> None:
    np.testing.assert_array_equal(apply(ops, KMeans(3, "centroids"), [[1.0, 1.0, 1.0, 1.0]]), [[1.0, 1.0, 1.0]])
