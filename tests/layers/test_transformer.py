"""Multi-head attention and blocks against torch's own modules, with torch's own parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.algebra.trees import leaves
from nerva_core.equations.losses import SoftmaxCrossEntropy
from nerva_core.layers import Layer, MultiHeadAttention, MultiHeadCrossAttention, Sequences, Sequential, TransformerBlock, parse_layers
from nerva_core.layers.notation import plain_items
from tests.helpers import to_ops
from tests.layers.check import random_parameters, run

N, L, D, HEADS = 2, 4, 6, 3


def parts(params: Any) -> list[Any]:
    import torch

    return [torch.tensor(p, requires_grad=True) for p in leaves(params)]


def attend(x: Any, W: Any, b: Any, U: Any, c: Any, causal: bool) -> Any:
    """torch's multi-head attention, functional, on (L, N, D)."""
    import torch

    mask = torch.full((L, L), -torch.inf, dtype=torch.float64).triu(1) if causal else None
    x = x.transpose(0, 1)
    y, _ = torch.nn.functional.multi_head_attention_forward(
        x, x, x, D, HEADS, W, b[0], None, None, False, 0.0, U, c[0], need_weights=False, attn_mask=mask
    )
    return y.transpose(0, 1)


def block(x: Any, p: list[Any], norm_first: bool) -> Any:
    import torch

    F = torch.nn.functional
    if norm_first:
        g1, b1, W, b, U, c, g2, b2, V, v, Z, z = p
        x = x + attend(F.layer_norm(x, (D,), g1[0], b1[0]), W, b, U, c, True)
        return x + F.linear(F.gelu(F.linear(F.layer_norm(x, (D,), g2[0], b2[0]), V, v[0])), Z, z[0])
    W, b, U, c, g1, b1, V, v, Z, z, g2, b2 = p
    x = F.layer_norm(x + attend(x, W, b, U, c, True), (D,), g1[0], b1[0])
    return F.layer_norm(x + F.linear(F.gelu(F.linear(x, V, v[0])), Z, z[0]), (D,), g2[0], b2[0])


@pytest.mark.parametrize(
    ("layer", "forward"),
    [
        (MultiHeadAttention(HEADS), lambda x, p: attend(x, *p, False)),
        (MultiHeadAttention(HEADS, causal=True), lambda x, p: attend(x, *p, True)),
        (TransformerBlock(HEADS), lambda x, p: block(x, p, True)),
        (TransformerBlock(HEADS, norm_first=False), lambda x, p: block(x, p, False)),
    ],
    ids=["attention", "causal attention", "norm first", "norm last"],
)
def test_gradients(ops: Backend, rng: np.random.Generator, layer: Layer, forward: Any) -> None:
    import torch

    layer, _ = layer.bind((L,))
    X, DY, params = rng.normal(size=(N * L, D)), rng.normal(size=(N * L, D)), random_parameters(rng, layer, D)
    found = run(ops, layer, X, params, DY)
    x, p = torch.tensor(X, requires_grad=True), parts(params)
    y = forward(x.reshape(N, L, D), p).reshape(N * L, D)
    y.backward(torch.tensor(DY))
    expected = [y.detach(), x.grad, *(q.grad for q in p)]
    for actual, exact in zip([found[0], found[1], *leaves(found[2])], expected, strict=True):
        scale = max(1, np.abs(exact.numpy()).max())
        np.testing.assert_allclose(actual / scale, exact.numpy() / scale, atol=1e-12)


