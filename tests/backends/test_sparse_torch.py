"""Every kernel that can be chosen gives exactly what the definition gives on integers."""

from __future__ import annotations

import numpy as np
import pytest

from backends import sparse_torch
from nerva_core.algebra.numeric_backend import DType
from tests.conftest import DTYPES, make_backend
from tests.patterns import assert_exact, random_pattern

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("below", [0.0, 2.0])
@pytest.mark.parametrize("dtype", DTYPES)
def test_both_kernels_are_the_definition(monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator, dtype: DType, below: float) -> None:
    monkeypatch.setattr(sparse_torch, "PRODUCT_BELOW", below)
    monkeypatch.setattr(sparse_torch, "GRADIENT_BELOW", below)
    assert_exact(make_backend("torch", dtype), rng)


def test_pytorch_differentiates_the_product(rng: np.random.Generator) -> None:
    ops = make_backend("torch", "float64")
    r, c = map(ops.matrix, random_pattern(rng, 20, 30, 7))
    X, w, DY = (ops.matrix(rng.normal(size=shape)) for shape in ((4, 30), (1, 7), (4, 20)))
    with torch.inference_mode():
        ops.sparse_product(X, w, r, c, 20)  # what is kept of the pattern must not be of this mode
    X.requires_grad_(), w.requires_grad_()
    (DY * ops.sparse_product(X, w, r, c, 20)).sum().backward()
    with torch.no_grad():
        np.testing.assert_allclose(X.grad, ops.sparse_product_t(DY, w, r, c, 30), atol=1e-12)
        np.testing.assert_allclose(w.grad, ops.sampled_product(DY, X, r, c), atol=1e-12)
