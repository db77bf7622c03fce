"""Attention and transformer encoders of torch.nn compute the same here, forward and backward."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nerva_core as nc
from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.trees import leaves
from nerva_core.interoperability.from_torch import from_torch
from nerva_core.layers import TransformerBlock

torch = pytest.importorskip("torch")
nn = torch.nn
L, D = 5, 6


def layer(**options: Any) -> Any:
    return nn.TransformerEncoderLayer(D, 2, **{"dim_feedforward": 12, "dropout": 0.0, "batch_first": True, **options})


MODULES: dict[str, Any] = {
    "attention": lambda: nn.MultiheadAttention(D, 3, batch_first=True),
    "attention without biases": lambda: nn.MultiheadAttention(D, 2, bias=False, dropout=0.2, batch_first=True),
    "block": lambda: layer(),
    "norm first, gelu": lambda: layer(norm_first=True, activation="gelu"),
    "dropout, epsilon": lambda: layer(dropout=0.3, layer_norm_eps=1e-3),
    "odd width, no bias": lambda: layer(dim_feedforward=7, norm_first=True, bias=False),
    "encoder": lambda: nn.TransformerEncoder(layer(norm_first=True), 2, nn.LayerNorm(D), enable_nested_tensor=False),
    "sequential": lambda: nn.Sequential(nn.Linear(D, D), layer(), nn.Linear(D, 3), nn.GELU("tanh")),
}


@pytest.mark.parametrize("name", MODULES)
def test_outputs_and_gradients_are_those_of_pytorch(name: str) -> None:
    torch.manual_seed(0)
    module, ops = MODULES[name]().double(), nc.backend("numpy", dtype="float64")
    for parameter in module.parameters():
        nn.init.normal_(parameter)
    found = from_torch(module, (L, D))
    X = torch.randn(3, L, D, dtype=torch.float64)
    call = (lambda X: module(X, X, X)[0]) if "attention" in name else module
    module.eval()
    Y = call(X)
    np.testing.assert_allclose(found.predict(X).reshape(Y.shape), Y.detach().numpy(), rtol=1e-9, atol=1e-12)
    if "dropout" in name or "0.2" in str(module):
        return
    Y.square().sum().backward()
    Z, cache = found.network.feedforward(ops, found.params, ops.matrix(found.rows(X)))
    _, gradients = found.network.backpropagate(ops, found.params, cache, 2 * Z)
    ours = [np.linalg.norm(gradient) for gradient in leaves(gradients)]  # of biases too that the module has not
    for parameter in module.parameters():
        norm = parameter.grad.norm().item()
        assert min(abs(own - norm) for own in ours) <= 1e-9 * max(ours)


def test_a_plain_layer_is_a_block() -> None:
    assert isinstance(from_torch(layer(), (L, D)).network.layers[1], TransformerBlock)


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (lambda: nn.MultiheadAttention(D, 2), "make it with batch_first=True"),
        (lambda: nn.MultiheadAttention(D, 2, kdim=3, batch_first=True), "to keys and values of other sizes"),
        (lambda: layer(activation=torch.tanh), "the activations relu and gelu have an equal here"),
        (lambda: nn.TransformerDecoderLayer(D, 2, batch_first=True), "TransformerDecoderLayer of torch.nn has no equal"),
    ],
)
def test_what_has_no_equal_is_named(module: Any, message: str) -> None:
    with pytest.raises(NervaError, match=message):
        from_torch(module(), (L, D))
