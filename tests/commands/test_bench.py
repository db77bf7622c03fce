from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from nerva_core.algebra.errors import NervaError
from nerva_core.commands import bench as command

app = typer.Typer()
app.command()(command.bench)


def invoke(*arguments: Any) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_configuration_file_is_measured(tmp_path: Path) -> None:
    file, results = tmp_path / "my.toml", tmp_path / "r.json"
    file.write_text('data = "Digits(train=64, test=10)"\noptimizer = "Adam"\n[model]\nsizes = [64, 8, 8, 10]')
    done = invoke(file, "--backends", "numpy", "--rounds", 1, "--seconds", 0, "--json", results, "--png", tmp_path / "r.png")
    assert done.exit_code == 0, done.output
    found = {result["contender"]: result["status"] for result in json.loads(results.read_text())["results"]}
    assert found == {"nerva": "measured", "scikit-learn": "absent", "matrix products": "measured"}
    assert (tmp_path / "r.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--configurations", "A,tinny"), "did you mean 'tiny'"),
        (("--backends", "nunpy"), "did you mean 'numpy'"),
        (("no_such.toml",), "no_such.toml"),
        (("--json", "."), ". must be a file in a folder that is there, got a folder"),
        (("--png", "nowhere/a.png"), "must be a file in a folder that is there, got nowhere"),
    ],
)
def test_mistakes_are_one_message(arguments: tuple[str, ...], message: str) -> None:
    done = invoke(*arguments)
    assert isinstance(done.exception, NervaError)
    assert message in str(done.exception)


def test_the_command_imports_nothing_heavy() -> None:
    code = "import sys, nerva_core.cli; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"torch", "jax", "tensorflow", "keras", "optax", "sympy", "matplotlib", "scipy", "sklearn"}
    assert not heavy & set(done.stdout.split())
