from __future__ import annotations

from typing import Any

import numpy as np

from nerva_core.algebra.matrix_ops import MatrixOps
from nerva_core.inspection.values import ValueReader
from nerva_core.interpreters.polynomial import size
from tests.conftest import make_backend


def shifted(ops: MatrixOps, X: Any) -> Any:
    N, _ = ops.shape(X)
    Z = X @ ops.transpose(X)
    return ops.divide(Z, N) - ops.identity(N)


def test_every_equation_has_its_value_and_sizes_their_numbers(rng: np.random.Generator) -> None:
    X = rng.normal(size=(4, 3))
    reader = ValueReader(make_backend("numpy", "float64"), {"N": 4, "D": 3})
    given = reader.give("X", (size("N"), size("D")), X, "the batch")
    Y = reader.part("forward", shifted, (given,), lambda result: [("Y", result)])
    part = reader.take(1, "shifted")
    assert [(matrix.name, matrix.shape, matrix.given) for matrix in part.matrices] == [
        ("X", "N × D", True),
        ("Z", "N × N", False),
        ("Y", "N × N", False),
    ]
    np.testing.assert_allclose(part.matrices[1].values, X @ X.T, rtol=1e-13)
    np.testing.assert_allclose(reader.value(Y), X @ X.T / 4 - np.eye(4), rtol=1e-13)
    assert reader.take(2, "nothing since").matrices == ()
