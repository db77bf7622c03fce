"""The state dicts of torch's recurrent modules are read and written, and what does not fit is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.trees import leaves
from nerva_core.interoperability.recurrent_weights import from_state_dict, to_state_dict
from nerva_core.layers import GRU, LSTM, RNN
from nerva_core.layers.recurrence import Recurrent
from tests.conftest import make_backend

torch = pytest.importorskip("torch")
N, L, D, K = 2, 3, 4, 5


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("entry", [RNN, LSTM, GRU])
def test_written_and_read(entry: type[Recurrent], bidirectional: bool) -> None:
    """torch computes with our parameters what we do, and gives them back."""
    layer, rng = replace(entry(K, bidirectional=bidirectional), length=L), np.random.default_rng(0)
    params, X = layer.init(rng, D), rng.normal(size=(N * L, D))
    module = getattr(torch.nn, entry.__name__)(D, K, batch_first=True, bidirectional=bidirectional).double()
    module.load_state_dict(to_state_dict(layer, params))
    Y, _ = layer.feedforward(make_backend("numpy", "float64"), params, X)
    expected, _ = module(torch.tensor(X.reshape(N, L, D)))
    np.testing.assert_allclose(Y, expected.detach().numpy().reshape(Y.shape), rtol=0, atol=1e-14)
    read = from_state_dict(layer, module.state_dict())
    assert type(read) is type(params)
    for found, wanted in zip(leaves(read), leaves(params), strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_layers_of_a_stack_have_numbers() -> None:
    module = torch.nn.LSTM(D, K, num_layers=2).double()
    assert from_state_dict(LSTM(K), module.state_dict(), 1).W.shape == (4 * K, K)


def test_without_biases_they_are_zero() -> None:
    assert not from_state_dict(GRU(K), torch.nn.GRU(D, K, bias=False).state_dict()).b.any()


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in torch.nn.LSTM(D, K).state_dict().items() if key != name}


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (lambda: from_state_dict(LSTM(K), {}), "expected the parameter 'weight_ih_l0' of torch.nn.LSTM, got none"),
        (lambda: from_state_dict(LSTM(K), without("weight_hh_l0")), "expected the parameter 'weight_hh_l0', got"),
        (lambda: from_state_dict(GRU(K), without("")), r"'weight_ih_l0' should have the shape \(15, 4\), has \(20, 4\)"),
        (lambda: from_state_dict(LSTM(K), torch.nn.LSTM(D, K, bidirectional=True).state_dict()), "bidirectional=True"),
    ],
)
def test_what_does_not_fit_is_refused(code: Any, message: str) -> None:
    with pytest.raises(NervaError, match=message):
        code()
