"""Grouped-query attention against torch's scaled_dot_product_attention with repeated keys; wrong gradients are refuted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.layers import Attention, GroupedQueryAttention, parse_layers
from sympy_validation.layer_gradient import LayerGradient
from sympy_validation.theorem import Theorem, prove
from sympy_validation.theorems.layers import layer_of
from tests.conftest import make_backend
from tests.layers.check import check_layer

N, L, HEADS, A = 2, 4, 2, 3


THERE = np.array([[1.0, 0, 1, 1], [0, 1, 1, 0]])


def torch_attention(queries: int, causal: bool, there: Any = None) -> Any:
    """Where a mask of positions is given, those that are not there see all, and their rows of Y are 0."""

    def forward(X: Any) -> Any:
        import torch

        Q, K, V = (part.reshape(N, L, -1, A).transpose(1, 2) for part in X.split([queries * HEADS * A, HEADS * A, HEADS * A], dim=1))
        K, V = K.repeat(1, queries, 1, 1), V.repeat(1, queries, 1, 1)
        if there is None:
            Y = torch.nn.functional.scaled_dot_product_attention(Q, K, V, is_causal=causal)
        else:
            m = torch.tensor(there, dtype=torch.bool)[:, None]
            seen = (m[..., None, :] & torch.ones(L, L, dtype=torch.bool).tril(0 if causal else L)) | ~m[..., :, None]
            Y = torch.nn.functional.scaled_dot_product_attention(Q, K, V, attn_mask=seen) * m[..., None]
        return Y.transpose(1, 2).reshape(N * L, queries * HEADS * A)

    return forward


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("queries", [1, 2, 3])
def test_gradients(ops: Backend, rng: np.random.Generator, queries: int, causal: bool) -> None:
    layer = GroupedQueryAttention(HEADS, queries, causal, length=L)
    X = rng.normal(size=(N * L, (queries + 2) * HEADS * A))
    check_layer(ops, layer, {"torch": torch_attention(queries, causal)}, X, ())


@pytest.mark.parametrize("causal", [False, True])
def test_gradients_with_padding(ops: Backend, rng: np.random.Generator, causal: bool) -> None:
    layer = GroupedQueryAttention(HEADS, 2, causal, padded=True, length=L)
    X = rng.normal(size=(N * L, 4 * HEADS * A))
    check_layer(ops, layer, {"torch": torch_attention(2, causal, THERE)}, X, (), (THERE.reshape(-1, 1),))


def test_a_network_tells_it_what_is_padding(rng: np.random.Generator) -> None:
    """With as many keys as queries it is attention, in a network with padding too, at inference as in training."""
    networks = [
        parse_layers([f"Sequences({L})", {"name": "Padded", "layers": ["Embedding(6, 5)", layer]}])
        for layer in ("GroupedQueryAttention(2, 1, causal=false)", "Attention(2)")
    ]
    ops, X = make_backend("numpy", "float64"), np.array([[3.0, 0, 4, 2], [0, 1, 1, 0]])
    params, state = networks[0].init(rng, L), networks[0].initial_state(L)
    one, other = (network.evaluate(ops, params, state, X) for network in networks)
    np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(one, networks[0].feedforward(ops, params, X, *networks[0].draw(rng, 2, L))[0])
    assert not one[1].any()


def test_one_query_a_key_is_attention(ops: Backend, rng: np.random.Generator) -> None:
    X = ops.matrix(rng.normal(size=(N * L, 3 * HEADS * A)))
    one, other = GroupedQueryAttention(HEADS, 1, length=L), Attention(HEADS, causal=True, length=L)
    np.testing.assert_array_equal(ops.to_numpy(one.feedforward(ops, (), X)[0]), ops.to_numpy(other.feedforward(ops, (), X)[0]))


def wrong_backward(change: str) -> Any:
    """The backward pass with one of the faults that are made in it."""

    def backpropagate(ops: Any, layer: Any, params: Any, cache: Any, DY: Any) -> Any:
        Q, K, V, P, _ = cache
        A, m, N = ops.shape(Q)[1], layer.queries, ops.shape(DY)[0] // layer.L
        DH = layer._as_rows(ops, layer._families(ops, DY, m))
        DS = ops.scale(layer.scale(ops, K), ops.softmax_inputs(P, DH @ ops.transpose(V)))
        DV = ops.transpose(P) @ DH
        if change == "a mean":
            DV = ops.divide(DV, m)
        if change == "one query alone":
            first = ops.column_part(ops.reshape(DS, layer.L, m * layer.L), 0, m)
            DK = ops.transpose(first) @ ops.column_part(ops.reshape(Q, layer.L, m * A), 0, m)
        else:
            DK = ops.transpose(DS) @ Q
        parts = layer._as_columns(ops, DS @ K, DY)
        parts = parts[::-1] if change == "queries in another order" else parts
        return ops.join_column_parts(*parts, ops.join(DK, N), ops.join(DV, N)), ()

    return backpropagate


@pytest.mark.parametrize("change", ["one query alone", "a mean", "queries in another order"])
def test_wrong_gradients_are_refuted(change: str) -> None:
    claim = LayerGradient(layer_of(GroupedQueryAttention), wrong_backward(change))
    (verdict,) = prove([Theorem("attention", "DX", "", claim, "all sizes", expected="refuted")])
    assert verdict.status == "refuted"
    assert verdict.counterexample


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(NervaError, match=r"so 4 · 2 must divide its columns, got 12"):
        GroupedQueryAttention(2).outputs_for(12)
