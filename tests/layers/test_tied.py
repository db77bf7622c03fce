"""An embedding and an output with one matrix, against torch; a gradient that forgets one of its uses is refuted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.layers import Tied, parse_layers
from sympy_validation.layer_gradient import LayerGradient
from sympy_validation.theorem import Theorem, prove
from sympy_validation.theorems.layers import layer_of
from tests.layers.check import random_parameters, run

N, V, K = 6, 5, 3


def test_gradients(ops: Backend, rng: np.random.Generator) -> None:
    import torch

    layer = parse_layers([{"name": "Tied", "width": K, "vocabulary": V, "layers": ["Linear(3)", "Tanh"]}]).layers[0]
    x, DY, params = rng.integers(V, size=(N, 1)).astype(float), rng.normal(size=(N, V)), random_parameters(rng, layer, 1)
    Y, Dx, gradients = run(ops, layer, x, params, DY)
    E, W, b = (torch.tensor(p, requires_grad=True) for p in (params.E, *params.f[0]))
    y = torch.tanh(E[torch.tensor(x[:, 0]).long()] @ W.T + b) @ E.T
    y.backward(torch.tensor(DY))
    np.testing.assert_allclose(Y, y.detach().numpy(), atol=1e-13)
    for actual, exact in zip((gradients.E, *gradients.f[0]), (E, W, b), strict=True):
        np.testing.assert_allclose(actual, exact.grad.numpy(), atol=1e-12)
    assert not Dx.any()


@pytest.mark.parametrize("forgotten", ["output", "embedding"])
def test_one_use_alone_is_refuted(forgotten: str) -> None:
    def wrong(ops: Any, layer: Any, params: Any, cache: Any, DY: Any) -> Any:
        Dx, gradients = layer.backpropagate(ops, params, cache, DY)
        of_output = ops.transpose(DY) @ cache.H
        return Dx, gradients._replace(E=gradients.E - of_output if forgotten == "output" else of_output)

    (verdict,) = prove([Theorem("tied", "DE", "", LayerGradient(layer_of(Tied), wrong), "all sizes", expected="refuted")])
    assert verdict.status == "refuted"


@pytest.mark.parametrize(
    ("layer", "D", "message"),
    [
        ({"layers": ["Linear(4)"]}, 1, "must keep the 3 columns of the embedding, but make 4"),
        ({"layers": ["ReLU"]}, 4, r"one number in a row, got 4 columns; begin the network with Sequences\(4\)"),
        ({"layers": ["SparseLinear(3, density=0.5)"]}, 1, "sparse layers between a tied embedding and output are not supported"),
    ],
)
def test_what_does_not_fit_is_refused(layer: dict[str, Any], D: int, message: str) -> None:
    with pytest.raises(NervaError, match=message):
        parse_layers([{"name": "Tied", "width": K, "vocabulary": V, **layer}]).outputs_for(D)
