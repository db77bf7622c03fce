from __future__ import annotations

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.interpreters.polynomial import size
from nerva_core.interpreters.shapes import ShapeOps


def test_weights_are_at_their_places(ops: Backend) -> None:
    r, c, w = (ops.matrix(numbers) for numbers in ([[0], [2], [2]], [[1], [0], [3]], [[5, 6, 7]]))
    expected = [[0, 5, 0, 0], [0, 0, 0, 0], [6, 0, 0, 7]]
    np.testing.assert_array_equal(ops.to_numpy(ops.scattered(w, r, c, 3, 4)), expected)
    np.testing.assert_array_equal(ops.to_numpy(ops.sparse_product(ops.matrix([[1, 2, 3, 4]]), w, r, c, 3)), [[10, 0, 34]])
    np.testing.assert_array_equal(ops.to_numpy(ops.sparse_product_t(ops.matrix([[1, 2, 3]]), w, r, c, 4)), [[18, 5, 0, 21]])
    sampled = ops.sampled_product(ops.matrix([[1, 2, 3]]), ops.matrix([[1, 2, 3, 4]]), r, c)
    np.testing.assert_array_equal(ops.to_numpy(sampled), [[2, 3, 12]])


def test_as_many_weights_as_places() -> None:
    ops, P = ShapeOps(), size("P")
    X, w, r, c = (ops.matrix(shape) for shape in ((size("N"), size("D")), (1, P), (P, 1), (size("Q"), 1)))
    with pytest.raises(NervaError, match="P weights, but P rows and Q columns of places"):
        ops.sparse_product(X, w, r, c, size("K"))
    with pytest.raises(NervaError, match="do not fit"):
        ops.sampled_product(X, w, r, r)
