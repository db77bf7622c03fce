from __future__ import annotations

from typing import Any

import pytest

from nerva_core.data import Digits
from nerva_core.equations.optimizers import OPTIMIZERS, GlobalNormClipping
from nerva_core.layers import DAB, LSTM, parse_layers
from nerva_core.reproductions import Bench, Verdict, perform
from nerva_core.reproductions.dab_rnn import EXPERIMENT, KINDS, LENGTHS, STEPS, WIDTH, network, parts, rows
from nerva_core.reproductions.runs import Trained
from nerva_core.training.config import make_config
from nerva_core.training.results import Metrics
from nerva_core.training.step import TrainingState


def test_a_short_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STEPS, "quick", 1)  # type: ignore[index]
    report = perform(EXPERIMENT, Bench("quick", "numpy", Digits(), (0,)))
    assert [row.verdict for row in report.findings.rows] == [Verdict.UNKNOWN] * 2
    assert list(report.findings.figures) == ["curves"]
    assert set(report.findings.figures) <= set(report.findings.captions)


def test_the_network_is_an_lstm_and_a_dense_one() -> None:
    for kind in KINDS:
        layers = parse_layers(network(kind, 5, 8)["layers"])
        assert isinstance(layers.layers[1], LSTM)
        assert layers.outputs_for(5) == 25
        assert any(isinstance(layer, DAB) for layer in layers.layers) == (kind == "Signum-RNN")


def test_the_full_budget_has_the_lengths_of_table_1() -> None:
    found = parts(Bench("full"))
    assert list(found) == ["T = 5", "T = 10", "T = 15"]
    assert LENGTHS["full"] == (5, 10, 15)
    optimizer = OPTIMIZERS.parse(found["T = 15"].common["optimizer"])
    assert isinstance(optimizer, GlobalNormClipping)
    assert optimizer.threshold == 5
    assert f"LSTM({WIDTH['full']})" in found["T = 5"].kinds["Signum-RNN, T = 5"]["model"]["layers"]


def test_the_verdicts() -> None:
    config: Any = make_config({})

    def runs(percent: float) -> list[Trained]:
        state = TrainingState((), (), ())
        return [Trained(config, (Metrics(1, 0.1, 1, 1, 1, (percent + 0.01 * k) / 100, 0.0),), state, False) for k in range(5)]

    printed, above = rows({10: {"Signum-RNN": runs(93), "ELU-RNN": runs(94)}})
    assert (printed.verdict, above.verdict) == (Verdict.REPRODUCES, Verdict.DOES_NOT)
    printed, above = rows({10: {"Signum-RNN": runs(92), "ELU-RNN": runs(80)}})
    assert (printed.verdict, above.verdict) == (Verdict.DOES_NOT, Verdict.REPRODUCES)