def test_a_memory_is_asked(ops: Backend, rng: np.random.Generator) -> None:
    """torch's attention of the last positions to the first ones, with keys and values of their own."""
    import torch

    S, layer = 3, MultiHeadCrossAttention(HEADS, memory=3, length=L)
    X, params = rng.normal(size=(N * L, D)), random_parameters(rng, layer, D)
    DY = rng.normal(size=(N, L, D))
    DY[:, :S] = 0
    found = run(ops, layer, X, params, DY.reshape(N * L, D))
    x, (W, b, U, c) = torch.tensor(X, requires_grad=True), parts(params)
    sequence = x.reshape(N, L, D).transpose(0, 1)
    asks, memory = sequence[S:], sequence[:S]
    y, _ = torch.nn.functional.multi_head_attention_forward(asks, memory, memory, D, HEADS, W, b[0], None, None, False, 0.0, U, c[0])
    y.backward(torch.tensor(DY[:, S:]).transpose(0, 1))
    np.testing.assert_allclose(found[0].reshape(N, L, D)[:, S:], y.detach().transpose(0, 1).numpy(), atol=1e-12)
    for actual, exact in zip([found[1], *leaves(found[2])], [x, W, b, U, c], strict=True):
        np.testing.assert_allclose(actual, exact.grad.numpy(), atol=1e-11)


def test_a_whole_gpt(ops: Backend, rng: np.random.Generator) -> None:
    """All gradients of the loss of a character model with two blocks, some of whose targets are padding."""
    import torch

    V = 5
    text = f"Sequences({L});Embedding({D}, {V});PositionEmbedding;Block({HEADS}) * 2;LayerNorm;Linear({V})"
    network = parse_layers(plain_items(text) or [])
    X, T, params = rng.integers(V, size=(N, L)), rng.integers(-1, V, size=N * L), random_parameters(rng, network, L)
    T[0], T[1] = -1, 2
    loss, p = SoftmaxCrossEntropy(), to_ops(ops, params)
    Y, cache = network.feedforward(ops, p, ops.matrix(X.astype(float)))
    targets = ops.one_hot(ops.matrix(T[:, None].astype(float)), V)
    _, gradients = network.backpropagate(ops, p, cache, loss.gradient(ops, Y, targets))
    E, P, *q = parts(params)
    x = E[torch.tensor(X)] + P
    for k in (0, 12):
        x = block(x, q[k : k + 12], True)
    F = torch.nn.functional
    y = F.linear(F.layer_norm(x, (D,), q[24][0], q[25][0]), q[26], q[27][0]).reshape(N * L, V)
    value = F.cross_entropy(y, torch.tensor(T), ignore_index=-1, reduction="sum")
    value.backward()
    assert ops.to_numpy(loss.value(ops, Y, targets)).item() == pytest.approx(value.item(), rel=1e-13)
    for actual, exact in zip(leaves(gradients), [E, P, *q], strict=True):
        scale = max(1, np.abs(exact.grad.numpy()).max())
        np.testing.assert_allclose(ops.to_numpy(actual) / scale, exact.grad.numpy() / scale, atol=1e-12)


def test_a_position_does_not_see_those_after_it(rng: np.random.Generator) -> None:
    from tests.conftest import make_backend

    ops = make_backend("numpy", "float64")
    layer, _ = TransformerBlock(2).bind((5,))
    params, X = random_parameters(rng, layer, 4), rng.normal(size=(5, 4))
    before = layer.feedforward(ops, params, X)[0]
    X[3:] += 1
    after = layer.feedforward(ops, params, X)[0]
    np.testing.assert_array_equal(before[:3], after[:3])
    assert (before[3:] != after[3:]).all()


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (lambda: MultiHeadAttention(3, length=4).shapes(8), "3 heads of the same size need a multiple of 3 columns, got 8"),
        (lambda: Sequential((Sequences(4), TransformerBlock(5))).shapes(4 * 6), "a multiple of 5 columns, got 6"),
        (lambda: TransformerBlock(0), "heads must be >= 1"),
        (lambda: MultiHeadAttention(2, dropout=1.0), "dropout must be >= 0 and < 1, got 1.0"),
        (lambda: parse_layers(["MultiHeadAttention(2, positions='learned')"]), "positions"),
        (lambda: parse_layers(["Sequences(3)", "MultiHeadCrossAttention(1, 3)"]), "so none is left that asks it"),
    ],
)
def test_what_does_not_fit_is_refused(code: Any, message: str) -> None:
    with pytest.raises(NervaError, match=message):
        code()
