"""Attention against torch's scaled_dot_product_attention; wrong gradients are refuted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.layers import Attention
from sympy_validation.layer_gradient import LayerGradient
from sympy_validation.theorem import Theorem, prove
from sympy_validation.theorems.layers import layer_of
from tests.layers.check import check_layer

N, L, HEADS, A = 2, 4, 3, 2


def torch_attention(causal: bool) -> Any:
    def forward(X: Any) -> Any:
        import torch

        Q, K, V = (part.reshape(N, L, HEADS, A).transpose(1, 2) for part in X.chunk(3, dim=1))
        Y = torch.nn.functional.scaled_dot_product_attention(Q, K, V, is_causal=causal)
        return Y.transpose(1, 2).reshape(N * L, HEADS * A)

    return forward


@pytest.mark.parametrize("causal", [False, True])
def test_gradients(ops: Backend[Any], rng: np.random.Generator, causal: bool) -> None:
    layer = Attention(HEADS, causal, length=L)
    check_layer(ops, layer, {"torch": torch_attention(causal)}, rng.normal(size=(N * L, 3 * HEADS * A)), ())


def wrong_backward(change: str) -> Any:
    """The backward pass with one of the faults that are made in it."""

    def backpropagate(ops: Any, layer: Any, params: Any, cache: Any, DY: Any) -> Any:
        Q, K, V, P, *_ = cache
        N, c = ops.shape(DY)[0] // layer.L, layer._scale(ops, ops.shape(Q)[1])
        DH = ops.split(DY, layer.L, ops.shape(Q)[1])
        DV = P @ DH if change == "DV by P" else ops.transpose(P) @ DH
        DP = DH @ ops.transpose(V)
        DS = ops.hadamard(P, DP) if change == "no softmax term" else ops.softmax_inputs(P, DP)
        DS = DS if change == "no scale" else ops.scale(c, DS)
        DK = (DS if change == "DK transposed" else ops.transpose(DS)) @ Q
        parts = (DS @ K, DV, DK) if change == "K and V swapped" else (DS @ K, DK, DV)
        return ops.join_column_parts(*(ops.join(D, N) for D in parts)), ()

    return backpropagate


@pytest.mark.parametrize("change", ["DV by P", "no softmax term", "no scale", "DK transposed", "K and V swapped"])
def test_wrong_gradients_are_refuted(change: str) -> None:
    theorem = Theorem("attention", "DX", "", LayerGradient(layer_of(Attention), wrong_backward(change)), "all sizes", expected="refuted")
    (verdict,) = prove([theorem])
    assert verdict.status == "refuted"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (lambda: Attention(2).L, "does not know the length of a sequence; begin the network with Sequences"),
        (lambda: Attention(2, length=3).outputs_for(9), r"3 · 2 must divide its columns, got 9"),
    ],
)
def test_what_does_not_fit_is_refused(code: Any, message: str) -> None:
    with pytest.raises(NervaError, match=message):
        code()
