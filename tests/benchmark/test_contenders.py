"""Ours and every opponent train the same: their losses from the same weights agree. One that computes something else is refused."""

from __future__ import annotations

import dataclasses
import importlib
from typing import Any

import numpy as np
import pytest

from nerva_core.benchmark import opponents
from nerva_core.benchmark.configurations import CHECKED_STEPS, BenchmarkProblem, make_problem
from nerva_core.benchmark.contenders import NoCounterpartError, Ours
from nerva_core.benchmark.measure import disagreement
from nerva_core.benchmark.opponents import JaxScan, ScikitLearn, TensorFlowFunction, TorchEager
from nerva_core.data.dataset import make_dataset
from nerva_core.training.config import parse_config
from tests.conftest import load_frameworks


def problem(layers: str = '["Linear(8)", "BatchNormalization", "ReLU", "Linear(3)"]', extra: str = "") -> BenchmarkProblem:
    rng = np.random.default_rng(0)
    X, T = rng.normal(size=(60, 6)), rng.integers(3, size=60)
    data = make_dataset("test", X, T, X, T, regression=False, classes=3)
    text = f'schedule = "Constant(0.1)"\n{extra}\n[model]\nlayers = {layers}\n[training]\nbatch_size = 10'
    return make_problem(parse_config(text), data)


def losses(cls: Any, given: BenchmarkProblem) -> list[float]:
    found: list[float] = cls(given, 1).losses(given.rows[:CHECKED_STEPS])
    return found


@pytest.mark.parametrize("cls", [TorchEager, JaxScan, TensorFlowFunction])
def test_an_opponent_computes_what_ours_does(cls: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    load_frameworks()
    monkeypatch.setattr(opponents, "import_tensorflow", lambda threads: importlib.import_module("tensorflow"))  # it runs here already
    given = problem()
    ours = losses(Ours, given)
    assert disagreement(ours, losses(cls, given), "float32") is None
    assert len(set(ours)) == CHECKED_STEPS


def test_scikit_learn_computes_what_ours_does() -> None:
    given = problem('["Linear(8)", "Tanh", "Linear(3)"]')
    assert disagreement(losses(Ours, given), losses(ScikitLearn, given), "float32") is None


def test_an_opponent_that_computes_something_else_is_refused() -> None:
    """The same network with another learning rate: the second loss differs."""
    given = problem('["Linear(8)", "ReLU", "Linear(3)"]')
    other = problem('["Linear(8)", "ReLU", "Linear(3)"]', extra='optimizer = "Momentum(mu=0.8)"')
    assert "it computes something else" in str(disagreement(losses(Ours, given), losses(ScikitLearn, other), "float32"))


@pytest.mark.parametrize(
    ("layers", "extra", "message"),
    [
        ('["Linear(8)", "BatchNormalization", "ReLU", "Linear(3)"]', "", "MLPClassifier is dense layers"),
        ('["Linear(8)", "GELU", "Linear(3)"]', "", "no ActivationLayer"),
        ('["Linear(8)", "ReLU", "Linear(3)"]', 'optimizer = "Adam"', "momentum, not Adam"),
        ('["Linear(8)", "ReLU", "Linear(3)"]', 'loss = "SquaredError"', "softmax cross-entropy, not SquaredError"),
    ],
)
def test_what_an_opponent_does_not_have(layers: str, extra: str, message: str) -> None:
    with pytest.raises(NoCounterpartError, match=message):
        ScikitLearn(problem(layers, extra), 1)


def test_the_trainer_is_the_ordinary_one() -> None:
    """An epoch of ours has the losses of every step; nothing is evaluated."""
    given = problem()
    ours = Ours(given, 1)
    metrics = ours.epoch(given.rows)
    assert sum(len(outputs) for outputs in ours.trainer.reported) == len(given.rows)
    assert (metrics.train_loss, metrics.test_accuracy) == (0.0, None)
    assert dataclasses.is_dataclass(metrics)
    assert ours.timed_epoch(given.rows) > 0
