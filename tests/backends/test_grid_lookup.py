from __future__ import annotations

import numpy as np
import pytest

from backends.grid_lookup import points
from nerva_core.equations.step_functions import Alpha, Beta, Even, Gamma, TenIntervals


@pytest.mark.parametrize(("grid", "even"), [(Alpha(), True), (Beta(), True), (Even(5.0, 6.0, 3), True), (TenIntervals(), False)], ids=repr)
def test_even_grids_are_recognised(grid, even, dtype):
    found = points(grid.points(), dtype)
    assert found.even == even
    assert found.values.dtype == dtype
    np.testing.assert_array_equal(found.values, np.array(grid.points(), dtype))
    if even:
        np.testing.assert_array_equal(np.rint((found.values - found.first) * found.per_unit), np.arange(len(found.values)))


def test_one_point_and_points_too_near_for_the_dtype():
    assert points((0.5,), "float32").even
    assert not points(tuple(1 + k * 1e-9 for k in range(5)), "float32").even
    assert points(tuple(1 + k * 1e-9 for k in range(5)), "float64").even


@pytest.mark.parametrize("grid", [Alpha(), Beta(), Gamma(), Even(-3.0, 5.0, 77), Even(0.1, 0.7, 1000), Even(5.0, 6.0, 1)], ids=repr)
def test_points_of_a_progression_are_computed_to_the_last_bit(grid, dtype):
    found = points(grid.points(), dtype)
    computed = found.progression(np.arange(len(found.values), dtype=dtype))
    assert computed.dtype == dtype
    np.testing.assert_array_equal(computed, found.values)


def test_points_that_are_no_progression():
    assert points(TenIntervals().points(), "float64").progression is None
    moved = list(Alpha().points())
    moved[70] = np.nextafter(moved[70], 1)
    assert points(tuple(moved), "float64").even
    assert points(tuple(moved), "float64").progression is None
