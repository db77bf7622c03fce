"""The command line as a user meets it: what it prints, writes and returns, and one clear message for every mistake."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nerva_core import __version__
from nerva_core.training.catalogue import TABLES
from tests.conftest import Nerva

QUICK = ("train", "--data", "Digits(train=100, test=50)", "--epochs", "2")


def test_train_prints_a_row_an_epoch_and_where_the_results_are(nerva: Nerva, tmp_path: Path) -> None:
    status, out, err = nerva(*QUICK)
    assert (status, err) == (0, "")
    assert len(re.findall(r"^ +[12] +0.05( +\d+\.\d+%?){5}$", out, re.MULTILINE)) == 2
    assert re.search(r"test accuracy \d+\.\d+ % after 2 epochs; results in runs/digits-numpy-1", out)
    assert "\x1b" not in out
    assert {path.name for path in (tmp_path / "runs/digits-numpy-1").iterdir()} >= {"model.safetensors", "metrics.jsonl", "curves.png"}


def test_flags_override_the_file(nerva: Nerva, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('seed = 5\ndata = "Digits(train=100, test=50)"\n[training]\nepochs = 9')
    network = ("--layers", "Tanh;Linear", "--sizes", "64;8;10", "--loss", "SquaredError")
    rule = ("--optimizer", "Adam(beta1=0.8)", "--schedule", "Constant(0.01)")
    flags = ("--epochs", "1", "--dtype", "float64", "--batch-size", "50", *network, *rule)
    status, _, err = nerva("train", "a.toml", *flags, "--output", "out", "--quiet")
    assert (status, err) == (0, "")
    written = (tmp_path / "out/config.toml").read_text()
    for expected in (
        "seed = 5",
        "epochs = 1",
        'dtype = "float64"',
        "batch_size = 50",
        "Tanh;Linear",
        "SquaredError",
        "beta1 = 0.8",
        "eta0 = 0.01",
    ):
        assert expected in written


def test_the_log_has_a_column_for_what_is_recorded(nerva: Nerva, tmp_path: Path) -> None:
    text = 'model.layers = "q-ELU(lambda=1, gamma=0.5);Linear"\nmodel.sizes = [64, 8, 10]\ntraining.record_gradients = true\n'
    (tmp_path / "config.toml").write_text(text)
    status, out, err = nerva("train", "config.toml", *QUICK[1:], "--output", "run")
    assert status == 0, err
    header, first, second = next(out.splitlines()[k : k + 3] for k, line in enumerate(out.splitlines()) if "q lambda" in line)
    assert len(header) == len(first) == len(second)
    assert [line.split()[-2] for line in (first, second)] == ["1", "0.6667"]
    logged = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert logged[1]["q_lambda"] == pytest.approx(2 / 3)
    assert logged[1]["largest_gradient"] > 0


def test_quiet_prints_nothing(nerva: Nerva) -> None:
    assert nerva(*QUICK, "--quiet") == (0, "", "")


def test_resume(nerva: Nerva, tmp_path: Path) -> None:
    assert nerva(*QUICK, "--output", "out")[0] == 0
    status, out, _ = nerva("train", "--output", "out", "--resume", "--epochs", "4")
    assert status == 0
    assert "after 4 epochs" in out
    assert len((tmp_path / "out/metrics.jsonl").read_text().splitlines()) == 4


def test_weights_go_out_and_in(nerva: Nerva, tmp_path: Path) -> None:
    assert nerva(*QUICK, "--output", "out")[0] == 0
    assert nerva("export", "out/model.safetensors", "w.npz") == (0, "", "")
    assert nerva(*QUICK, "--load-weights", "w.npz", "--output", "again")[0] == 0
    first, second = (json.loads((tmp_path / name / "metrics.jsonl").read_text().splitlines()[0]) for name in ("out", "again"))
    assert second["train_loss"] < first["train_loss"]
    assert 'load_weights = "w.npz"' in (tmp_path / "again/config.toml").read_text()
    assert nerva("export", "out/model.safetensors", "w.npz")[0] == 2
    assert nerva("export", "out/model.safetensors", "w.pt")[0] == 2
    assert nerva("export", "out/config.toml", "v.npz")[0] == 2


def test_backends(nerva: Nerva) -> None:
    status, out, _ = nerva("backends")
    assert status == 0
    for name in ("numpy", "jax", "torch", "tensorflow"):
        assert name in out
    assert np.__version__ in out


def test_a_backend_that_is_not_installed(nerva: Nerva, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    status, out, _ = nerva("backends")
    assert status == 0
    assert re.search(r"torch .*not installed.*pip install 'nerva\[torch\]'", out)
    status, _, err = nerva(*QUICK, "--backend", "torch")
    assert status == 2
    assert "backend 'torch' needs torch" in err
    assert "pip install 'nerva[torch]'" in err


def test_list_and_version_and_help(nerva: Nerva) -> None:
    status, out, _ = nerva("list")
    assert status == 0
    assert "Momentum(mu=0.9)" in out
    for kinds in (("losses",), ("Loss",), ("activation", "LOSSES", "loss")):
        status, out, _ = nerva("list", *kinds)
        assert status == 0
        assert "SoftmaxCrossEntropy" in out
        assert "Momentum" not in out
        assert out.count("losses") == 1
    assert nerva("list", "optimiser")[::2] == (
        2,
        "error: unknown kind 'optimiser'; did you mean 'optimizers'? known: " + ", ".join(sorted(TABLES)) + "\n",
    )
    assert nerva("--version")[1].strip() == __version__
    status, out, _ = nerva("--help")
    assert status == 0
    assert "train" in out
    assert nerva()[1].count("train") >= 1


DIGITS = ("--data", "Digits(train=50, test=20)")


def test_a_diverged_run_keeps_what_it_has(nerva: Nerva, tmp_path: Path) -> None:
    status, _, err = nerva(*QUICK, "--schedule", "Constant(1e6)", "--loss", "SquaredError", "--output", "out")
    assert status == 1
    assert err.startswith("error: training diverged: the loss is ")
    assert "try a smaller learning rate" in err
    assert (tmp_path / "out/config.toml").exists()


def test_an_interrupt_is_no_traceback(nerva: Nerva, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("nerva_core.training.runs.Run.train", interrupted)
    status, _, err = nerva(*QUICK)
    assert status == 130
    resume = "nerva train --resume --output runs/digits-numpy-1"
    assert err == f"interrupted after 0 of 2 epochs, at once, with the last checkpoint kept; continue with: {resume}\n"


def test_training_on_numpy_loads_no_framework(tmp_path: Path) -> None:
    arguments = ["nerva", *QUICK, "--output", str(tmp_path / "out"), "--quiet"]
    program = f"""
