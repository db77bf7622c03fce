from __future__ import annotations

from pathlib import Path

import pytest

from nerva_core.training.config import make_config
from nerva_core.training.runs import Run
from tests.conftest import Nerva


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    (folder / "a.txt").write_text("ab\n" * 100)
    values = {
        "data": {"name": "Text", "path": str(folder / "a.txt"), "length": 8},
        "model": {"layers": "Embedding(8);Linear"},
        "loss": "SoftmaxCrossEntropy",
        "optimizer": "Adam",
        "training": {"epochs": 10},
    }
    Run.start(make_config(values), folder / "run").train()
    return folder


def test_text_on_stdout(run: Path, nerva: Nerva) -> None:
    assert nerva("generate", run / "run", "--prompt", "a", "--length", 5, "--temperature", 0) == (0, "ab\nab\n\n", "")
    status, first, _ = nerva("generate", run / "run", "--temperature", 50, "--seed", 1)
    assert (status, len(first)) == (0, 202)
    assert nerva("generate", run / "run", "--temperature", 50, "--seed", 1)[1] == first
    assert nerva("generate", run / "run", "--temperature", 50, "--seed", 2)[1] != first


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nothing",), "nothing is not there"),
        (("run", "--prompt", "xyz"), "the character 'x' is not in the text of the training"),
        (("run", "--top-k", "0"), "top-k must be at least 1, got 0"),
        (("run", "--temperature", "-1"), "temperature must be a number from 0 on"),
        (("run", "--backend", "nmupy"), "did you mean 'numpy'"),
        (("begun",), "begun has no model.safetensors: its run has not come to an end"),
    ],
)
def test_mistakes(run: Path, nerva: Nerva, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str) -> None:
    monkeypatch.chdir(run)
    (run / "begun").mkdir(exist_ok=True)
    (run / "begun/config.toml").touch()
    status, out, err = nerva("generate", *arguments)
    assert (status, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_a_text_without_new_lines_asks_for_a_prompt(tmp_path: Path, nerva: Nerva) -> None:
    (tmp_path / "a.txt").write_text("ab" * 50)
    values = {
        "data": {"name": "Text", "path": str(tmp_path / "a.txt"), "length": 4},
        "model": {"layers": "Embedding(2);Linear"},
        "loss": "SoftmaxCrossEntropy",
        "training": {"epochs": 1},
    }
    Run.start(make_config(values), tmp_path / "run").train()
    message = "error: the text of the training has no new line to begin with; give --prompt, such as --prompt a\n"
    assert nerva("generate", tmp_path / "run") == (2, "", message)
