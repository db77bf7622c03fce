"""``nerva train``: what is printed for people and for scripts, signals from outside, TensorBoard, completion, colours."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nerva_core.commands.completion import backend_names, dtype_names
from nerva_core.training.checkpoints import CHECKPOINT
from nerva_core.training.runs import CONFIG, METRICS, MODEL
from tests.conftest import Nerva

ROOT = Path(__file__).parents[2]
QUICK = ("train", "--data", "Digits(train=60, test=20)", "--layers", "ReLU;Linear", "--sizes", "64;8;10", "--epochs", "2")


def test_json_is_an_object_an_epoch_with_one_at_the_start_and_the_end(nerva: Nerva, tmp_path: Path) -> None:
    status, out, err = nerva(*QUICK, "--json", "--output", "out")
    assert (status, err) == (0, "")
    assert [json.loads(line).get("epoch") for line in out.splitlines()] == [None, 1, 2, None]
    assert [json.loads(line).get("event") for line in out.splitlines()] == ["start", None, None, "end"]
    assert "".join(out.splitlines(keepends=True)[1:-1]) == (tmp_path / "out" / METRICS).read_text()


def test_plots_as_text(nerva: Nerva) -> None:
    status, out, _ = nerva(*QUICK, "--plot")
    assert status == 0
    assert "• training loss,  × test loss" in out
    assert re.search(r"class  predicted\n( +\d){10}\n", out)
    status, _, err = nerva(*QUICK, "--plot", "--json")
    assert status == 2
    assert "give one of them" in err


def test_the_directory_of_a_run_is_no_configuration(nerva: Nerva) -> None:
    assert nerva(*QUICK, "--quiet", "--output", "out")[0] == 0
    status, _, err = nerva("train", "out")
    assert status == 2
    assert "continue it with: nerva train --resume --output out, or repeat it with: nerva train out/config.toml" in err


def test_a_damaged_checkpoint_is_a_warning(nerva: Nerva, tmp_path: Path) -> None:
    assert nerva(*QUICK, "--quiet", "--output", "out")[0] == 0
    expected = (tmp_path / "out" / MODEL).read_bytes()
    (tmp_path / "out" / CHECKPOINT).write_bytes(b"no")
    status, out, err = nerva("train", "--resume", "--output", "out", "--quiet")
    assert (status, out) == (0, "")
    assert re.fullmatch(r"warning: cannot read .* damaged .*; continuing from checkpoint\.previous\.safetensors, after epoch 1\n", err)
    assert (tmp_path / "out" / MODEL).read_bytes() == expected


def test_tensorboard_reads_the_events(nerva: Nerva, tmp_path: Path) -> None:
    reader = pytest.importorskip("tensorboard.compat.tensorflow_stub.pywrap_tensorflow")
    from tensorboard.compat.proto.event_pb2 import Event

    assert nerva(*QUICK, "--quiet", "--tensorboard", "--output", "out") == (0, "", "")
    (path,) = (tmp_path / "out/tensorboard").iterdir()
    records = reader.PyRecordReader_New(str(path))
    events = []
    for _ in range(3):
        records.GetNext()  # it checks the checksums
        events.append(Event.FromString(records.record()))
    assert events[0].file_version == "brain.Event:2"
    metrics = [json.loads(line) for line in (tmp_path / "out" / METRICS).read_text().splitlines()]
    for event, expected in zip(events[1:], metrics, strict=True):
        values = {value.tag: value.simple_value for value in event.summary.value}
        assert event.step == expected["epoch"]
        assert values["loss/test"] == pytest.approx(expected["test_loss"])
        assert values["accuracy/train"] == pytest.approx(expected["train_accuracy"])


def test_without_tensorboard_it_says_how_to_install_it(nerva: Nerva, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "tensorboard"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    status, _, err = nerva(*QUICK, "--tensorboard", "--output", "out")
    assert status == 2
    assert "pip install 'nerva[tensorboard]'" in err
    assert not (tmp_path / "out").exists()


def start(*arguments: object, **options: object) -> subprocess.Popen[str]:
    """``nerva`` in a process of its own, which Ctrl-C reaches also where the tests run in the background of a shell."""
    command = [sys.executable, "-m", "nerva_core.cli", *map(str, arguments)]
    ours = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        return subprocess.Popen(command, cwd=ROOT, text=True, stderr=subprocess.PIPE, **options)
    finally:
        signal.signal(signal.SIGINT, ours)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_from_outside(tmp_path: Path, number: int) -> None:
    out = tmp_path / "my run"
    process = start(*QUICK[:-1], 10**6, "--quiet", "--output", out)
    try:
        while not (out / CHECKPOINT).exists() and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 128 + number
    how = f"continue with: nerva train --resume --output '{out}'"
    assert re.fullmatch(rf"interrupted after \d+ of 1000000 epochs(?: and \d+ of 4 steps)?, and saved; {how}\n", err), err


def test_on_a_terminal_there_is_progress_in_colours_unless_they_are_not_wanted(tmp_path: Path) -> None:
    def output(**environment: str) -> str:
        ours, theirs = pty.openpty()
        variables = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR")}
        process = start(
            *QUICK, "--output", tmp_path / str(len(environment)), stdout=theirs, env={**variables, "TERM": "xterm-256color", **environment}
        )
        os.close(theirs)
        result = b""
        while select.select([ours], [], [], 60)[0]:
            try:
                result += os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
        os.close(ours)
        assert process.communicate()[1] == ""
        assert process.returncode == 0
        return result.decode()

    coloured, plain = output(), output(NO_COLOR="1")
    assert re.search(r"epoch \d.*loss \d\.\d{4}.*examples/s", coloured)
    assert re.search("\x1b\\[[0-9;]*3[0-9]", coloured)
    assert not re.search("\x1b\\[[0-9;]*3[0-9]", plain)
    assert "test accuracy" in plain


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("nerva tra", {"trace", "train"}),
        ("nerva train --check", {"--checkpoint-every"}),
        ("nerva train --optimizer A", {"AMSGrad", "AdaGrad", "Adadelta", "Adafactor", "Adam", "AdamW"}),
        ("nerva train --backend t", {"tensorflow", "torch"}),
    ],
)
def test_completion_in_bash(line: str, expected: set[str]) -> None:
    words = line.split(" ")
    environment = {**os.environ, "_NERVA_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    program = "import sys; sys.argv = ['nerva']; from nerva_core.cli import main; main()"
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert set(result.stdout.split()) == expected


def test_names_are_completed_from_their_tables() -> None:
    assert backend_names("j") == ["jax"]
    assert dtype_names("float3") == ["float32"]


def test_a_table_by_its_path_alone(nerva: Nerva, tmp_path: Path) -> None:
    """Trained, predicted and exported: the columns go with the model."""
    rows = [f"{'' if k % 7 == 0 else k},{('red', 'blue', 'green')[k % 3]},{k},{('cat', 'dog')[k % 3 == 0]}" for k in range(60)]
    (tmp_path / "pets.csv").write_text("\n".join(["age,colour,price,species", *rows]))
    columns = ("--columns", "age, colour", "--target", "species")
    status, _, err = nerva("train", "--data", "pets.csv", *columns, "--epochs", "20", "--quiet", "--output", "run")
    assert (status, err) == (0, "")
    (tmp_path / "new.csv").write_text("colour,age\nred,3\nblue,\npink,9\n")
    status, out, err = nerva("predict", "run", "new.csv")
    assert [line.partition(",")[0] for line in out.splitlines()[:3]] == ["class", "dog", "cat"]
    assert err == "new.csv: 'colour' has texts that the training had not, taken as none of its categories: pink\n"
    assert nerva("export", "run", "torch-net", "--format", "torch")[0] == 0
    assert "'categories': ['blue', 'green', 'red']" in (tmp_path / "torch-net" / "prepare.py").read_text()
    status, _, err = nerva("export", "run", "net.npz")
    assert status == 0
    assert "holds the network alone" in err
    regression = ("--target", "price", "--loss", "SquaredError", "--schedule", "Constant(0.0001)")
    assert nerva("train", "--data", "pets.csv", *regression, "--epochs", "1", "--quiet", "--output", "r") == (0, "", "")
    assert 'task = "regression"' in (tmp_path / "r" / CONFIG).read_text()
    status, _, err = nerva("train", "--target", "species")
    assert status == 2
    assert "give --data houses.csv, too" in err
