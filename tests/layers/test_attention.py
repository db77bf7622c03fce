"""Attention against torch's scaled_dot_product_attention; wrong gradients are refuted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.layers import Attention, AttentionDropout, CrossAttention
from sympy_validation.layer_gradient import LayerGradient
from sympy_validation.theorem import Theorem, prove
from sympy_validation.theorems.layers import layer_of
from tests.layers.check import check_layer, run

N, L, HEADS, A = 2, 4, 3, 2


def torch_attention(causal: bool) -> Any:
    def forward(X: Any) -> Any:
        import torch

        Q, K, V = (part.reshape(N, L, HEADS, A).transpose(1, 2) for part in X.chunk(3, dim=1))
        Y = torch.nn.functional.scaled_dot_product_attention(Q, K, V, is_causal=causal)
        return Y.transpose(1, 2).reshape(N * L, HEADS * A)

    return forward


@pytest.mark.parametrize("causal", [False, True])
def test_gradients(ops: Backend, rng: np.random.Generator, causal: bool) -> None:
    layer = Attention(HEADS, causal, length=L)
    check_layer(ops, layer, {"torch": torch_attention(causal)}, rng.normal(size=(N * L, 3 * HEADS * A)), ())


def masked_torch_attention(sees: Any, receives: Any, R: Any = None) -> Any:
    """Attention where sees[n, i, j], a row of zeros where a position receives nothing, and weights times R."""

    def forward(X: Any) -> Any:
        import torch

        Q, K, V = (part.reshape(N, L, HEADS, A).transpose(1, 2) for part in X.chunk(3, dim=1))
        S = (Q @ K.transpose(2, 3) / math.sqrt(A)).masked_fill(~torch.tensor(sees)[:, None], -1e9)
        P = S.softmax(dim=3) if R is None else S.softmax(dim=3) * torch.tensor(R).reshape(N, L, HEADS, L).transpose(1, 2)
        return (P @ V).transpose(1, 2).reshape(N * L, HEADS * A) * torch.tensor(receives.reshape(N * L, 1), dtype=X.dtype)

    return forward


THERE = np.array([[1, 1, 1, 0], [0, 1, 0, 1]])
"""Which positions of two sequences are there."""


@pytest.mark.parametrize("causal", [False, True])
def test_padding_neither_receives_nor_gives(ops: Backend, rng: np.random.Generator, causal: bool) -> None:
    sees = np.repeat(THERE[:, None].astype(bool), L, axis=1)
    sees = sees & np.tri(L, dtype=bool) if causal else sees
    layer, m = Attention(HEADS, causal, padded=True, length=L), THERE.reshape(-1, 1).astype(float)
    X = rng.normal(size=(N * L, 3 * HEADS * A))
    check_layer(ops, layer, {"torch": masked_torch_attention(sees, THERE)}, X, (), (m,))
    Y, DX, _ = run(ops, layer, X, (), rng.normal(size=(N * L, HEADS * A)), (m,))
    assert not Y[m[:, 0] == 0].any()
    assert not DX[m[:, 0] == 0].any()


def test_a_sequence_of_padding_alone_is_zeros(ops: Backend) -> None:
    layer, X = Attention(1, padded=True, length=2), np.ones((4, 3))
    Y, DX, _ = run(ops, layer, X, (), np.ones((4, 1)), (np.array([[0.0], [0], [1], [1]]),))
    np.testing.assert_array_equal(Y, [[0], [0], [1], [1]])
    assert np.isfinite(DX).all()


def test_dropped_weights(ops: Backend, rng: np.random.Generator) -> None:
    layer, X = AttentionDropout(HEADS, p=0.5, length=L), rng.normal(size=(N * L, 3 * HEADS * A))
    (R,) = layer.draw(rng, *X.shape)
    assert set(R.ravel()) == {0, 2}
    everything = np.ones((N, L, L), dtype=bool)
    check_layer(ops, layer, {"torch": masked_torch_attention(everything, np.ones((N, L)), R)}, X, (), (R,))
    kept = Attention(HEADS, length=L).feedforward(ops, (), ops.matrix(X))[0]
    np.testing.assert_array_equal(ops.to_numpy(layer.evaluate(ops, (), (), ops.matrix(X))), ops.to_numpy(kept))


@pytest.mark.parametrize("padded", [False, True])
def test_a_memory_is_asked(ops: Backend, rng: np.random.Generator, padded: bool) -> None:
    memory, there = 2, THERE if padded else np.ones_like(THERE)
    asks = (np.arange(L) >= memory) & there.astype(bool)
    sees = np.repeat(((np.arange(L) < memory) & there.astype(bool))[:, None], L, axis=1)
    layer, given = CrossAttention(HEADS, memory, padded=padded, length=L), (there.reshape(-1, 1).astype(float),) if padded else ()
    check_layer(ops, layer, {"torch": masked_torch_attention(sees, asks)}, rng.normal(size=(N * L, 3 * HEADS * A)), (), given)


def wrong_backward(change: str) -> Any:
    """The backward pass with one of the faults that are made in it."""

    def backpropagate(ops: Any, layer: Any, params: Any, cache: Any, DY: Any) -> Any:
        Q, K, V, P, *_ = cache
        N, c = ops.shape(DY)[0] // layer.L, layer.scale(ops, K)
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
    assert verdict.counterexample


@dataclass(frozen=True)
class MaskedAfterTheSoftmax(Attention):
    """Attention whose weights are those of all positions, some of which are then set to 0: the rows of P do not sum to 1."""

    def feedforward(self, ops: Any, params: Any, X: Any, *given: Any) -> Any:
        _, cache = super().feedforward(ops, params, X)
        P = ops.hadamard(ops.lower_ones(self.L), cache.P)
        return ops.join(P @ cache.V, ops.shape(X)[0] // self.L), cache._replace(P=P)


def test_a_mask_after_the_softmax_is_refuted() -> None:
    theorem = Theorem("attention", "DX", "", LayerGradient(layer_of(MaskedAfterTheSoftmax)), "all sizes", expected="refuted")
    (verdict,) = prove([theorem])
    assert verdict.status == "refuted"
    assert verdict.counterexample


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (lambda: Attention(2).L, "does not know the length of a sequence; begin the network with Sequences"),
        (lambda: CrossAttention(1, 4).bind((4,)), "of 4 positions the first 4 are the memory, so none is left that asks it"),
        (lambda: Attention(2, length=3).outputs_for(9), r"3 · 2 must divide its columns, got 9"),
    ],
)
def test_what_does_not_fit_is_refused(code: Any, message: str) -> None:
    with pytest.raises(NervaError, match=message):
        code()
