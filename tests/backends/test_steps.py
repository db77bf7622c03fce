from __future__ import annotations

import numpy as np
import pytest

from backends.steps import points
from nerva_core.step_functions import Alpha, Beta, Even, TenIntervals


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
