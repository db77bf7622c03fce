import re
from pathlib import Path

from tests.conftest import Nerva

SMALL = ("find-rate", "--set", "data=Digits(train=200, test=50)", "--set", "model.sizes=[64, 20, 20, 10]", "--steps", "100")


def test_a_rate_is_suggested_and_drawn(nerva: Nerva, tmp_path: Path) -> None:
    status, out, err = nerva(*SMALL, "--png", "rates.png")
    assert (status, err) == (0, "")
    suggested = re.search(r"suggested: --schedule 'Constant\((.*)\)'", out)
    assert suggested is not None
    assert 1e-4 < float(suggested[1]) < 1
    assert (tmp_path / "rates.png").read_bytes().startswith(b"\x89PNG")
    assert not (tmp_path / "runs").exists()


def test_mistakes(nerva: Nerva, tmp_path: Path) -> None:
    (tmp_path / "taken.png").write_text("mine")
    for more, message in (
        (("--png", "taken.png"), "taken.png is already there"),
        (("--low", "2", "--high", "1"), "a search needs 0 < low < high"),
        (("--set", "optimiser=Adam"), "did you mean 'optimizer'"),
        (("--set", "epochs"), "a setting is written name=value"),
    ):
        status, out, err = nerva(*SMALL, *more)
        assert (status, out) == (2, "")
        assert message in err
    assert (tmp_path / "taken.png").read_text() == "mine"
