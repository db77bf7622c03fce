import re
from pathlib import Path

import pytest

from tests.conftest import Nerva


def train(nerva: Nerva, record: bool) -> None:
    Path("config.toml").write_text(f"training.record_gradients = {str(record).lower()}\n")
    options = ("--data", "Digits(train=100, test=20)", "--epochs", "2", "--layers", "ReLU;Linear", "--sizes", "64;8;10", "--output", "run")
    assert nerva("train", "config.toml", *options)[0] == 0


FEW = ("--points", "4", "--directions", "2", "--examples", "50")


def test_a_curve_and_a_suggestion(nerva: Nerva) -> None:
    train(nerva, record=True)
    status, out, err = nerva("landscape", "run", *FEW)
    assert status == 0, err
    assert re.search(r"suggestion: GAF\(..., Arctan\(alpha=[\d.]+, beta=[\d.]+\)\)", out)
    assert Path("run/landscape.png").read_bytes().startswith(b"\x89PNG")
    status, _, err = nerva("landscape", "run", *FEW)
    assert status == 2
    assert "already there" in err
    assert nerva("landscape", "run", *FEW, "--png", "other.png")[0] == 0


def test_without_recorded_gradients_there_is_a_curve(nerva: Nerva) -> None:
    train(nerva, record=False)
    status, out, _ = nerva("landscape", "run", *FEW)
    assert status == 0
    assert "record_gradients = true" in out


@pytest.mark.parametrize(("arguments", "message"), [(("nowhere",), "nowhere"), (("run", "--reach", "-1"), "--reach must be a positive")])
def test_a_mistake_gets_one_clear_message(nerva: Nerva, arguments: tuple[str, ...], message: str) -> None:
    status, _, err = nerva("landscape", *arguments)
    assert status == 2
    assert message in err
    assert "Traceback" not in err
