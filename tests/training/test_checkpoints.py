"""The last good state is never lost: damaged files, full disks, changed configurations, two processes, kills."""

import dataclasses
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.trees import leaves
from nerva_core.training.checkpoints import CHECKPOINT, OUTPUTS, PREVIOUS, Checkpoint, load_checkpoint, locked
from nerva_core.training.config import Config, make_config
from nerva_core.training.models import pack, read_safetensors
from nerva_core.training.runs import MODEL, Run
from nerva_core.training.trainer import Trainer
from tests.long.kill import torment


def configure(**changes: Any) -> Config:
    model = {"layers": "ReLU;BatchNormalization;Linear", "sizes": [64, 8, 10]}
    return make_config({"data": "Digits(train=60, test=20)", "model": model, "optimizer": "Adam", "training": {"epochs": 3}, **changes})


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a run of three epochs."""
    directory = tmp_path_factory.mktemp("trained") / "run"
    Run.start(configure(), directory).train()
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@pytest.fixture
def run(trained: dict[str, bytes], tmp_path: Path) -> Path:
    """A run whose last two checkpoints are those of epochs 2 and 3."""
    for name, content in trained.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def load(directory: Path, config: Config | None = None) -> tuple[Checkpoint | None, str]:
    config = config or configure()
    return load_checkpoint(directory, config, Trainer(config).to_numpy())


def test_a_checkpoint_reads_back_and_the_one_before_is_there(tmp_path: Path) -> None:
    trainer = Trainer(configure())
    history = list(trainer.run())
    outputs = np.array([[0.5, 1.0]])
    first = Checkpoint(configure(), 3, outputs, history, trainer.to_numpy())
    first.save(tmp_path)
    dataclasses.replace(first, epoch=2, history=history[:2], outputs=np.zeros((0, 0))).save(tmp_path)
    second, warning = load(tmp_path)
    assert second is not None
    assert (second.epoch, second.history, len(second.outputs), warning) == (2, history[:2], 0, "")
    (tmp_path / CHECKPOINT).unlink()  # as if killed between the two renames
    again, warning = load(tmp_path)
    assert again is not None
    assert (again.epoch, warning) == (3, "")
    np.testing.assert_array_equal(again.outputs, outputs)
    for a, b in zip(leaves(again.state), leaves(first.state), strict=True):
        np.testing.assert_array_equal(a, b)


def test_no_checkpoint_yet(tmp_path: Path) -> None:
    assert load(tmp_path) == (None, "")


def cut(content: bytes) -> bytes:
    return content[:-7]


def flip(content: bytes) -> bytes:
    return content[:-100] + bytes([content[-100] ^ 16]) + content[-99:]


def empty(content: bytes) -> bytes:
    return b""


@pytest.mark.parametrize("damage", [cut, flip, empty])
def test_the_one_before_is_used_if_the_last_is_damaged(run: Path, trained: dict[str, bytes], damage: Callable[[bytes], bytes]) -> None:
    (run / CHECKPOINT).write_bytes(damage((run / CHECKPOINT).read_bytes()))
    resumed = Run.resume(run)
    assert resumed.trainer.epoch == 2
    assert "damaged" in resumed.warning
    assert resumed.warning.endswith("continuing from checkpoint.previous.safetensors, after epoch 2")
    before = (run / PREVIOUS).read_bytes()
    resumed.train()
    assert (run / MODEL).read_bytes() == trained[MODEL]
    assert (run / PREVIOUS).read_bytes() == before  # and the damaged one did not take its place
    for name in (CHECKPOINT, PREVIOUS):
        (run / name).write_bytes(damage((run / name).read_bytes()))
    with pytest.raises(NervaError, match=r"cannot read .*checkpoint\.safetensors.*\n.*cannot read .*checkpoint\.previous"):
        Run.resume(run)


@pytest.mark.parametrize("change", [{"epoch": "x"}, {"epoch": "2"}, {"history": "[]"}, {"history": '{"loss": 1}'}, {"config": "seed = -1"}])
def test_a_checkpoint_that_is_whole_but_says_nonsense(run: Path, change: dict[str, str]) -> None:
    arrays, metadata = read_safetensors(run / CHECKPOINT)
    trees = {name: _tree(arrays, name) for name in ("params", "optimizer", "statistics")}
    (run / PREVIOUS).unlink()
    (run / CHECKPOINT).write_bytes(pack({**trees, "outputs": arrays[OUTPUTS]}, {**metadata, **change}))
    with pytest.raises(NervaError, match=r"is damaged"):
        load(run)


def _tree(arrays: dict[str, Any], name: str) -> Any:
    """The arrays of a tree as a NamedTuple-like flat tree with the same names: enough to be packed again."""
    from collections import namedtuple

    items = {key.split("/", 1)[1]: value for key, value in arrays.items() if key.startswith(f"{name}/")}
    kind = namedtuple("Flat", [f"f{i}" for i in range(len(items))])
    kind._fields = tuple(items)
    return kind(*items.values())


def test_a_checkpoint_of_another_configuration_is_refused(run: Path) -> None:
    with pytest.raises(NervaError, match=r"is of a run with another optimizer: .*Adam.*, not .*Momentum"):
        load(run, configure(optimizer="Momentum"))
    with pytest.raises(NervaError, match=r"is of a run with another training.batch_size: 16, not 5"):
        load(run, configure(training={"epochs": 3, "batch_size": 5}))
    further = load(run, configure(training={"epochs": 9, "checkpoint_every": 4}))[0]
    assert further is not None
    assert further.epoch == 3


def test_a_second_process_waits_outside(run: Path) -> None:
    second = Run.resume(run, epochs=4)
    with locked(run), pytest.raises(NervaError, match="another process is training in"):
        second.train()
    second.train()
    with pytest.raises(NervaError, match="cannot read the directory"), locked(run / "nothing"):
        pass


FULL = """
import resource, sys
from pathlib import Path
from nerva_core import cli
from nerva_core.training import runs
limit = {limit}
def small_disk(self, *args):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))  # a write beyond it fails as on a full disk
    return remember(self, *args)
remember, runs.Run._train = runs.Run._train, small_disk
sys.argv = ["nerva", *{arguments!r}]
cli.main()
"""


@pytest.mark.skipif(os.name != "posix", reason="limits of file sizes are POSIX")
def test_a_full_disk_is_one_message_and_the_last_state_is_kept(run: Path, trained: dict[str, bytes]) -> None:
    size = len(trained[CHECKPOINT])
    arguments = ["train", "--resume", "--output", str(run), "--epochs", "5", "--quiet"]
    program = FULL.format(limit=size // 2, arguments=arguments)
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert result.stdout == ""
    kept = f"continue with: nerva train --resume --output {run}"
    assert result.stderr == f"error: cannot write {run / CHECKPOINT}: File too large; {kept}\n"
    assert (run / CHECKPOINT).read_bytes() == trained[CHECKPOINT]
    assert not list(run.glob(".*"))
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    Run.resume(run, epochs=3).train()
    assert (run / MODEL).read_bytes() == trained[MODEL]


def test_a_directory_that_is_not_writable(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(NervaError, match=r"cannot resume in .*: it is not writable"):
        Run.resume(run)


def test_a_run_that_is_killed_three_times_ends_as_one_that_was_left_alone(tmp_path: Path) -> None:
    report = torment(tmp_path, "numpy", kills=3)
    assert report.kills == 3
    assert report.identical == report.runs >= 1
