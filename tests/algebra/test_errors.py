from __future__ import annotations

from pathlib import Path

import pytest

from nerva_core.algebra.errors import NervaError, NotInstalledError, counted, did_you_mean, not_there


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("jaxx", "did you mean 'jax'? known: jax, numpy, torch"),
        ("NUMPY", "did you mean 'numpy'? known: jax, numpy, torch"),
        ("xyz", "known: jax, numpy, torch"),
        ("", "known: jax, numpy, torch"),
    ],
)
def test_the_nearest_name_is_suggested_and_all_are_listed(name: str, hint: str) -> None:
    assert did_you_mean(name, ["torch", "numpy", "jax"]) == hint


def test_a_name_that_is_known_twice_is_listed_once() -> None:
    assert did_you_mean("x", ["SReLU", "ELU", "SReLU"]) == "known: ELU, SReLU"


def test_errors_of_users_are_one_class() -> None:
    assert issubclass(NotInstalledError, NervaError)
    assert issubclass(NervaError, ValueError)


def test_of_a_very_long_message_the_middle_is_left_out() -> None:
    assert str(NervaError("short")) == "short"
    message = str(NervaError("begin" + "x" * 10**6 + "end"))
    assert len(message) < 3100
    assert message.startswith("beginx")
    assert message.endswith("xend")
    assert " [...] " in message


def test_of_many_names_the_nearest_five() -> None:
    names = [f"theorem {k}" for k in range(150)]
    hint = did_you_mean("theorem 7x", names)
    assert hint.startswith("did you mean 'theorem 7'? nearest of 150: theorem 7, ")
    assert hint.count(", ") == 4


def test_what_is_said_of_a_path_where_nothing_is(tmp_path: Path) -> None:
    (tmp_path / "pets.csv").touch()
    assert not_there(tmp_path / "pet.csv") == f"{tmp_path}/pet.csv is not there; did you mean '{tmp_path}/pets.csv'?"
    assert not_there(tmp_path / "flowers.npz") == f"{tmp_path}/flowers.npz is not there; it was looked for in {tmp_path}"
    assert not_there(tmp_path / "data" / "x.csv") == f"{tmp_path}/data/x.csv is not there, nor is the folder {tmp_path}/data"


def test_a_number_with_its_noun() -> None:
    assert [counted(n, "epoch") for n in (0, 1, 2)] == ["0 epochs", "1 epoch", "2 epochs"]
    assert counted(3, "class") == "3 classes"
