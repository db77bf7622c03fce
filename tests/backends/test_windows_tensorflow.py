"""That these are the definitions is tested with every operation (tests/algebra), for a few windows; here for more, on whole numbers."""

from __future__ import annotations

import pytest

from nerva_core.algebra.geometry import Geometry
from tests.backends.windows import GEOMETRIES, check_windows


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=repr)
def test_operations_on_windows(geometry: Geometry) -> None:
    check_windows("tensorflow", geometry)
