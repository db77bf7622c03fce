import json
from pathlib import Path

from tests.conftest import Nerva

SETTINGS = ("data=Digits(train=60, test=20)", "model.sizes=[64, 3, 2, 10]", "training.batch_size=4")
SMALL = ("trace", *(word for setting in SETTINGS for word in ("--set", setting)))


def test_a_step_in_every_form(nerva: Nerva, tmp_path: Path) -> None:
    status, out, err = nerva(*SMALL, "--step", "2")
    assert (status, err) == (0, "")
    assert "DW = DZᵀ · X" in out
    status, out, _ = nerva(*SMALL, "--step", "2", "--format", "json")
    assert len(json.loads(out)["parts"][0]["matrices"][0]["values"]) == 4
    assert nerva(*SMALL, "--format", "latex")[1].startswith(r"\paragraph{layer 1, Linear: forward}")
    assert nerva(*SMALL, "--format", "html", "--output", "step.html") == (0, "", "")
    assert (tmp_path / "step.html").read_text().startswith("<!doctype html>")
    assert not (tmp_path / "runs").exists()


def test_mistakes(nerva: Nerva, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine")
    for more, message in (
        (("--step", "301"), "the run has the steps 1 to 300, got 301"),
        (("--format", "html", "--output", "taken"), "taken is already there"),
        (("--output", "new"), "text is printed"),
    ):
        status, out, err = nerva(*SMALL, *more)
        assert (status, out) == (2, "")
        assert message in err
    assert (tmp_path / "taken").read_text() == "mine"
