"""Every kernel that can be chosen gives exactly what the definition gives on integers."""

from __future__ import annotations

import numpy as np
import pytest

from backends import sparse_numpy
from nerva_core.algebra.numeric_backend import DType
from tests.conftest import DTYPES, make_backend
from tests.patterns import assert_exact, random_pattern


@pytest.mark.parametrize("below", [0.0, 2.0])
@pytest.mark.parametrize("dtype", DTYPES)
def test_both_kernels_are_the_definition(monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator, dtype: DType, below: float) -> None:
    monkeypatch.setattr(sparse_numpy, "PRODUCT_BELOW", below)
    monkeypatch.setattr(sparse_numpy, "GRADIENT_BELOW", below)
    monkeypatch.setattr(sparse_numpy, "BLOCK", 4)  # so that there are several
    assert_exact(make_backend("numpy", dtype), rng)


def test_an_input_that_no_weight_sees_may_be_infinite() -> None:
    """The definition multiplies it by 0, which gives NaN; the kernel does not see it."""
    ops = make_backend("numpy", "float64")
    r, c = map(ops.matrix, random_pattern(np.random.default_rng(0), 40, 1, 1))
    X = ops.matrix([[1.0, np.inf]])
    Y = ops.sparse_product(X, ops.matrix([[2.0]]), ops.matrix([[3.0]]), 0 * c, 40)
    assert Y[0, 3] == 2
    assert np.isfinite(Y).all()
    assert r.shape == c.shape
