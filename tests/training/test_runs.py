import dataclasses
import json
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.trees import leaves
from nerva_core.training.checkpoints import CHECKPOINT, PREVIOUS, Checkpoint
from nerva_core.training.config import Config, load_config, make_config
from nerva_core.training.interruption import Interrupted
from nerva_core.training.models import load_model, read_safetensors
from nerva_core.training.results import Metrics
from nerva_core.training.runs import CONFIG, CONFUSION, CURVES, METRICS, MODEL, RESULT, Run, free_directory
from nerva_core.training.trainer import Trainer


def configure(**changes: Any) -> Config:
    model = {"layers": "ReLU;BatchNormalization;Dropout(0.1);Linear", "sizes": [64, 16, 10]}
    return make_config({"data": "Digits(train=100, test=50)", "model": model, "training": {"epochs": 3}, "optimizer": "Adam", **changes})


class StopHereError(Exception):
    pass


def stop_after(epoch: int) -> Any:
    def stop(metrics: Metrics) -> None:
        if metrics.epoch == epoch:
            raise StopHereError

    return stop


def test_a_run_writes_what_it_promises(tmp_path: Path) -> None:
    run = Run.start(configure(), tmp_path / "run")
    run.train()
    assert {path.name for path in run.directory.iterdir()} == {CONFIG, METRICS, CHECKPOINT, PREVIOUS, MODEL, CURVES, CONFUSION, RESULT}
    result = json.loads((run.directory / RESULT).read_text())
    assert (result["epochs"], result["test_loss"]) == (3, run.history[-1].test_loss)
    lines = [json.loads(line) for line in (run.directory / METRICS).read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2, 3]
    assert lines[0].keys() == {
        "epoch",
        "lr",
        "train_loss",
        "test_loss",
        "train_accuracy",
        "test_accuracy",
        "seconds",
        "largest_gradient",
        "q_lambda",
    }
    assert load_config(run.directory / CONFIG) == configure()
    assert (run.directory / CURVES).read_bytes().startswith(b"\x89PNG")
    model = load_model(run.directory / MODEL)
    np.testing.assert_array_equal(model.params[0].W, run.trainer.to_numpy().params[0].W)
    np.testing.assert_array_equal(model.state[2].mean, run.trainer.to_numpy().statistics[2].mean)


def test_the_written_configuration_repeats_the_run(tmp_path: Path) -> None:
    first = Run.start(configure(), tmp_path / "a")
    first.train()
    second = Run.start(load_config(tmp_path / "a" / CONFIG), tmp_path / "b")
    second.train()
    assert (tmp_path / "a" / MODEL).read_bytes() == (tmp_path / "b" / MODEL).read_bytes()


def test_a_resumed_run_is_bitwise_the_uninterrupted_one(tmp_path: Path) -> None:
    Run.start(configure(), tmp_path / "whole").train()
    with pytest.raises(StopHereError):
        Run.start(configure(), tmp_path / "parts").train(on_epoch=stop_after(2))
    assert not (tmp_path / "parts" / MODEL).exists()
    Run.resume(tmp_path / "parts").train()
    assert (tmp_path / "parts" / MODEL).read_bytes() == (tmp_path / "whole" / MODEL).read_bytes()
    histories = [[json.loads(line) for line in (tmp_path / name / METRICS).read_text().splitlines()] for name in ("parts", "whole")]
    assert [m["test_loss"] for m in histories[0]] == [m["test_loss"] for m in histories[1]]


def test_a_resumed_run_keeps_the_best_epoch_and_stops_where_the_uninterrupted_one_does(tmp_path: Path) -> None:
    """The best epoch is before the interrupt, and what it had learned is in the checkpoint."""
    config = configure(schedule="Constant(0.1)", training={"epochs": 20, "validation": 0.3, "patience": 3})
    whole = Run.start(config, tmp_path / "whole")
    whole.train()
    assert whole.result is not None
    best = whole.result.kept_epoch
    assert best + 3 == whole.result.epochs < 20
    with pytest.raises(StopHereError):
        Run.start(config, tmp_path / "parts").train(on_epoch=stop_after(best + 1))
    resumed = Run.resume(tmp_path / "parts")
    resumed.train()
    assert resumed.result == whole.result
    assert (tmp_path / "parts" / MODEL).read_bytes() == (tmp_path / "whole" / MODEL).read_bytes()
    last = Run.start(configure(schedule="Constant(0.1)", training={"epochs": best, "validation": 0.3}), tmp_path / "last")
    last.train()
    for a, b in zip(
        leaves(load_model(tmp_path / "last" / MODEL).params), leaves(load_model(tmp_path / "whole" / MODEL).params), strict=True
    ):
        np.testing.assert_array_equal(a, b)


