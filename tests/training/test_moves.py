"""When weights move, and that a group of steps is cut where they do."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from nerva_core.training.batches import StepInput
from nerva_core.training.config import make_config
from nerva_core.training.moves import Moves
from nerva_core.training.trainer import Trainer


def train(prune: str | None, grow: str, interval: int | None) -> Trainer:
    model = {"layers": "ReLU;ReLU;Linear", "sizes": [64, 20, 12, 10], "overall_density": 0.2}
    training = {"epochs": 3, "prune": prune, "grow": grow, "prune_interval": interval}
    base = {"data": "Digits(train=200, test=20)", "optimizer": "Adam", "schedule": "Constant(0.003)"}
    return Trainer(make_config({**base, "model": model, "training": training}))


@pytest.mark.parametrize(
    ("prune", "grow", "interval"), [("SET(0.3)", "Random", 7), ("Magnitude(0.3, n=2)", "RigL", None), (None, "Random", None)]
)
def test_weights_move_when_they_should(monkeypatch: Any, prune: str | None, grow: str, interval: int | None) -> None:
    trainer = train(prune, grow, interval)
    start = trainer.to_numpy().statistics[0]
    moved = []
    original = Moves.state

    def recorded(self: Moves, state: Any, epoch: int, step: int, *given: Any) -> Any:
        moved.append((epoch, step))
        return original(self, state, epoch, step, *given)

    monkeypatch.setattr(Moves, "state", recorded)
    list(trainer.run())
    per_epoch = trainer.steps_per_epoch
    each = interval or per_epoch
    assert moved == ([] if prune is None else [(step // per_epoch, step) for step in range(each, 3 * per_epoch, each)])
    assert np.array_equal(trainer.to_numpy().statistics[0].c, start.c) == (prune is None)


def steps(count: int) -> StepInput:
    return StepInput(np.zeros(count), np.arange(count)[:, None], (), (np.arange(count),))


@pytest.mark.parametrize(
    ("prune", "first", "count", "cuts"),
    [(None, 0, 9, [(0, 9)]), ("SET(0.3)", 0, 9, [(0, 4), (4, 4), (8, 1)]), ("SET(0.3)", 6, 7, [(6, 2), (8, 4), (12, 1)])],
)
def test_a_group_is_cut_before_each_move(prune: str | None, first: int, count: int, cuts: list[tuple[int, int]]) -> None:
    training = SimpleNamespace(prune=prune, prune_interval=4)
    moves = Moves(None, SimpleNamespace(training=training), None, None, 10)
    parts = list(moves.parts(steps(count), first))
    assert [(step, len(part.rows)) for step, part in parts] == cuts
    assert np.concatenate([part.rows for _, part in parts])[:, 0].tolist() == list(range(count))
    assert [step for step, _ in parts[1:] if not moves.is_due(step)] == []
    assert not moves.is_due(0)


def test_without_an_interval_weights_move_at_the_end_of_an_epoch() -> None:
    moves = Moves(None, SimpleNamespace(training=SimpleNamespace(prune="SET(0.3)", prune_interval=None)), None, None, 10)
    assert [step for step in range(35) if moves.is_due(step)] == [10, 20, 30]
