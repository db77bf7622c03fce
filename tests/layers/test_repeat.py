from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.algebra.trees import leaves
from nerva_core.equations.activations import Tanh
from nerva_core.equations.hard_functions import Signum
from nerva_core.layers import DAB, ActivationLayer, BatchNormalization, Dropout, Linear, Repeat, Sequential, parse_layers
from tests.conftest import make_backend
from tests.layers.check import check_layer, random_parameters

CELL = Sequential((Linear(4), ActivationLayer(Tanh())))


def forward(framework: str) -> Any:
    def three_times(X: Any, W: Any, b: Any) -> Any:
        import importlib

        module = importlib.import_module({"torch": "torch", "jax": "jax.numpy", "tensorflow": "tensorflow"}[framework])
        for _ in range(3):
            X = module.tanh(X @ module.transpose(W, *((0, 1) if framework == "torch" else ())) + b)
        return X

    return three_times


def test_gradients(ops: Backend, rng: np.random.Generator) -> None:
    layer = Repeat(CELL, 3)
    forwards = {name: forward(name) for name in ("torch", "jax", "tensorflow")}
    check_layer(ops, layer, forwards, rng.normal(size=(5, 4)), random_parameters(rng, layer, 4))


def test_noise_is_drawn_for_every_use_and_the_state_follows_each(rng: np.random.Generator) -> None:
    layer, ops = Repeat(Sequential((BatchNormalization(momentum=0.5), Dropout())), 3), make_backend("numpy", "float64")
    noise = layer.draw(rng, 6, 2)
    masks = list(leaves(noise))
    assert len(masks) == 3
    assert not np.array_equal(masks[0], masks[1])
    X, params, state = rng.normal(size=(6, 2)), layer.init(rng, 2), layer.initial_state(2)
    _, cache = layer.feedforward(ops, params, X, *noise)
    means = [c[0].mean for c in cache]
    expected = (means[0] / 8 + means[1] / 4) + means[2] / 2
    np.testing.assert_allclose(layer.update_state(ops, state, cache)[0].mean, expected)


def test_penalties_are_summed_over_the_uses(rng: np.random.Generator) -> None:
    cell = Sequential((Linear(3), DAB(Signum(), Sequential((Linear(3),)))))
    layer, ops = Repeat(cell, 2), make_backend("numpy", "float64")
    params, X = layer.init(rng, 3), rng.normal(size=(4, 3))
    Y, first = cell.feedforward(ops, params, X)
    _, second = cell.feedforward(ops, params, Y)
    _, cache = layer.feedforward(ops, params, X)
    assert layer.penalty(ops, cache) == pytest.approx(cell.penalty(ops, first) + cell.penalty(ops, second))
    assert layer.hard_layers() == cell.hard_layers()
    np.testing.assert_array_equal(layer.evaluate(ops, params, layer.initial_state(3), X), layer.feedforward(ops, params, X)[0])


def test_the_number_of_columns_must_be_kept() -> None:
    with pytest.raises(NervaError, match="must keep the number of columns, but it makes 3 of 4"):
        Repeat(Sequential((Linear(3),))).outputs_for(4)
    assert Repeat(Sequential((Linear(3),)), 1).outputs_for(4) == 3


def test_it_is_written_as_a_list() -> None:
    (layer,) = parse_layers([{"name": "Repeat", "layers": ["Linear(4)", "Tanh"], "times": 3}]).layers
    assert layer == Repeat(CELL, 3)
    assert parse_layers([repr(layer)]).layers == (layer,)