def test_a_finished_run_can_be_trained_further(tmp_path: Path) -> None:
    Run.start(configure(), tmp_path).train()
    Run.start(configure(training={"epochs": 5}), tmp_path / "whole").train()
    longer = Run.resume(tmp_path, epochs=5)
    assert longer.trainer.epoch == 3
    longer.train()
    assert load_config(tmp_path / CONFIG).training.epochs == 5
    ours, whole = (read_safetensors(path / MODEL)[0] for path in (tmp_path, tmp_path / "whole"))
    for name, array in whole.items():
        np.testing.assert_array_equal(ours[name], array)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("x")
    with pytest.raises(NervaError, match="is not empty; choose another --output"):
        Run.start(configure(), tmp_path)
    with pytest.raises(NervaError, match="is a file, and --output is a directory"):
        Run.start(configure(), tmp_path / "precious")
    Run.start(configure(), tmp_path / "run")
    with pytest.raises(NervaError, match="it holds a run"):
        Run.start(configure(), tmp_path / "run")
    assert (tmp_path / "precious").read_text() == "x"


def test_nothing_is_written_for_a_configuration_that_does_not_fit(tmp_path: Path) -> None:
    with pytest.raises(NervaError):
        Run.start(configure(model={"layers": "Linear", "sizes": [64, 9]}), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_an_unwritable_place(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NervaError, match="cannot make the directory"):
        Run.start(configure(), tmp_path / "file" / "run")


def test_resuming_needs_a_sound_run(tmp_path: Path) -> None:
    with pytest.raises(NervaError, match="holds no run: there is no"):
        Run.resume(tmp_path)
    with pytest.raises(StopHereError):
        Run.start(configure(), tmp_path / "run").train(on_epoch=stop_after(1))
    path = tmp_path / "run" / CHECKPOINT
    content = path.read_bytes()
    path.write_bytes(content[:-7])
    with pytest.raises(NervaError, match=r"cannot read .*damaged"):
        Run.resume(tmp_path / "run")
    path.write_bytes(content.replace(rb"\"epoch\": \"1\"", rb"\"epoch\": \"x\""))
    with pytest.raises(NervaError, match="is damaged"):
        Run.resume(tmp_path / "run")


def test_a_run_that_was_stopped_before_its_first_epoch_starts_anew(tmp_path: Path) -> None:
    Run.start(configure(), tmp_path / "run")
    run = Run.resume(tmp_path / "run")
    assert run.trainer.epoch == 0


def test_free_directories(tmp_path: Path) -> None:
    assert free_directory(tmp_path, configure()) == tmp_path / "digits-numpy-1"
    (tmp_path / "digits-numpy-9").mkdir()
    (tmp_path / "digits-numpy-old").mkdir()
    assert free_directory(tmp_path, configure()) == tmp_path / "digits-numpy-10"


@pytest.mark.usefixtures("foreground")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_within_an_epoch_and_the_resumed_run_is_bitwise_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr("nerva_core.training.batches.STEPS_AT_ONCE", 2)  # 4 calls an epoch
    Run.start(configure(), tmp_path / "whole").train()
    told: list[int] = []

    def send(epoch: int, steps: int, loss: float) -> None:
        if (epoch, steps) == (1, 4):
            os.kill(os.getpid(), number)

    with pytest.raises(Interrupted) as stop:
        Run.start(configure(), tmp_path / "parts").train(on_step=send, on_signal=told.append)
    assert (stop.value.number, told) == (number, [number])
    run = Run.resume(tmp_path / "parts")
    assert (run.trainer.epoch, len(run.trainer.outputs), len(run.history)) == (1, 4, 1)
    steps: list[tuple[int, int]] = []
    run.train(on_step=lambda epoch, step, loss: steps.append((epoch, step)))
    assert steps == [(1, 6), (1, 7), (2, 2), (2, 4), (2, 6), (2, 7)]
    assert (tmp_path / "parts" / MODEL).read_bytes() == (tmp_path / "whole" / MODEL).read_bytes()
    a, b = ([json.loads(line) for line in (tmp_path / name / METRICS).read_text().splitlines()] for name in ("parts", "whole"))
    assert [m | {"seconds": 0} for m in a] == [m | {"seconds": 0} for m in b]


def test_a_signal_that_comes_while_workers_ask_each_other_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int | None] = []

    def agreed(run: Run, number: int | None) -> int | None:
        asked.append(number)
        if len(asked) == 1:
            os.kill(os.getpid(), signal.SIGINT)
        return number

    monkeypatch.setattr(Run, "_agreed", agreed)
    with pytest.raises(Interrupted):
        Run.start(configure(), tmp_path / "run").train()
    assert asked == [None, signal.SIGINT]


