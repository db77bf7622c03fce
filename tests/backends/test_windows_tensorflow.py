"""That these are the definitions is tested with every operation (tests/algebra), for a few windows; here for more, on whole numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.geometry import Geometry
from tests.backends.windows import GEOMETRIES, check_windows
from tests.conftest import make_backend


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=repr)
def test_operations_on_windows(geometry: Geometry) -> None:
    check_windows("tensorflow", geometry)


def test_a_function_that_is_compiled_for_any_number_of_columns() -> None:
    tf = pytest.importorskip("tensorflow")
    ops, G = make_backend("tensorflow", "float64"), Geometry((5, 6), (3, 2), (2, 3), (1, 1), (1, 2))

    def operations(X: Any) -> list[Any]:
        Z, Y = ops.windows(X, G), ops.pool_max(X, G)
        return [Z, ops.fold(Z, G), Y, ops.pool_max_inputs(X, Y, G)]

    any_columns = tf.function(operations, input_signature=[tf.TensorSpec([None, None], tf.float64)])
    for C in (1, 3):
        X = ops.matrix(np.random.default_rng(0).normal(size=(2 * G.positions, C)))
        for found, exact in zip(any_columns(X), operations(X), strict=True):
            np.testing.assert_array_equal(ops.to_numpy(found), ops.to_numpy(exact))
