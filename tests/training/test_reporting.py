import dataclasses
import io
import signal
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from nerva_core.training.config import make_config
from nerva_core.training.reporting import EpochTable, Reporters, Silent, row
from nerva_core.training.runs import Run
from nerva_core.training.trainer import Metrics

METRICS = Metrics(3, 0.05, 0.125, 0.25, 0.5, 0.75, 1.5)


def test_a_row_has_the_metrics_of_an_epoch() -> None:
    assert row(METRICS).split() == ["3", "0.05", "0.12500", "0.25000", "50.00%", "75.00%", "1.50"]
    regression = dataclasses.replace(METRICS, train_accuracy=None, test_accuracy=None)
    assert row(regression).split()[4:6] == ["-", "-"]
    assert len(row(regression)) == len(row(METRICS))


def test_a_row_is_as_wide_for_any_loss() -> None:
    for loss in (1e-12, 9999.5, 12345.0, 1e36, 1e300):
        large = dataclasses.replace(METRICS, train_loss=loss, test_loss=loss)
        assert len(row(large)) == len(row(METRICS))
        assert float(row(large).split()[2]) == pytest.approx(loss, rel=1e-3, abs=1e-5)


def test_how_to_stop_at_once_is_said_at_a_terminal_alone(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    Silent().signal(signal.SIGINT)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    Reporters(Silent(), Silent()).signal(signal.SIGTERM)
    assert capsys.readouterr().err == "\nSIGTERM: saving the state after the present steps; once more stops at once\n"


def test_the_progress_has_loss_and_rate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = make_config({"data": "Digits(train=64, test=10)", "model": {"layers": "Linear", "sizes": [64, 10]}, "training": {"epochs": 2}})
    run = Run.start(config, tmp_path / "run")
    table = EpochTable()
    table.console = table.progress.live.console = Console(file=io.StringIO(), width=120)
    clock = iter(range(100))
    monkeypatch.setattr("nerva_core.training.reporting.time.perf_counter", lambda: next(clock))
    table.start(run)
    table.step(0, 4, 2.5)
    task: Any = table.progress.tasks[0]
    assert (task.total, task.completed, task.description) == (8, 4, "epoch 1")
    assert task.fields == {"step": "step 4/4", "loss": 2.5, "rate": 64.0}  # four batches of 16 in a second
    table.epoch(METRICS)
    table.step(1, 2, 1.0)
    assert (task.completed, task.description) == (6, "epoch 2")
    table.close()
    assert not table.progress.live.is_started