def test_a_state_within_an_epoch_continues_also_where_the_calls_are_cut_differently(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Run.start(configure(), tmp_path / "whole")
    whole.train()
    monkeypatch.setattr("nerva_core.training.batches.STEPS_AT_ONCE", 2)
    trainer = Trainer(configure())

    def stop(epoch: int, steps: int, loss: float) -> None:
        if (epoch, steps) == (0, 4):
            raise StopHereError

    with pytest.raises(StopHereError):
        list(trainer.run(stop))
    monkeypatch.undo()
    rest = Trainer(configure())
    rest.restore(trainer.epoch, trainer.to_numpy(), trainer.outputs)
    assert [dataclasses.replace(m, seconds=0) for m in rest.run()] == [dataclasses.replace(m, seconds=0) for m in whole.history]


def test_checkpoints_every_so_many_epochs_and_at_the_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved: list[int] = []
    monkeypatch.setattr(Checkpoint, "save", lambda self, directory: saved.append(self.epoch))
    Run.start(configure(training={"epochs": 5, "checkpoint_every": 2}), tmp_path / "a").train()
    assert saved == [2, 4, 5]
    saved.clear()
    Run.start(configure(training={"epochs": 1, "checkpoint_every_minutes": 1e-9}), tmp_path / "b").train()
    assert saved == [0, 0, 1]  # after each of two calls, and the epoch


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    run = Run.start(configure(training={"epochs": 1}), tmp_path / "run")
    (run.directory / f".{CHECKPOINT}.abc.partial").write_text("half")
    run.train()
    assert not list(run.directory.glob(".*"))


def test_runs_that_start_at_once_get_directories_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs/taken").mkdir(parents=True)
    free = iter([Path("runs/taken"), Path("runs/mine")])  # another process took the first, after it was found to be free
    monkeypatch.setattr("nerva_core.training.runs.free_directory", lambda parent, config: next(free))
    assert Run.start(configure()).directory == Path("runs/mine")
    assert not list((tmp_path / "runs/taken").iterdir())
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path / "runs/mine")
    Path("runs").write_text("a file")
    with pytest.raises(NervaError, match="cannot make the directory runs"):
        Run.start(configure())


def test_the_confusions_of_the_test_set_are_counted(tmp_path: Path) -> None:
    run = Run.start(configure(), tmp_path / "run")
    run.train()
    assert run.confusion is not None
    np.testing.assert_array_equal(run.confusion.sum(axis=1), np.bincount(run.trainer.data.Ttest, minlength=10))
    assert run.confusion.trace() / run.confusion.sum() == run.history[-1].test_accuracy


def test_epochs_that_are_done_cannot_be_taken_back(tmp_path: Path) -> None:
    """The configuration would say fewer epochs than the model has had, and no longer repeat the run."""
    Run.start(configure(), tmp_path).train()
    before = (tmp_path / CONFIG).read_bytes()
    with pytest.raises(NervaError, match=r"has 3 whole epochs, which cannot be taken back.* at least 3, got 1"):
        Run.resume(tmp_path, epochs=1)
    assert (tmp_path / CONFIG).read_bytes() == before
    Run.resume(tmp_path, epochs=3)


def test_a_run_that_goes_on_with_other_data_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    lines = ["a,b,label", *(f"{k},{-k},{k % 2}" for k in range(40))]
    path.write_text("\n".join(lines))
    config = make_config({"data": {"name": "CSV", "path": str(path)}, "model": {"layers": "Linear"}, "training": {"epochs": 1}})
    Run.start(config, tmp_path / "run").train()
    assert Run.resume(tmp_path / "run", 2).warning == ""
    path.write_text("\n".join(lines[:-2]))
    assert "the data are not those with which the run has been trained so far" in Run.resume(tmp_path / "run", 2).warning


def test_a_notebook_shows_the_curves_of_a_run(tmp_path: Path) -> None:
    run = Run.start(configure(training={"epochs": 1}), tmp_path / "<run>")
    assert "img" not in run._repr_html_()
    run.train()
    html = run._repr_html_()
    assert 'src="data:image/png;base64,' in html
    assert "results in" in html
    assert "<run>" not in html
    assert "test accuracy" in html
