"""The definitions on exact numbers, against NumPy on integers."""

import numpy as np
import pytest

from nerva_core.algebra.matrix_ops import MatrixOps
from tests.reference import ReferenceOps

OPS: MatrixOps[object] = ReferenceOps()
X = np.arange(12.0).reshape(3, 4)


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("columns_mean", (X,), X.mean(axis=0, keepdims=True)),
        ("rows_mean", (X,), X.mean(axis=1, keepdims=True)),
        ("elements_sum", (X,), [[X.sum()]]),
        ("columns_max", (X,), X.max(axis=0, keepdims=True)),
        ("dot", (X[:1], X[1:2]), [[X[0] @ X[1]]]),
        ("fill", (np.array([[7.0]]), 2, 3), np.full((2, 3), 7)),
        ("shift_columns", (X, 1), np.hstack([np.zeros((3, 1)), X[:, :-1]])),
        ("shift_columns", (X, -2), np.hstack([X[:, 2:], np.zeros((3, 2))])),
    ],
)
def test_definitions(name, arguments, expected):
    exact = [OPS.matrix(a) if isinstance(a, np.ndarray) else a for a in arguments]
    np.testing.assert_array_equal(getattr(OPS, name)(*exact).astype(float), expected)
