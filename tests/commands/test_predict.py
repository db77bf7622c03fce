import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nerva_core.training.config import make_config
from nerva_core.training.runs import MODEL, Run
from tests.conftest import Nerva


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    config = make_config({"data": "Checkerboard(n=20)", "model": {"layers": "Linear", "sizes": [2, 2]}, "training": {"epochs": 1}})
    Run.start(config, folder / "run").train()
    (folder / "x.csv").write_text("0.5,0.5\n-1,0\n")
    return folder


def test_predictions_on_stdout_and_in_files(run: Path, tmp_path: Path, nerva: Nerva) -> None:
    status, out, err = nerva("predict", run / "run", run / "x.csv")
    assert (status, err) == (0, "")
    assert out.splitlines()[0] == "class,probability_0,probability_1"
    assert len(out.splitlines()) == 3
    assert nerva("predict", run / "run" / MODEL, run / "x.csv", "--output", tmp_path / "p.csv") == (0, "", "")
    assert (tmp_path / "p.csv").read_text() == out
    assert nerva("predict", run / "run", run / "x.csv", "--output", tmp_path / "p.npz") == (0, "", "")
    with np.load(tmp_path / "p.npz") as archive:
        assert archive["probabilities"].shape == (2, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nothing", "x.csv"), "nothing is not there"),
        (("begun", "x.csv"), "begun has no model.safetensors: its run has not come to an end; continue it with: nerva train --resume"),
        ((".", "x.csv"), "neither a model nor the directory of a run: there is no model.safetensors and no config.toml"),
        (("run", "nothing.csv"), "nothing.csv is not there"),
        (("x.csv", "x.csv"), "no safetensors file"),
        (("run", "x.csv", "--output", "p.txt"), "suffix, .csv or .npz; got 'p.txt'"),
        (("run", "x.csv", "--output", "taken.csv"), "taken.csv is already there"),
        (("run", "x.csv", "--output", "no/p.csv"), "cannot write no/p.csv"),
        (("run", "x.csv", "--backend", "nmupy"), "did you mean 'numpy'"),
        (("run", "x.csv", "--dtype", "half"), "dtype must be one of"),
    ],
)
def test_mistakes(run: Path, nerva: Nerva, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str) -> None:
    monkeypatch.chdir(run)
    (run / "taken.csv").write_text("mine")
    (run / "begun").mkdir(exist_ok=True)
    (run / "begun/config.toml").touch()
    status, out, err = nerva("predict", *arguments)
    assert (status, out) == (2, "")
    assert message in err
    assert err.count("error:") == 1
    assert (run / "taken.csv").read_text() == "mine"


def test_a_reader_that_has_seen_enough(run: Path) -> None:
    (run / "long.csv").write_text("0.5,0.5\n" * 20000)
    command = f"{sys.executable} -m nerva_core.cli predict {run / 'run'} {run / 'long.csv'} | head -1"
    result = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert result.stdout.startswith("class,")
    assert result.stderr == ""
