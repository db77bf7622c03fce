"""Step functions and sums over intervals, against a search for the interval."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import ReferenceOps

OPS = ReferenceOps()


@given(st.lists(st.integers(-4, 4), min_size=1, max_size=6), st.sets(st.integers(-3, 3), min_size=1, max_size=4).map(sorted))
def test_the_interval_of_each_element_decides(column, s):
    X, T = np.array([column], dtype=float).T, np.array([range(10, 11 + len(s))], dtype=float).T
    interval = np.searchsorted(s, X[:, 0])
    np.testing.assert_array_equal(OPS.step_function(OPS.matrix(X), s, OPS.matrix(T)).astype(float), T[interval])
    sums = OPS.interval_sums(OPS.matrix(X), OPS.matrix(X), s).astype(float)
    np.testing.assert_array_equal(sums[:, 0], np.bincount(interval, weights=X[:, 0], minlength=len(s) + 1))
