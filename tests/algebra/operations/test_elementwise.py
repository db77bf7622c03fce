"""The definitions that make choices, on exact numbers."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import ReferenceOps

OPS = ReferenceOps()
NUMBERS = st.lists(st.integers(-3, 3), min_size=1, max_size=7)


@given(NUMBERS)
def test_the_network_sorts(row):
    np.testing.assert_array_equal(OPS.sort_rows(OPS.matrix([row])).astype(float), [sorted(row)])


@given(NUMBERS, st.integers(-2, 2), st.integers(-2, 2))
def test_clip_is_a_maximum_and_then_a_minimum(row, low, high):
    expected = [[min(max(x, low), high) for x in row]]
    np.testing.assert_array_equal(OPS.clip(OPS.matrix([row]), low, high).astype(float), expected)
    np.testing.assert_array_equal(OPS.clip(OPS.matrix([row]), -np.inf, np.inf).astype(float), [row])


@given(NUMBERS)
def test_sign_and_absolute_value(row):
    X = OPS.matrix([row])
    np.testing.assert_array_equal(OPS.hadamard(OPS.sign(X), OPS.abs(X)).astype(float), [row])
