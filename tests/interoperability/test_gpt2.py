"""A state dict named as GPT-2's gives the logits and gradients of a forward that is written with torch alone, and is written back."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.algebra.trees import leaves
from nerva_core.interoperability.gpt2 import from_gpt2, names, to_gpt2
from nerva_core.layers import parse_layers
from tests.helpers import to_ops
from tests.layers.check import both_passes

torch = pytest.importorskip("torch")
V, K, L, HEADS, BLOCKS = 7, 6, 5, 3, 2


def state_dict() -> dict[str, Any]:
    """Random parameters with all names and shapes of GPT2LMHeadModel."""
    torch.manual_seed(0)
    shapes = {"wte.weight": (V, K), "wpe.weight": (L, K), "ln_f.weight": (K,), "ln_f.bias": (K,)}
    for k in range(BLOCKS):
        for name, shape in {
            **{f"{norm}.{kind}": (K,) for norm in ("ln_1", "ln_2") for kind in ("weight", "bias")},
            **{"attn.c_attn.weight": (K, 3 * K), "attn.c_attn.bias": (3 * K,), "attn.c_proj.weight": (K, K), "attn.c_proj.bias": (K,)},
            **{"mlp.c_fc.weight": (K, 4 * K), "mlp.c_fc.bias": (4 * K,), "mlp.c_proj.weight": (4 * K, K), "mlp.c_proj.bias": (K,)},
        }.items():
            shapes[f"h.{k}.{name}"] = shape
    state = {f"transformer.{name}": torch.randn(shape, dtype=torch.float64) for name, shape in shapes.items()}
    state |= {f"transformer.h.{k}.attn.bias": torch.ones(1, 1, L, L).tril() for k in range(BLOCKS)}
    return {**state, "lm_head.weight": state["transformer.wte.weight"]}


def logits(state: dict[str, Any], x: Any) -> Any:
    """GPT-2 of its paper and of the paper of the transformer, in torch."""
    F, p = torch.nn.functional, {name.removeprefix("transformer."): tensor for name, tensor in state.items()}
    N, T = x.shape

    def norm(h: Any, name: str) -> Any:
        return F.layer_norm(h, (K,), p[f"{name}.weight"], p[f"{name}.bias"], 1e-5)

    def linear(h: Any, name: str) -> Any:
        return h @ p[f"{name}.weight"] + p[f"{name}.bias"]

    h = p["wte.weight"][x] + p["wpe.weight"][:T]
    for k in range(BLOCKS):
        q, key, v = (a.reshape(N, T, HEADS, -1).transpose(1, 2) for a in linear(norm(h, f"h.{k}.ln_1"), f"h.{k}.attn.c_attn").chunk(3, -1))
        scores = (q @ key.transpose(2, 3) / math.sqrt(K / HEADS)).masked_fill(torch.ones(T, T).triu(1).bool(), -torch.inf)
        h = h + linear((scores.softmax(-1) @ v).transpose(1, 2).reshape(N, T, K), f"h.{k}.attn.c_proj")
        u = linear(norm(h, f"h.{k}.ln_2"), f"h.{k}.mlp.c_fc")
        u = 0.5 * u * (1 + torch.tanh(math.sqrt(2 / math.pi) * (u + 0.044715 * u**3)))
        h = h + linear(u, f"h.{k}.mlp.c_proj")
    return norm(h, "ln_f") @ p["wte.weight"].T


def test_logits_and_gradients(ops: Backend) -> None:
    """Of every parameter, the tied matrix included, on every backend."""
    state = {name: tensor.requires_grad_() for name, tensor in state_dict().items()}
    state["lm_head.weight"] = state["transformer.wte.weight"]
    x = torch.randint(V, (2, L))
    expected = logits(state, x).reshape(2 * L, V)
    DY = torch.randn(2 * L, V, dtype=torch.float64)
    expected.backward(DY)
    gpt = from_gpt2(state, HEADS)
    params = to_ops(ops, gpt.params)
    Y, _, gradients = both_passes(ops, gpt.network)(params, ops.matrix(x.numpy().astype(float)), ops.matrix(DY.numpy()), ())
    np.testing.assert_allclose(ops.to_numpy(Y), expected.detach().numpy(), atol=1e-11)
    for name, gradient in zip(names(BLOCKS), leaves(gradients), strict=True):
        exact = state[f"transformer.{name}"].grad.numpy()
        exact = exact.T if "c_" in name and "weight" in name else exact
        np.testing.assert_allclose(ops.to_numpy(gradient) / abs(exact).max(), exact.reshape(gradient.shape) / abs(exact).max(), atol=1e-12)


def test_written_back() -> None:
    state = state_dict()
    gpt = from_gpt2(state, HEADS)
    written = to_gpt2(gpt.network, gpt.params)
    assert written.keys() == {name for name in state if not name.endswith(".attn.bias")}
    for name, tensor in written.items():
        assert torch.equal(tensor, state[name]), name


def test_fewer_positions() -> None:
    state, x = state_dict(), np.array([[3, 1]])
    found = from_gpt2(state, HEADS, length=2).predict(x)
    np.testing.assert_allclose(found, logits(state, torch.tensor(x))[0].numpy(), atol=1e-12)


def changed(**new: Any) -> dict[str, Any]:
    return {**state_dict(), **{name.replace("__", "."): tensor for name, tensor in new.items()}}


def without(name: str) -> dict[str, Any]:
    return {key: tensor for key, tensor in state_dict().items() if key != name}


def built(*blocks: str) -> Any:
    inside = ["PositionEmbedding", *blocks, "LayerNorm"]
    return parse_layers(["Sequences(4)", {"name": "Tied", "width": 6, "vocabulary": 3, "layers": inside}])


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (lambda: from_gpt2({}, 2), "a state dict of GPT-2 has 'wte.weight', this one has not"),
        (lambda: from_gpt2(without("transformer.h.1.ln_2.bias"), 2), "has 'h.1.ln_2.bias', this one has not"),
        (lambda: from_gpt2(changed(transformer__h__0__extra=torch.ones(1)), 3), "'h.0.extra' is no parameter of GPT-2 with 2 blocks"),
        (lambda: from_gpt2(changed(lm_head__weight=torch.zeros(V, K)), 3), "is its embedding 'wte.weight', here they differ"),
        (
            lambda: from_gpt2(changed(transformer__ln_f__bias=torch.ones(K + 1)), 3),
            r"'ln_f.bias' should have the shape \(1, 6\), has \(7,\)",
        ),
        (lambda: from_gpt2(state_dict(), 4), "4 heads of the same size need a multiple of 4 columns, got 6"),
        (lambda: from_gpt2(state_dict(), 3, length=6), "length must be from 1 to 5, the positions that were trained, got 6"),
        (lambda: from_gpt2(changed(transformer__wpe__weight=torch.ones(K)), 3), r"'wpe.weight' should be a matrix, .* shape \(6,\)"),
        (lambda: to_gpt2(parse_layers(["Sequences(4)", "Embedding(2, 3)", "Linear(3)"]), ()), "a state dict of GPT-2 is that of Sequences"),
        (lambda: to_gpt2(built("Block(2)"), ()), "the activation TanhGELU"),
        (lambda: to_gpt2(built("Block(2, activation=TanhGELU)", "Block(3, activation=TanhGELU)"), ()), "with equal causal blocks"),
        (lambda: from_gpt2(state_dict(), HEADS).predict([[0, 1, V, 0, 0]]), "numbers 0, 1, ..., 6, got 7"),
        (lambda: from_gpt2(state_dict(), HEADS).predict([[0, 1, -1, 0, 0]]), "numbers 0, 1, ..., 6, got -1"),
        (lambda: from_gpt2(state_dict(), HEADS).predict([[0, 1, 0.5, 0, 0]]), "numbers 0, 1, ..., 6, got 0.5"),
    ],
)
def test_what_does_not_fit_is_refused(code: Any, message: str) -> None:
    with pytest.raises(NervaError, match=message):
        code()
