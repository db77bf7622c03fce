from __future__ import annotations

import pytest

from nerva_core.data import Digits
from nerva_core.reproductions import cost
from nerva_core.reproductions.cost import Cost, measured
from nerva_core.reproductions.experiment import Bench, Part
from nerva_core.training.trainer import Trainer


def test_each_kind_is_measured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "LEAST_SECONDS", 0.0)
    kinds = {
        "small": {"model": {"layers": "Linear", "sizes": [64, 10]}},
        "large": {"model": {"layers": "ReLU;Linear", "sizes": [64, 20, 10]}},
    }
    part = Part(kinds, Digits(train=50, test=10), {"training": {"epochs": 3, "batch_size": 20}})
    small, large = measured(Bench(given_seeds=(0, 1)), {"all": part})
    assert (small.kind, small.parameters, small.steps, small.runs) == ("small", 650, 9, 2)
    assert (large.kind, large.parameters) == ("large", 64 * 20 + 20 + 20 * 10 + 10)
    assert 0 < small.step < 10


def test_the_cost_is_that_of_all_steps() -> None:
    assert Cost("k", 1, 0.5, 100, 5, 16).seconds == 250


def test_a_long_step_is_measured_on_few_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    part = Part({"k": {"model": {"layers": "Linear", "sizes": [64, 10]}}}, Digits(train=50, test=10), {"training": {"batch_size": 40}})
    seen: list[int] = []

    def seconds(trainer: Trainer) -> float:
        seen.append(trainer.config.training.batch_size)
        return 0.3 if trainer.config.training.batch_size == 40 else took

    monkeypatch.setattr(cost, "seconds_of_a_step", seconds)
    took = 0.1
    (short,) = measured(Bench(given_seeds=(0,)), {"all": part})
    took = 2.0
    (long,) = measured(Bench(given_seeds=(0,)), {"all": part})
    assert seen == [16, 40, 16]
    assert (short.step, short.examples) == (0.3, 40)
    assert (long.step, long.examples) == (2.0 * 40 / 16, 16)
