"""Layer and RMS normalisation against torch; a famous fault is refuted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.numeric_backend import Backend
from nerva_core.layers import LayerNorm, RMSNorm
from sympy_validation.layer_gradient import LayerGradient
from sympy_validation.theorem import Theorem, prove
from sympy_validation.theorems.layers import layer_of
from tests.layers.check import check_layer, random_parameters


def torch_layer_norm(X: Any, gamma: Any, beta: Any) -> Any:
    import torch

    return torch.nn.functional.layer_norm(X, X.shape[1:], gamma[0], beta[0], 1e-5)


def torch_rms_norm(X: Any, gamma: Any) -> Any:
    import torch

    return torch.nn.functional.rms_norm(X, X.shape[1:], gamma[0], 1e-5)


@pytest.mark.parametrize(("N", "D"), [(4, 5), (1, 3), (3, 2)])
@pytest.mark.parametrize(("layer", "forward"), [(LayerNorm(), torch_layer_norm), (RMSNorm(), torch_rms_norm)], ids=["layer", "rms"])
def test_gradients(ops: Backend, rng: np.random.Generator, N: int, D: int, layer: Any, forward: Any) -> None:
    check_layer(ops, layer, {"torch": forward}, rng.normal(size=(N, D)), random_parameters(rng, layer, D))


def mean_subtracted_twice(ops: Any, layer: Any, params: Any, cache: Any, DY: Any) -> Any:
    """The mean of DZ is taken away a second time, after the product with Z: a fault that finite differences at one shape miss."""
    DX, gradients = layer.backpropagate(ops, params, cache, DY)
    return DX - ops.column_repeat(ops.rows_mean(DY), ops.shape(DX)[1]), gradients


def without_gamma(ops: Any, layer: Any, params: Any, cache: Any, DY: Any) -> Any:
    ones = ops.ones(*ops.shape(params.gamma))
    return layer.backpropagate(ops, params._replace(gamma=ones), cache, DY)


@pytest.mark.parametrize("equations", [mean_subtracted_twice, without_gamma])
@pytest.mark.parametrize("kind", [LayerNorm, RMSNorm])
def test_wrong_gradients_are_refuted(kind: Any, equations: Any) -> None:
    theorem = Theorem("norm", "DX", "", LayerGradient(layer_of(kind), equations), "all sizes", expected="refuted")
    (verdict,) = prove([theorem])
    assert verdict.status == "refuted"
    assert verdict.counterexample
