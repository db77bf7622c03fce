from __future__ import annotations

import numpy as np
import pytest

from backends.plan.torch_kernels import NAMES, TorchKernels, _onednn_product, onednn_is_faster
from nerva_core.matrix_ops import MatrixOps
from tests.conftest import make_backend

torch = pytest.importorskip("torch")


def test_the_product_of_onednn_is_the_product(rng: np.random.Generator) -> None:
    X, Z = (torch.tensor(rng.normal(size=shape), dtype=torch.float32) for shape in ((5, 7), (7, 3)))
    for A, B in ((X, Z), (Z.mT, X.mT), (X.mT.contiguous().mT, Z)):
        out = torch.empty(A.shape[0], B.shape[1])
        _onednn_product(torch, A, B, out)()
        np.testing.assert_allclose(out.numpy(), A.double() @ B.double(), rtol=0, atol=1e-5)


def test_which_product_is_faster_is_decided_once() -> None:
    assert onednn_is_faster() is onednn_is_faster()


def test_the_functions_are_operations() -> None:
    assert set(NAMES) <= set(vars(MatrixOps))
    kernels = TorchKernels(make_backend("torch", "float32"))
    assert all(map(callable, kernels.functions.values()))
