from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.training.config import make_config
from nerva_core.training.rate_finder import Ramp, find_rate, smooth
from nerva_core.training.trainer import Trainer


def trainer(**changes: Any) -> Trainer:
    return Trainer(make_config({"data": "Digits(train=300, test=50)", "optimizer": "GradientDescent", **changes}))


def test_the_rates_rise_by_the_same_factor() -> None:
    ramp = Ramp(1e-4, 1.0, 5)
    np.testing.assert_allclose([ramp(i) for i in range(5)], [1e-4, 1e-3, 1e-2, 1e-1, 1], rtol=1e-12)


def test_the_smoothed_losses_end_where_they_diverge() -> None:
    assert smooth([2.0, 2.0, 2.0]) == pytest.approx([2, 2, 2])
    assert smooth([2.0, 1.0]) == pytest.approx([2, (0.1 * 1 + 0.09 * 2) / 0.19])
    assert len(smooth([1.0, 1.0, float("nan"), 1.0])) == 2
    assert len(smooth([1.0, 1.0, 1000.0, 1.0])) == 2


def test_a_step_is_taken_with_each_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a linear least-squares problem the suggested rate trains, and a hundred times as much diverges."""
    found = find_rate(trainer(), steps=100)
    assert len(found.rates) == len(found.losses) <= 100
    assert found.suggested == pytest.approx(found.rates[found.losses.argmin()] / 10)
    history = list(trainer(schedule=f"Constant({found.suggested})", training={"epochs": 2}).run())
    assert history[1].train_loss < history[0].train_loss < 2.4
    seen: list[float] = []
    other = trainer()
    monkeypatch.setattr(other, "advance", lambda group: seen.extend(group.lr) or np.ones((len(group.rows), 1)))
    with pytest.raises(NervaError, match=r"does not become smaller at any rate from 0\.001 to 1"):
        find_rate(other, 1e-3, 1.0, 50)
    np.testing.assert_allclose(seen, np.geomspace(1e-3, 1.0, 50))


@pytest.mark.parametrize(
    ("low", "high", "steps"), [(0, 1, 100), (1, 1, 100), (1e-3, 1, 9), (1e-3, float("inf"), 100), (float("nan"), 1, 100)]
)
def test_a_search_needs_a_range(low: float, high: float, steps: int) -> None:
    with pytest.raises(NervaError, match="a search needs"):
        find_rate(trainer(), low, high, steps)
