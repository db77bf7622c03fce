"""Half precision and autocast: the equations run in float32."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

from nerva_core.algebra.trees import map_tree
from nerva_core.interoperability import torch as interop
from tests.conftest import load_frameworks
from tests.interoperability.cases import (
    D,
)

pytest.importorskip("torch")
load_frameworks()


def tensors(tree: Any, requires_grad: bool = False) -> Any:
    return map_tree(lambda matrix: torch.tensor(matrix, requires_grad=requires_grad), tree)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_runs_in_float32(dtype: torch.dtype) -> None:
    X = torch.randn(8, D)
    wide = interop.module("Linear(4); BatchNormalization", D)
    module = copy.deepcopy(wide).to(dtype)
    Y = module(X.to(dtype))
    Y.float().sin().sum().backward()
    assert Y.dtype == dtype
    assert all(p.grad.dtype == dtype for p in module.parameters())
    torch.testing.assert_close(Y.float(), wide(X), rtol=0, atol=0.1)


@pytest.mark.parametrize("training", [True, False])
def test_autocast_runs_in_float32(training: bool) -> None:
    X = torch.randn(8, D)
    module = interop.module("Linear(4); BatchNormalization", D).train(training)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert module(X.bfloat16()).dtype == torch.float32
        inside = module(X)
    inside.sin().sum().backward()
    torch.testing.assert_close(inside, module.train(training)(X), rtol=0, atol=1e-5 if not training else 1e-6)
