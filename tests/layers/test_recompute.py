"""Recompute(f) is f, in every result, and keeps less memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from backends.plan.program import Program
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.algebra.trees import leaves
from nerva_core.equations.activations import Tanh
from nerva_core.equations.losses import SquaredError
from nerva_core.equations.optimizers import Momentum
from nerva_core.layers import ActivationLayer, Linear, Recompute, Sequential, parse_layers
from tests.backends.plan.test_planned import PLANNED, D, Run
from tests.conftest import installed, make_backend
from tests.layers.check import check_layer, random_parameters

INSIDE = [
    "Linear(4)",
    "BatchNormalization",
    "Dropout(0.5)",
    {"name": "DAB", "hard": "Signum", "bridge": ["Linear(4)"]},
    "SparseLinear(4, 0.5)",
]
WHOLE, AGAIN = parse_layers(INSIDE), parse_layers([{"name": "Recompute", "layers": INSIDE}])


def torch_layer(X: Any, W: Any, b: Any, V: Any, c: Any) -> Any:
    linear = pytest.importorskip("torch").nn.functional.linear
    return linear(linear(X, W, b[0]).tanh(), V, c[0])


def test_gradients(ops: Backend, rng: np.random.Generator) -> None:
    layer = Recompute(Sequential((Linear(3), ActivationLayer(Tanh()), Linear(2))))
    check_layer(ops, layer, {"torch": torch_layer}, rng.normal(size=(4, 3)), random_parameters(rng, layer, 3))


def test_noise_state_penalty_and_pattern_are_those_inside(rng: np.random.Generator) -> None:
    ops, results = make_backend("numpy", "float64"), []
    X, DY = rng.normal(size=(2, 6, 4))
    for network in (WHOLE, AGAIN):
        own = np.random.default_rng(3)
        params, state = network.init(own, 4), network.first_state(own, 4)
        Y, cache = network.feedforward(ops, params, X, *network.given(state, network.draw(own, 6, 4)))
        values = [Y, network.penalty(ops, cache), *leaves(network.backpropagate(ops, params, cache, DY))]
        results.append([*values, *leaves(network.update_state(ops, state, cache)), network.evaluate(ops, params, state, X)])
    assert results[0][1] is not None
    for ours, expected in zip(*results, strict=True):
        np.testing.assert_array_equal(ours, expected)


def deep(recomputed: bool) -> Sequential:
    block = ["Linear(64)", "Tanh"] * 4
    return parse_layers([{"name": "Recompute", "layers": block}] * 4 if recomputed else block * 4)


@pytest.mark.parametrize("name", PLANNED)
def test_a_plan_computes_it_again_and_keeps_less(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    programs, start = [], Program.__init__

    def noted(self: Program, *arguments: Any) -> None:
        programs.append(self)
        start(self, *arguments)

    monkeypatch.setattr(Program, "__init__", noted)
    results = [Run(name, deep(recomputed), SquaredError(), Momentum(), batch=20).results("run_steps") for recomputed in (False, True)]
    for kept, again in zip(*results, strict=True):
        np.testing.assert_array_equal(again, kept)
    activations = [sum(buffer.count == 20 * 64 for buffer in program._buffers) for program in (programs[0], programs[-1])]
    assert activations[1] < 0.6 * activations[0]
    assert len(programs[-1].calls) > len(programs[0].calls)


@pytest.mark.parametrize("name", ["jax", "tensorflow"])
def test_a_step_that_xla_compiles_gives_the_same(name: str) -> None:
    if not installed(name):
        pytest.skip(f"{name} is not installed")
    block = ["Linear(4)", "Tanh"]
    networks = parse_layers(block), parse_layers([{"name": "Recompute", "layers": block}])
    kept, again = (Run(name, network, SquaredError(), Momentum()).results("run_steps") for network in networks)
    for ours, expected in zip(again, kept, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-14)


def test_it_is_written_as_a_list_or_as_text() -> None:
    (layer,) = parse_layers([{"name": "Recompute", "layers": ["Linear(4)", "Tanh"]}]).layers
    assert layer == Recompute(Sequential((Linear(4), ActivationLayer(Tanh()))))
    assert parse_layers([repr(layer)]).layers == parse_layers(["Recompute([Linear(4), Tanh])"]).layers == (layer,)
    assert layer.outputs_for(D) == D
