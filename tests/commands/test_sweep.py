from pathlib import Path

from nerva_core.training.runs import MODEL, RESULT
from tests.conftest import Nerva

SETTINGS = ("data=Digits(train=60, test=20)", "model.layers=Linear", "model.sizes=[64, 10]", "training.epochs=2")
SMALL = tuple(word for setting in SETTINGS for word in ("--set", setting))


def test_a_sweep_is_run_and_continued(nerva: Nerva, tmp_path: Path) -> None:
    command = ("sweep", *SMALL, "--set", "optimizer=Adam | Momentum")
    status, out, err = nerva(*command)
    assert (status, err) == (0, "")
    assert "2/2 optimizer-Momentum_seed-0" in out
    assert out.count("test accuracy") == 2
    names = ["optimizer-Adam_seed-0", "optimizer-Momentum_seed-0"]
    assert all((tmp_path / "sweep" / name / MODEL).exists() for name in names)
    kept = (tmp_path / "sweep" / names[0] / MODEL).stat().st_mtime_ns
    before = (tmp_path / "sweep" / names[1] / MODEL).read_bytes()
    for name in (MODEL, RESULT):
        (tmp_path / "sweep" / names[1] / name).unlink()
    status, out, _ = nerva(*command)
    assert status == 0
    assert "1 of 2 runs are complete\n1/1 optimizer-Momentum_seed-0\n" in out
    assert (tmp_path / "sweep" / names[0] / MODEL).stat().st_mtime_ns == kept
    assert (tmp_path / "sweep" / names[1] / MODEL).read_bytes() == before
    status, _, err = nerva("sweep", *SMALL, "--set", "dtype=float64")
    assert status == 2
    assert "sweep holds a sweep of another configuration" in err
    assert nerva("plot", "sweep") == (0, "figure: comparison.png\n", "")
    assert len(nerva("runs", "sweep")[1].splitlines()) == 4


def test_mistakes_are_found_before_anything_runs(nerva: Nerva, tmp_path: Path) -> None:
    for arguments, message in (
        (("--set", "optimizer=Adam | Adum"), "did you mean 'Adam'"),
        (("--set", "model.layers=Linear | Lniear", "--set", "model.sizes=[64, 10]"), "unknown layer 'Lniear'"),
        (("--seeds", "0"), "--seeds is a number of seeds"),
        (("nothing.toml",), "cannot read the configuration nothing.toml"),
    ):
        status, out, err = nerva("sweep", *arguments)
        assert (status, out) == (2, "")
        assert message in err
    assert not (tmp_path / "sweep").exists()


def test_a_run_that_fails_is_told(nerva: Nerva) -> None:
    status, out, err = nerva("sweep", *SMALL, "--set", "optimizer=GradientDescent", "--set", "schedule=Constant(1e38)")
    assert status == 2
    assert "1/1 seed-0: training diverged" in out
    assert "1 of 1 runs failed; the first: seed-0: training diverged" in err