import contextlib, sys
from nerva_core.cli import main
from tests.conftest import Nerva
sys.argv = {arguments!r}
with contextlib.suppress(SystemExit):
    main()
print(sorted({{"torch", "jax", "tensorflow", "sympy"}} & sys.modules.keys()), "nerva_core.training.trainer" in sys.modules)
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[] True"


def test_the_installed_command(tmp_path: Path) -> None:
    command = Path(sys.executable).parent / "nerva"
    result = subprocess.run([command, *QUICK, "--output", tmp_path / "out"], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert json.loads((tmp_path / "out/metrics.jsonl").read_text().splitlines()[-1])["epoch"] == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_an_output_that_cannot_be_written_and_a_terminal_without_mathematics(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "nerva_core.cli"]
    with open("/dev/full", "w") as full:
        result = subprocess.run([*command, "list"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert result.returncode != 0
    assert "Traceback" not in result.stderr
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    result = subprocess.run(
        [*command, *QUICK, "--plot", "--output", str(tmp_path / "out")], capture_output=True, env=environment, check=False
    )
    assert (result.returncode, result.stderr) == (0, b"")


def test_trace_prints_the_matrices_of_the_first_step_and_writes_nothing(nerva: Nerva, tmp_path: Path) -> None:
    flags = ("--data", "Checkerboard(n=20)", "--layers", "ReLU;Linear", "--sizes", "2;3;2", "--batch-size", "4", "--optimizer", "Momentum")
    status, out, err = nerva("train", *flags, "--trace")
    assert (status, err) == (0, "")
    for expected in ("Z = X · Wᵀ + 1_N · b  (N × K = 4 × 3)", "DW = DZᵀ · X  (K × D = 3 × 2)", "layer 3, Linear: Momentum of b"):
        assert expected in out
    assert list(tmp_path.iterdir()) == []


def test_a_defect_is_one_message_and_a_file_with_the_traceback(nerva: Nerva, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise KeyError("what nobody\nexpected")

    monkeypatch.setattr("nerva_core.training.runs.Run.train", broken)
    status, _, err = nerva(*QUICK)
    assert (status, err.count("\n")) == (1, 1)
    found = re.match(r"error: KeyError: .*; this is a defect of nerva, please report it with the traceback in (\S+)\n", err)
    assert found
    report = Path(found[1])
    assert "Traceback" in report.read_text()
    report.unlink()


def test_memory_that_does_not_suffice(nerva: Nerva, monkeypatch: pytest.MonkeyPatch) -> None:
    def flooded(*_: Any, **__: Any) -> None:
        raise MemoryError

    monkeypatch.setattr("nerva_core.training.runs.Run.train", flooded)
    status, _, err = nerva(*QUICK)
    assert (status, err) == (2, "error: the memory does not suffice: no more can be had\n")


@pytest.mark.parametrize(
    ("redirection", "environment", "arguments", "status", "message"),
    [
        (">&-", {}, "predict out new.csv", 2, "error: the standard output is closed; give a file with --output\n"),
        (">&- <&-", {}, "train --data 'Digits(train=100, test=50)' --epochs 1", 0, ""),
        ("", {"MPLBACKEND": "bogus"}, "train --data 'Digits(train=100, test=50)' --epochs 1 --quiet", 0, ""),
        ("", {"JAX_PLATFORMS": "cuda"}, "train --backend jax", 2, "error: backend 'jax' cannot be started.*JAX_PLATFORMS=cuda\n"),
        (
            "",
            {"KERAS_BACKEND": "bogus"},
            "export out x.keras",
            2,
            "error: this needs keras, .*KERAS_BACKEND=bogus\n",
        ),
        ("", {}, "vectors new --seed -1", 2, "--seed"),
        ("", {}, "compare --seed -1", 2, "--seed"),
    ],
)
def test_streams_environment_and_seeds(
    nerva: Nerva, tmp_path: Path, redirection: str, environment: dict[str, str], arguments: str, status: int, message: str
) -> None:
    for module in ("jax", "keras"):
        if module.upper() in str(environment):
            pytest.importorskip(module)
    if " out " in arguments:
        assert nerva(*QUICK, "--output", "out", "--quiet")[0] == 0
        (tmp_path / "new.csv").write_text(",".join(["0"] * 64) + "\n")
    line = f"{sys.executable} -c 'from nerva_core.cli import main; main()' {arguments} {redirection}"
    result = subprocess.run(line, shell=True, cwd=tmp_path, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    assert result.returncode == status, result.stderr
    assert re.search(message, result.stderr, re.DOTALL)
    assert "Traceback" not in result.stderr
    assert message or not result.stderr


def test_weights_of_a_run_are_those_of_its_model(nerva: Nerva) -> None:
    assert nerva(*QUICK, "--quiet", "--output", "out")[0] == 0
    assert nerva(*QUICK, "--quiet", "--load-weights", "out") == (0, "", "")


def test_what_was_trained_from_text_with_all_sizes_is_read_again(nerva: Nerva) -> None:
    assert nerva(*QUICK, "--layers", "Linear(8);LayerNorm;Linear(10)", "--quiet", "--output", "out") == (0, "", "")
    assert nerva("train", "--resume", "--output", "out", "--epochs", "3", "--quiet") == (0, "", "")
    assert nerva("train", "out/config.toml", "--quiet", "--output", "again") == (0, "", "")
    assert nerva("export", "out", "jax", "--format", "jax") == (0, "", "")


def test_labels_that_count_from_one_are_told(nerva: Nerva, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b,label\n" + "".join(f"{k},{-k},{k % 2 + 1}\n" for k in range(40)))
    status, _, err = nerva("train", "--data", "CSV(path='a.csv')", "--layers", "Linear", "--epochs", "1")
    assert (status, err) == (0, "warning: class 0 does not occur in the training examples; class numbers count from 0\n")
