"""Networks as modules of torch.nn: the same outputs, and what from_torch has read is written back to the last bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.interoperability.from_torch import from_torch
from nerva_core.interoperability.torch_nn import to_torch_nn
from nerva_core.layers import parse_layers
from tests.conftest import make_backend
from tests.interoperability.test_from_torch import NETWORKS, network

torch = pytest.importorskip("torch")
WRITTEN = [name for name in NETWORKS if name not in ("residual", "text", "sequences")]


@pytest.mark.parametrize("name", WRITTEN)
def test_what_was_read_is_written_back(name: str) -> None:
    module, shape = network(name)
    found = from_torch(module, shape)
    written = to_torch_nn(found.network, found.params, found.state, found.inputs, dtype="float64")
    X = torch.randn(3, *shape, dtype=torch.float64)
    given = X if found.channels_first else torch.tensor(found.rows(X))
    torch.testing.assert_close(written(given), module.eval()(X), rtol=1e-12, atol=1e-12)
    theirs = [tensor for key, tensor in module.state_dict().items() if "num_batches" not in key]
    ours = [tensor for key, tensor in written.state_dict().items() if "num_batches" not in key]
    biases = [tensor for tensor in ours if not any(same(tensor, other) for other in theirs)]
    assert not any(tensor.any() for tensor in biases), "what is new are biases of 0"
    assert all(any(same(tensor, other) for other in ours) for tensor in theirs)


def same(X: Any, Y: Any) -> bool:
    return bool(X.shape == Y.shape and torch.equal(X, Y))


LAYERS = [
    "Conv(4, 3, padding=1)",
    "BatchNorm",
    "ReLU",
    "MaxPool(2)",
    "DepthwiseConv(2)",
    "ConvTranspose(4, 2, groups=2)",
    "Upsample",
    "Flatten",
]


def test_names_and_layout_are_those_of_torch_nn() -> None:
    bound, _ = parse_layers([*LAYERS, "Linear(5)"]).bind((6, 4))
    rng = np.random.default_rng(0)
    params, state = bound.init(rng, 2), bound.initial_state(2)
    written = to_torch_nn(bound, params, state, 2, positions=(6, 4), dtype="float64")
    names = [f"{k}.{name}" for k in (0, 1, 4, 5, 8) for name in ("weight", "bias")]
    assert [name for name, _ in written.named_parameters()] == names
    assert written.state_dict()["0.weight"].shape == (4, 2, 3, 3)
    X = torch.randn(3, 2, 6, 4, dtype=torch.float64)
    ops = make_backend("numpy", "float64")
    rows = ops.matrix(X.movedim(1, -1).reshape(-1, 2).numpy())
    np.testing.assert_allclose(written(X).detach().numpy(), bound.evaluate(ops, params, state, rows), rtol=0, atol=1e-12)


def test_a_second_flatten_changes_nothing() -> None:
    positions, rng = (4, 3), np.random.default_rng(0)
    written = []
    for layers in (["Conv(4)", "Flatten", "Linear(2)"], ["Conv(4)", "Flatten", "Flatten", "Linear(2)"]):
        bound, _ = parse_layers(layers).bind(positions)
        params = bound.init(np.random.default_rng(0), 2)
        written.append(to_torch_nn(bound, params, bound.initial_state(2), 2, positions, "float64"))
    X = torch.tensor(rng.normal(size=(3, 2, *positions)))
    torch.testing.assert_close(written[1](X), written[0](X))


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (["Conv(4)", "SE(2)"], "torch.nn has no SqueezeExcitation that to_torch_nn knows; it writes"),
        (["Conv(4)", "LayerNorm"], "which are not the last axis in PyTorch; put a Flatten before it"),
        (["Conv(4)", "Flatten", "BatchNorm"], "after a Flatten of images the order of the columns differs"),
    ],
)
def test_what_torch_nn_does_not_have_is_named(layers: list[str], message: str) -> None:
    bound, _ = parse_layers(layers).bind((6, 4))
    with pytest.raises(NervaError, match=message):
        to_torch_nn(bound, bound.init(np.random.default_rng(0), 2), bound.initial_state(2), 2, positions=(6, 4))
