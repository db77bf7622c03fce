from pathlib import Path

import pytest

from tests.conftest import Nerva

SMALL = ("train", "--data", "Digits(train=60, test=20)", "--layers", "Linear", "--sizes", "64;10", "--epochs", "2", "--quiet")


@pytest.fixture
def trained(nerva: Nerva) -> None:
    for name, more in (("a", ()), ("b", ("--seed", "1")), ("c", ("--optimizer", "Adam"))):
        assert nerva(*SMALL, *more, "--output", f"runs/{name}")[0] == 0


@pytest.mark.usefixtures("trained")
def test_runs_are_listed_and_compared(nerva: Nerva, tmp_path: Path) -> None:
    status, out, err = nerva("runs")
    assert (status, err) == (0, "")
    head, _, a, _, c = out.splitlines()
    assert head.split() == ["run", "data", "layers", "optimizer", "seed", "state", "result"]
    assert "complete, 2 epochs" in a
    assert "Adam(" in c
    status, out, _ = nerva("compare-runs", "runs/a", "runs/b")
    assert [line.split()[0] for line in out.splitlines()[2:5]] == ["seed", "state", "result"]
    assert "standard deviation" in out
    status, out, _ = nerva("compare-runs", "runs/a", "runs/c")
    assert "optimizer" in out
    assert "standard deviation" not in out
    assert nerva("plot", "runs/a", "runs/b", "runs/c", "--png", "all.png") == (0, "figure: all.png\n", "")
    assert (tmp_path / "all.png").read_bytes().startswith(b"\x89PNG")
    status, _, err = nerva("plot", "runs", "--png", "all.png")
    assert status == 2
    assert "all.png is already there" in err


@pytest.mark.usefixtures("trained")
def test_a_run_that_cannot_be_read_hides_no_other(nerva: Nerva, tmp_path: Path) -> None:
    (tmp_path / "runs" / "b" / "config.toml").write_text("seed = 'x'")
    for command in (("runs",), ("compare-runs", "runs"), ("plot", "runs")):
        status, out, err = nerva(*command)
        assert (status, len(err.splitlines())) == (0, 1)
        assert err.startswith("warning: runs/b is left out: ")
        assert "Adam" in out or command[0] == "plot"
    status, out, err = nerva("compare-runs", "runs/a", "runs/b")
    assert (status, out) == (2, "")
    assert "seed" in err
    for name in "ac":
        (tmp_path / "runs" / name / "config.toml").write_text("x")
    (tmp_path / "comparison.png").unlink()
    status, out, err = nerva("plot", "runs")
    assert (status, out) == (2, "")
    assert err.endswith("error: no run is left to draw\n")


def test_mistakes(nerva: Nerva, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for arguments, message in ((("runs",), "runs is not there"), (("compare-runs", "empty"), "empty holds no run")):
        status, out, err = nerva(*arguments)
        assert (status, out) == (2, "")
        assert message in err
