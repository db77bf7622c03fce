from pathlib import Path

import pytest

from nerva_core.training.checkpoints import CHECKPOINT
from nerva_core.training.runs import MODEL
from tests.conftest import Nerva

TMAF = ("train", "--data", "Checkerboard(n=20)", "--layers", "DiagonalTMAF;PReLU;Linear", "--sizes", "2;3;3;2", "--epochs", "1", "--quiet")
PLAIN = ("train", "--data", "Checkerboard(n=20)", "--layers", "ReLU;Linear", "--sizes", "2;3;2", "--epochs", "1", "--quiet")


def test_the_learned_activations_of_a_run_and_of_a_model(nerva: Nerva, tmp_path: Path) -> None:
    assert nerva(*TMAF, "--output", "run") == (0, "", "")
    assert nerva("plot", "run") == (0, "figure: run/activations.png\n", "")
    figure = (tmp_path / "run" / "activations.png").read_bytes()
    assert figure.startswith(b"\x89PNG")
    assert nerva("plot", f"run/{MODEL}", "--png", "a.png") == (0, "figure: a.png\n", "")
    assert (tmp_path / "a.png").read_bytes() == figure


def test_of_a_run_that_goes_on_the_last_checkpoint_counts(nerva: Nerva, tmp_path: Path) -> None:
    assert nerva(*TMAF, "--output", "run")[0] == 0
    assert nerva("plot", "run", "--png", "model.png")[0] == 0
    (tmp_path / "run" / MODEL).unlink()
    assert nerva("plot", "run", "--png", "checkpoint.png") == (0, "figure: checkpoint.png\n", "")
    assert (tmp_path / "checkpoint.png").read_bytes() == (tmp_path / "model.png").read_bytes()


@pytest.fixture
def runs(nerva: Nerva, tmp_path: Path) -> None:
    """A run without trained activations, a directory that is none, and a run that has only begun."""
    assert nerva(*PLAIN, "--output", "plain")[0] == 0
    assert nerva(*TMAF, "--output", "begun")[0] == 0
    (tmp_path / "empty").mkdir()
    for name in (MODEL, CHECKPOINT, "checkpoint.previous.safetensors"):
        (tmp_path / "begun" / name).unlink(missing_ok=True)
    (tmp_path / "taken.png").write_text("mine")


@pytest.mark.usefixtures("runs")
def test_of_a_run_without_trained_activations_the_curves_are_drawn(nerva: Nerva, tmp_path: Path) -> None:
    assert nerva("plot", "plain") == (0, "figure: comparison.png\n", "")
    assert (tmp_path / "comparison.png").read_bytes().startswith(b"\x89PNG")
    assert nerva("plot", "plain")[2].startswith("error: comparison.png is already there")


@pytest.mark.usefixtures("runs")
def test_mistakes(nerva: Nerva, tmp_path: Path) -> None:
    mistakes = [
        ((f"plain/{MODEL}",), "the network has no trained activation functions: no layer is a TMAF or a PReLU"),
        (("plain", "--png", "taken.png"), "taken.png is already there; choose another file with --png"),
        (("begun",), "begun has no complete epoch yet; continue it with: nerva train --resume --output begun"),
        (("empty",), "empty"),
        (("nothing",), "nothing is not there"),
        ((f"plain/{CHECKPOINT}",), f"plain/{CHECKPOINT} is a checkpoint, not a model; give the directory of its run"),
    ]
    for arguments, message in mistakes:
        status, out, err = nerva("plot", *arguments)
        assert (status, out) == (2, ""), arguments
        assert message in err
        assert err.count("error:") == 1
    assert (tmp_path / "taken.png").read_text() == "mine"
    assert not list(tmp_path.rglob("activations.png"))
