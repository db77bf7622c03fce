from __future__ import annotations

import numpy as np

from nerva_core.comparison import inputs


def test_awkward_numbers_are_of_both_signs_and_finite(rng, dtype):
    X = inputs.awkward(rng, dtype)
    info = np.finfo(dtype)
    assert X.shape[0] == 1
    assert np.isfinite(2 * X).all()
    assert {0.0, info.smallest_subnormal, -info.smallest_subnormal, info.smallest_normal, 1.0, 1 + info.eps, 1e4, -1e4} <= set(
        X[0].tolist()
    )


def test_near_ties_are_equal_or_neighbours(rng, dtype):
    X = inputs.near_ties(rng, 50, 4, dtype)
    spread = (X.max(axis=1) - X.min(axis=1)) / np.abs(X).max(axis=1)
    assert (spread <= 4 * np.finfo(dtype).eps).all()
    assert (spread == 0).any()
    assert (spread > 0).any()


def test_probabilities_sum_to_one_exactly(rng, dtype):
    P = inputs.probabilities(rng, 20, 5, dtype)
    assert (P >= 0).all()
    assert (P.sum(axis=1) == 1).all()


def test_one_hot_rows_have_a_single_one(rng, dtype):
    T = inputs.one_hot(rng, 20, 5, dtype)
    assert set(np.unique(T)) == {0, 1}
    assert (T.sum(axis=1) == 1).all()


def test_squares_of_the_huge_and_the_tiny_are_finite(rng, dtype):
    for X in inputs.matrices(rng, 5, 4, dtype).values():
        assert X.dtype == dtype
        assert np.isfinite(X * X).all()
