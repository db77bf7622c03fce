"""A user's own file: run once, its entries known by name to every command, and every mistake explained."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.user_files import load_file

ROOT = Path(__file__).parents[2]
CUBE = '''
from dataclasses import dataclass

from nerva_core.equations.activations import ACTIVATIONS, Activation


@ACTIVATIONS.add
@dataclass(frozen=True)
class ScaledCube(Activation):
    """x³/9."""

    def value(self, ops, X):
        return ops.hadamard(X, ops.hadamard(X, X)) / 9

    def gradient(self, ops, X):
        return ops.hadamard(X, X) / 3
'''


def nerva(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "nerva_core.cli", *arguments]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "", "HOME": str(directory)}
    return subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False, timeout=120)


def test_every_command_knows_what_an_imported_file_defines(tmp_path: Path) -> None:
    (tmp_path / "cube.py").write_text(CUBE)
    options = ["--layers", "ScaledCube;Linear", "--sizes", "64;32;10", "--data", "Digits(train=200)", "--epochs", "1", "--output", "run"]
    trained = nerva(tmp_path, "--import", "cube.py", "train", *options)
    assert trained.returncode == 0, trained.stderr
    shown = nerva(tmp_path, "--import", "cube.py", "show", "ScaledCube")
    assert shown.returncode == 0, shown.stderr
    assert "(X ⊙ X)/3" in shown.stdout
    resumed = nerva(tmp_path, "--import", "cube.py", "train", "--resume", "--output", "run", "--epochs", "2")
    assert resumed.returncode == 0, resumed.stderr


def test_a_file_is_run_once(tmp_path: Path) -> None:
    path = tmp_path / "counted.py"
    path.write_text("from pathlib import Path\nlog = Path(__file__).with_suffix('.log')\nlog.write_text('x' * (1 + log.exists()))\n")
    assert load_file(path) is load_file(path)
    assert path.with_suffix(".log").read_text() == "x"


@pytest.mark.parametrize(
    ("text", "message"),
    [(None, "is not there"), ("1 / 0", "cannot be imported: ZeroDivisionError"), ("def f(:", "cannot be imported: SyntaxError")],
)
def test_a_file_that_cannot_be_run_is_one_message(text: str | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    if text is not None:
        path.write_text(text)
    with pytest.raises(NervaError, match=message):
        load_file(path)


OWN = CUBE.replace("@ACTIVATIONS.add\n", "")


def test_a_class_of_a_file_is_named_with_the_file(tmp_path: Path) -> None:
    (tmp_path / "cube.py").write_text(OWN)
    shown = nerva(tmp_path, "show", "cube.py:ScaledCube")
    assert "(X ⊙ X)/3" in shown.stdout, shown.stderr
    compared = nerva(tmp_path, "compare", "cube.py:ScaledCube", "--backends", "numpy")
    assert "ScaledCube" in compared.stdout, compared.stderr
    assert "0 out of bounds" in compared.stdout
    written = nerva(tmp_path, "vectors", "golden", "cube.py:ScaledCube")
    assert written.returncode == 0, written.stderr
    assert '"ScaledCube"' in (tmp_path / "golden" / "manifest.json").read_text()
    assert "Linear" not in (tmp_path / "golden" / "manifest.json").read_text()


@pytest.mark.parametrize(("name", "message"), [("cube.py:ScaledCub", "did you mean 'ScaledCube'"), ("no.py:Cube", "is not there")])
def test_a_name_that_the_file_does_not_have(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "cube.py").write_text(OWN)
    for command in (["show", name], ["compare", name], ["vectors", "golden", name], ["prove", name]):
        done = nerva(tmp_path, *command)
        assert (done.returncode, message in done.stderr) == (2, True), done.stderr
