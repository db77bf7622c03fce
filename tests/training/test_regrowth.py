"""Weights move: what stays keeps its value and its moments, and a run that is interrupted ends with the bits of one that is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.trees import leaves
from nerva_core.equations.initializers import Constant
from nerva_core.equations.regrowth import GROWERS, PRUNERS
from nerva_core.layers import SparseLinear
from nerva_core.layers.linear import LinearParameters
from nerva_core.layers.sparse import Pattern, SparseParameters
from nerva_core.training.config import Config, make_config
from nerva_core.training.models import load_model, load_npz, save_npz
from nerva_core.training.regrowth import Regrowth
from nerva_core.training.runs import MODEL, Run
from nerva_core.training.trainer import Trainer


def configure(prune: str | None = "SET(0.3)", grow: str = "Random", interval: int | None = 7, **changes: Any) -> Config:
    model = {"layers": "ReLU;BatchNormalization;ReLU;Linear", "sizes": [64, 20, 12, 10], "overall_density": 0.2}
    training = {"epochs": 3, "prune": prune, "grow": grow, "prune_interval": interval}
    base = {"data": "Digits(train=200, test=20)", "model": model, "optimizer": "Adam", "schedule": "Constant(0.003)", "training": training}
    return make_config({**base, **changes})


def final(trainer: Trainer) -> list[np.ndarray]:
    list(trainer.run())
    return list(leaves(trainer.to_numpy()))


@pytest.mark.parametrize("seed", range(40))
def test_properties_of_a_move(seed: int) -> None:
    rng = np.random.default_rng(seed)
    K, D = (int(n) for n in rng.integers(1, 12, 2))
    layer = SparseLinear(K, float(rng.uniform(0.01, 1)))
    pattern, P = layer.first_state(rng, D), layer.places(D)
    params = SparseParameters(rng.integers(-3, 4, (1, P)).astype("float32"), np.ones((1, K), "float32"))
    moments = SparseParameters((rng.normal(size=(1, P)), rng.normal(size=(1, P))), (np.zeros((1, K)),) * 2)
    pruner = PRUNERS.parse(["Magnitude(0.5)", "SET(0.5)", "Threshold(2)"][seed % 3])
    grower, G = GROWERS.parse(["Random", "RigL"][seed % 2]), rng.normal(size=(K, D))
    rule = Regrowth(pruner, grower, Constant(0.25), lambda w: (w, w + 1))
    found, new, new_moments = rule.layer(layer, D, params, pattern, moments, LinearParameters(G, None), np.random.default_rng(1), 1.0)
    old_places, new_places = pattern.places(D), Pattern(*new).places(D)  # in order, each once
    assert len(new_places) == P
    assert new_places.max() < K * D
    leaving = pruner.pruned(params.w[0], 1.0)[: K * D - P]
    grown = np.setdiff1d(new_places, old_places)
    kept = np.delete(np.arange(P), leaving)
    assert len(grown) == len(leaving)
    at = np.searchsorted(new_places, old_places[kept])
    for old, now, fresh in zip((params.w, *moments.w), (found.w, *new_moments.w), (0.25, 0.25, 1.25), strict=True):
        assert now.dtype == old.dtype
        np.testing.assert_array_equal(now[0, at], old[0, kept])
        np.testing.assert_array_equal(now[0, np.searchsorted(new_places, grown)], fresh)
    if seed % 2 and len(grown):
        others = np.setdiff1d(np.arange(K * D), np.union1d(old_places, grown))
        assert np.abs(G.reshape(-1)[grown]).min() >= np.abs(G.reshape(-1)[others]).max(initial=0)
    assert new_moments.b is moments.b


def test_backends_and_plain_runs_move_the_same_weights() -> None:
    """Without batch normalization: of a bias before it the gradient is rounding alone, which Adam makes a step of."""
    model, states = {**configure().model.model_dump(), "layers": "ReLU;ReLU;Linear"}, []
    for name, compiled in (("numpy", True), ("numpy", False), ("torch", True)):
        trainer = Trainer(configure(grow="RigL", backend=name, compile=compiled, dtype="float64", model=model))
        list(trainer.run())
        states.append(trainer.to_numpy())
    for other in states[1:]:
        for a, b in zip(leaves(states[0].statistics), leaves(other.statistics), strict=True):
            np.testing.assert_array_equal(a, b)
        for a, b in zip(leaves(states[0].params), leaves(other.params), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-9)


@pytest.mark.parametrize("grow", ["Random", "RigL"])
@pytest.mark.parametrize("done", [6, 7, 8, 14])
def test_a_run_continues_within_an_epoch_with_the_same_bits(grow: str, done: int) -> None:
    """Before, at and after a move."""
    whole = final(Trainer(configure(grow=grow)))
    first = Trainer(configure(grow=grow))
    states = []

    class StopError(Exception):
        pass

    def stop(epoch: int, steps: int, loss: float) -> None:
        states.append((first.epoch, first.to_numpy(), first.outputs.copy()))
        if epoch * first.steps_per_epoch + steps >= done:
            raise StopError

    with pytest.raises(StopError):
        list(first.run(stop))
    second = Trainer(configure(grow=grow))
    second.restore(*states[-1])
    for a, b in zip(whole, final(second), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_resumed_run_ends_with_the_same_files(tmp_path: Path) -> None:
    Run.start(configure(), tmp_path / "whole").train()
    Run.start(configure(training={**configure().training.model_dump(), "epochs": 2}), tmp_path / "parts").train()
    Run.resume(tmp_path / "parts", 3).train()
    first, second = ((tmp_path / name / MODEL) for name in ("whole", "parts"))
    a, b = load_model(first), load_model(second)
    for x, y in zip(leaves((a.params, a.state)), leaves((b.params, b.state)), strict=True):
        np.testing.assert_array_equal(x, y)


def test_a_damaged_pattern_is_refused() -> None:
    trainer = Trainer(configure())
    state = trainer.to_numpy()
    state.statistics[0].c[0, 0] = 64
    with pytest.raises(NervaError, match=r"column numbers that are not among 0, \.\.\., 63"):
        trainer.restore(0, state)


def test_moves_need_a_sparse_layer() -> None:
    with pytest.raises(NervaError, match="the network has none; give overall_density"):
        Trainer(configure(model={"layers": "ReLU;Linear", "sizes": [64, 5, 10]}))
    with pytest.raises(NervaError, match="give one of overall_density and densities"):
        Trainer(configure(model={"layers": "Linear", "sizes": [64, 10], "overall_density": 0.5, "densities": [0.5]}))


def test_weights_from_nerva_and_back(tmp_path: Path) -> None:
    Run.start(configure(), tmp_path / "run").train()
    model = load_model(tmp_path / "run" / MODEL)
    dense = model.without_patterns()
    X = np.random.default_rng(0).uniform(0, 16, (5, 64))
    np.testing.assert_allclose(dense.predict(X), model.predict(X), atol=1e-12)
    linear = Trainer(configure(model={"layers": "ReLU;ReLU;Linear", "sizes": [64, 20, 12, 10], "overall_density": 0.2}, prune=None))
    params, state = linear.network.init(np.random.default_rng(3), 64), linear.network.initial_state(64)
    plain, full, _ = linear.network.dense(64, params, state)
    save_npz(tmp_path / "w.npz", plain, full)
    other = linear.network.init(np.random.default_rng(4), 64), linear.network.first_state(np.random.default_rng(4), 64)
    loaded, patterns = load_npz(tmp_path / "w.npz", linear.network, 64, *other)
    for a, b in zip(leaves((params, state)), leaves((loaded, patterns)), strict=True):
        np.testing.assert_array_equal(a, b)
    again = Trainer(configure(model={**configure().model.model_dump(), "load_weights": str(tmp_path / "run")}))
    np.testing.assert_array_equal(again.to_numpy().statistics[0].c, model.state[0].c)
