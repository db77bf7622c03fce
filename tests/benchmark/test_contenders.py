"""Ours and every opponent train the same: their losses from the same weights agree. One that computes something else is refused."""

from __future__ import annotations

import dataclasses

from nerva_core.algebra.numeric_backend import backend_classes
from nerva_core.benchmark.contenders import Ours
from nerva_core.benchmark.measure import disagreement
from nerva_core.benchmark.opponents import OPPONENTS, ScikitLearn
from tests.benchmark.networks import losses, problem


def test_an_opponent_that_computes_something_else_is_refused() -> None:
    """The same network with another learning rate: the second loss differs."""
    given = problem('["Linear(8)", "ReLU", "Linear(3)"]')
    other = problem('["Linear(8)", "ReLU", "Linear(3)"]', extra='optimizer = "Momentum(mu=0.8)"')
    assert "it computes something else" in str(disagreement(losses(Ours, given), losses(ScikitLearn, other), "float32"))


def test_the_trainer_is_the_ordinary_one() -> None:
    """An epoch of ours has the losses of every step; nothing is evaluated."""
    given = problem()
    ours = Ours(given, 1)
    metrics = ours.epoch(given.rows)
    assert sum(len(outputs) for outputs in ours.trainer.reported) == len(given.rows)
    assert (metrics.train_loss, metrics.test_accuracy) == (0.0, None)
    assert dataclasses.is_dataclass(metrics)
    assert ours.timed_epoch(given.rows) > 0


def test_every_backend_has_opponents_with_names_of_their_own() -> None:
    pairs = [(opponent.backend, opponent.name) for opponent in OPPONENTS]
    assert len(set(pairs)) == len(pairs)
    assert {backend for backend, _ in pairs} == {"numpy", "jax", "torch", "tensorflow"} <= set(backend_classes())
