"""A run that was interrupted ends as if it had not been; one that is finished is read."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.trees import leaves
from nerva_core.reproductions import runs
from nerva_core.reproductions.runs import BEGUN, FINISHED, Trained, complete, curves, finished, folder_of, values
from nerva_core.training.config import make_config
from nerva_core.training.trainer import Trainer

SETTINGS: dict[str, Any] = {
    "data": "Digits(train=60, test=30)",
    "model": {"layers": "q-elu(lambda=1);BatchNormalization;Linear", "sizes": [64, 8, 10]},
    "optimizer": "Adam",
    "training": {"epochs": 4, "batch_size": 20},
}


def trainer(**changed: Any) -> Trainer:
    return Trainer(make_config({**SETTINGS, **changed}))


def without_time(run: Trained) -> list[Any]:
    return [dataclasses.replace(m, seconds=0.0) for m in run.history]


@pytest.mark.parametrize("stop", [0.1, 0.5, 0.9])
def test_a_run_that_was_killed_ends_as_if_it_had_not_been(stop: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "SAVED_EVERY", 0.0)
    whole = complete(trainer())

    def killed(fraction: float) -> None:
        if fraction > stop:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        complete(trainer(), tmp_path / "run", killed)
    assert (tmp_path / "run" / BEGUN).exists()
    told: list[float] = []
    again = complete(trainer(), tmp_path / "run", told.append)
    assert told[0] > stop - 0.3  # not from the beginning
    assert told[-1] == 1
    assert without_time(again) == without_time(whole)
    np.testing.assert_equal(list(leaves(again.state)), list(leaves(whole.state)))
    assert not (tmp_path / "run" / BEGUN).exists()
    read = finished(trainer(), tmp_path / "run")
    assert read is not None
    assert read.history == again.history


def test_the_processor_time_is_that_of_all_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "SAVED_EVERY", 0.0)
    clock = iter(range(1000))
    monkeypatch.setattr(runs.time, "process_time", lambda: float(next(clock)))

    def killed(fraction: float) -> None:
        if fraction > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        complete(trainer(), tmp_path, killed)
    before = float((tmp_path / runs.PROCESSOR).read_text())
    assert before > 1
    assert complete(trainer(), tmp_path).processor > before
    read = finished(trainer(), tmp_path)
    assert read is not None
    assert read.processor > before


def test_a_run_that_diverges_is_kept_as_one(tmp_path: Path) -> None:
    wild = complete(trainer(schedule="Constant(1e30)"), tmp_path)
    assert wild.diverged
    assert math.isnan(values([wild], lambda m: m.train_loss)[0])
    read = finished(trainer(schedule="Constant(1e30)"), tmp_path)
    assert read is not None
    assert read.diverged
    assert read.last is None
    assert curves([read], lambda m: m.train_loss) == curves([wild], lambda m: m.train_loss)


def test_a_run_that_was_stopped_early_has_not_diverged(tmp_path: Path) -> None:
    """With steps that are much too large an epoch is soon worse than the one before."""
    training = {"epochs": 9, "batch_size": 20, "validation": 0.2, "patience": 1}
    stopped = complete(trainer(schedule="Constant(1e3)", training=training), tmp_path)
    assert len(stopped.history) < 9
    read = finished(trainer(schedule="Constant(1e3)", training=training), tmp_path)
    assert read is not None
    assert (stopped.diverged, read.diverged) == (False, False)
    assert read.last is not None


def test_the_folder_of_a_run_is_named_by_all_that_determines_it(tmp_path: Path) -> None:
    folders = [folder_of(tmp_path, trainer(**changed)) for changed in ({}, {}, {"seed": 1}, {"data": "Digits(train=60, test=29)"})]
    assert folders[0] == folders[1]
    assert len(set(folders)) == 3
    assert folder_of(None, trainer()) is None


def test_a_damaged_file_is_said(tmp_path: Path) -> None:
    complete(trainer(), tmp_path)
    for path in (tmp_path / FINISHED).iterdir():
        path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(NervaError, match="damaged"):
        complete(trainer(), tmp_path)
