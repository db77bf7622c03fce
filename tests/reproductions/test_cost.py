from __future__ import annotations

import pytest

from nerva_core.data import Digits
from nerva_core.reproductions import cost
from nerva_core.reproductions.cost import Cost, measured
from nerva_core.reproductions.experiment import Bench, Part


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
    assert Cost("k", 1, 0.5, 100, 5).seconds == 250
