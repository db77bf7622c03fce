"""Grouped-query attention against torch's scaled_dot_product_attention with repeated keys; wrong gradients are refuted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.layers import Attention, GroupedQueryAttention
from sympy_validation.layer_gradient import LayerGradient
from sympy_validation.theorem import Theorem, prove
from sympy_validation.theorems.layers import layer_of
from tests.layers.check import check_layer

N, L, HEADS, A = 2, 4, 2, 3


def torch_attention(queries: int, causal: bool) -> Any:
    def forward(X: Any) -> Any:
        import torch

        Q, K, V = (part.reshape(N, L, -1, A).transpose(1, 2) for part in X.split([queries * HEADS * A, HEADS * A, HEADS * A], dim=1))
        K, V = K.repeat(1, queries, 1, 1), V.repeat(1, queries, 1, 1)
        Y = torch.nn.functional.scaled_dot_product_attention(Q, K, V, is_causal=causal)
        return Y.transpose(1, 2).reshape(N * L, queries * HEADS * A)

    return forward


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("queries", [1, 2, 3])
def test_gradients(ops: Backend[Any], rng: np.random.Generator, queries: int, causal: bool) -> None:
    layer = GroupedQueryAttention(HEADS, queries, causal, length=L)
    X = rng.normal(size=(N * L, (queries + 2) * HEADS * A))
    check_layer(ops, layer, {"torch": torch_attention(queries, causal)}, X, ())


def test_one_query_a_key_is_attention(ops: Backend[Any], rng: np.random.Generator) -> None:
    X = ops.matrix(rng.normal(size=(N * L, 3 * HEADS * A)))
    one, other = GroupedQueryAttention(HEADS, 1, length=L), Attention(HEADS, causal=True, length=L)
    np.testing.assert_array_equal(ops.to_numpy(one.feedforward(ops, (), X)[0]), ops.to_numpy(other.feedforward(ops, (), X)[0]))


def wrong_backward(change: str) -> Any:
    """The backward pass with one of the faults that are made in it."""

    def backpropagate(ops: Any, layer: Any, params: Any, cache: Any, DY: Any) -> Any:
        Q, K, V, P = cache
        A, m, N = ops.shape(Q)[1], layer.queries, ops.shape(DY)[0] // layer.L
        DH = layer._as_rows(ops, layer._families(ops, DY, m))
        DS = ops.scale(layer._scale(ops, K), ops.softmax_inputs(P, DH @ ops.transpose(V)))
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
