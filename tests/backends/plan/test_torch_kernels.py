from __future__ import annotations

import copy
import sys
from typing import Any

import numpy as np
import pytest

from backends.plan import torch_kernels
from backends.plan.program import FreshArray, Kernels, Program
from backends.plan.torch_kernels import NAMES, TorchKernels, _onednn_product, onednn_is_faster
from nerva_core.equations.losses import SquaredError
from nerva_core.equations.optimizers import OPTIMIZERS, Momentum, Optimizer
from nerva_core.interpreters.traced import OPERATIONS
from nerva_core.layers import multilayer_perceptron
from tests.backends.plan.test_planned import STEPS, D, N, Run, assert_same
from tests.conftest import make_backend
from tests.helpers import examples

torch = pytest.importorskip("torch")


def test_the_product_of_onednn_is_the_product(rng: np.random.Generator) -> None:
    X, Z = (torch.tensor(rng.normal(size=shape), dtype=torch.float32) for shape in ((5, 7), (7, 3)))
    for A, B in ((X, Z), (Z.mT, X.mT), (X.mT.contiguous().mT, Z)):
        product = _onednn_product(torch, A, B)()
        np.testing.assert_allclose(product.numpy(), A.double() @ B.double(), rtol=0, atol=1e-5)


def test_which_product_is_faster_is_decided_once() -> None:
    assert onednn_is_faster() is onednn_is_faster()


def test_the_functions_are_operations() -> None:
    assert set(NAMES) <= OPERATIONS.keys()
    kernels = TorchKernels(make_backend("torch", "float32"))
    assert all(map(callable, kernels.functions.values()))


@pytest.fixture
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> list[Program]:
    """What is done with large matrices of float32 is done with all, in float64; the programs that are made."""
    monkeypatch.setattr(torch_kernels, "LARGE", 0)
    monkeypatch.setattr(torch_kernels.TorchKernels, "_by_onednn", lambda self, X, Z: True)
    monkeypatch.setattr(torch_kernels, "_onednn_product", lambda torch, X, Z: lambda: X @ Z)
    monkeypatch.setattr(torch_kernels.TorchKernels, "block", 8)
    programs, start = [], Program.__init__

    def noted(self: Program, *arguments: Any) -> None:
        programs.append(self)
        start(self, *arguments)

    monkeypatch.setattr(Program, "__init__", noted)
    return programs


@pytest.mark.parametrize("optimizer", examples(OPTIMIZERS), ids=repr)
@pytest.mark.parametrize("layers", ["ReLU;Tanh;Linear", "LinearDropout;SReLU;AllReLU;Linear", "Tanh;BatchNormalization;ReLU;Linear"])
def test_large_matrices_give_the_same(everything_is_large: list[Program], layers: str, optimizer: Optimizer) -> None:
    network = multilayer_perceptron(layers, [D, 5, N, *([N] if "All" in layers else []), 3])
    for record in (False, True):
        assert_same(Run("torch", network, SquaredError(), optimizer, record))


def test_products_are_read_where_they_were_made(everything_is_large: list[Program]) -> None:
    """The three products forward and, as Momentum reads each gradient once, those backward; the program keeps none of them."""
    assert_same(Run("torch", multilayer_perceptron("ReLU;ReLU;Linear", [D, 5, N, 3]), SquaredError(), Momentum(), record=False))
    fresh = [array for array in everything_is_large[0].arrays.values() if isinstance(array, FreshArray)]
    assert len(fresh) == 3 + 3 + 2
    assert all(product.array is None for product in fresh)


def test_momentum_is_one_call(everything_is_large: list[Program], monkeypatch: pytest.MonkeyPatch) -> None:
    fused, updated = torch._fused_sgd_, []

    def counted(thetas: list[Any], *arguments: Any, **options: Any) -> None:
        updated.extend(thetas)
        fused(thetas, *arguments, **options)

    monkeypatch.setattr(torch, "_fused_sgd_", counted)
    network = multilayer_perceptron("ReLU;ReLU;Linear", [D, 5, N, 3])
    assert_same(Run("torch", network, SquaredError(), Momentum(), record=False, dtype="float32"))
    assert sum(theta.numel() for theta in updated) >= STEPS * (5 * D + 5 * N + 3 * N)


def test_nothing_goes_in_blocks_on_other_devices() -> None:
    backend = copy.copy(make_backend("torch", "float32"))
    assert TorchKernels(backend).block == Kernels.block
    backend._device = torch.device("cuda")
    assert TorchKernels(backend).block == sys.maxsize
