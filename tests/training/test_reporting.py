import dataclasses
import io
import json
import signal
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from nerva_core.training.config import make_config
from nerva_core.training.reporting import (
    EpochTable,
    Heartbeat,
    JSONLines,
    Reporters,
    Silent,
    duration,
    header,
    outcome,
    row,
    time_left,
)
from nerva_core.training.results import Metrics, TrainingResult
from nerva_core.training.runs import Run

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


def test_an_epoch_shows_the_validation_set_if_there_is_one() -> None:
    chosen_by = dataclasses.replace(METRICS, test_loss=None, test_accuracy=None, validation_loss=0.375, validation_accuracy=0.25)
    assert row(chosen_by).split()[3:6] == ["0.37500", "50.00%", "25.00%"]
    assert "valid loss" in header(False, False, "validation")
    neither = dataclasses.replace(METRICS, test_loss=None, test_accuracy=None)
    assert row(neither).split()[3:6] == ["-", "50.00%", "-"]
    assert len(row(neither)) == len(row(chosen_by)) == len(row(METRICS))


@pytest.mark.parametrize(
    ("result", "outcome_", "duration_"),
    [
        (TrainingResult(1, 1, False, 0.5, 0.875), "test accuracy 87.50 %", "1 epoch"),
        (TrainingResult(9, 4, True, 0.5, None), "test loss 0.5", "9 epochs, stopped early, with the parameters of epoch 4"),
        (TrainingResult(9, 9, False, None, None), "no test set", "9 epochs"),
    ],
)
def test_the_outcome_in_words(result: TrainingResult, outcome_: str, duration_: str) -> None:
    assert (outcome(result), duration(result)) == (outcome_, duration_)


def test_the_top_k_accuracy_has_a_column_and_a_place_in_the_outcome() -> None:
    metrics = dataclasses.replace(METRICS, top_accuracy=0.625)
    assert header(False, False, top_k=5).split("  ")[-1].strip() == "top-5 acc"
    assert row(metrics).split()[-1] == "62.50%"
    assert len(row(metrics)) == len(header(False, False, top_k=5))
    assert outcome(TrainingResult(1, 1, False, 0.5, 0.25, 0.875), 5) == "test accuracy 25.00 % (top-5 87.50 %)"


def test_a_long_epoch_says_now_and_then_that_it_goes_on(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    monkeypatch.setattr("nerva_core.training.reporting.time.monotonic", lambda: now[0])
    heartbeat = Heartbeat(100, 400)
    for now[0], done in ((10.0, 120), (31.0, 160), (50.0, 200), (62.0, 224)):
        heartbeat.step("epoch 1", done)
    assert capsys.readouterr().err.splitlines() == ["epoch 1, 2:04 left", "epoch 1, 1:28 left"]
    assert time_left(3 * 3600 + 65) == "3:01:05"


def test_json_says_how_a_run_ended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = make_config({"data": "Digits(train=64, test=10)", "training": {"epochs": 1, "validation": 0.25}})
    run, lines = Run.start(config, tmp_path / "run"), JSONLines()
    lines.start(run)
    lines.close()
    lines.close()
    start, end = map(json.loads, capsys.readouterr().out.splitlines())
    assert start["examples"] == {"training": 48, "validation": 16, "test": 10}
    assert (start["event"], end["event"], end["status"]) == ("start", "end", "stopped")
    run.train()
    lines.start(run)
    lines.finish(run)
    lines.close()
    _, end = map(json.loads, capsys.readouterr().out.splitlines())
    assert (end["status"], end["epochs"], end["kept_epoch"]) == ("complete", 1, 1)
    assert end["test_accuracy"] == run.trainer.evaluate()[1]


def test_the_first_line_names_the_categories_of_a_table(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,size,y\n" + "\n".join(f"{k},{'SML'[k % 3]},{'ab'[k % 2]}" for k in range(60)))
    config = make_config({"data": {"name": "TableFile", "path": str(tmp_path / "a.csv")}, "model": {"layers": "Linear"}})
    table = EpochTable()
    written = io.StringIO()
    table.console = table.progress.live.console = Console(file=written, width=120)
    table.start(Run.start(config, tmp_path / "run"))
    table.close()
    assert "4 features (size: 3 categories), 2 classes\n" in written.getvalue()
