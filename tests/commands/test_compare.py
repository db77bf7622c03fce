from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from nerva_core.algebra.errors import NervaError
from nerva_core.commands import compare as command
from nerva_core.comparison.bounds import Bound
from nerva_core.comparison.measure import Result

app = typer.Typer()
app.command()(command.compare)
app.command()(command.vectors)


def invoke(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_compare_a_few_on_one_backend(tmp_path):
    done = invoke("compare", "tanh", "relu", "--backends", "numpy", "--json", tmp_path / "r.json", "--png", tmp_path / "r.png")
    assert done.exit_code == 0, done.output
    results = json.loads((tmp_path / "r.json").read_text())
    assert {(r["subject"], r["dtype"]) for r in results} >= {("tanh", "float64"), ("Tanh", "float32"), ("ReLU", "float64")}
    assert all(r["within"] for r in results)
    assert (tmp_path / "r.png").read_bytes().startswith(b"\x89PNG")


def test_status_1_if_something_is_out_of_bounds(monkeypatch):
    wrong = Result("numpy", "float64", "eager", "operation", "tanh", "tanh", 5.0, Bound("ulp", 4.0), "row")
    monkeypatch.setattr(command, "_results", lambda *arguments: [wrong])
    done = invoke("compare")
    assert done.exit_code == 1
    assert "numpy float64 eager: operation tanh: error 5 ulp" in done.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("tahn",), "did you mean 'tanh'"),
        (("--backends", "nunpy"), "did you mean 'numpy'"),
        (("--dtype", "float16"), "float64"),
    ],
)
def test_mistakes_are_one_message(arguments, message):
    done = invoke("compare", *arguments)
    assert isinstance(done.exception, NervaError)
    assert message in str(done.exception)


def test_vectors(tmp_path):
    assert re.match(r"[1-9]\d* test cases", invoke("vectors", tmp_path / "new", "Softmax").output)
    assert isinstance(invoke("vectors", tmp_path / "new", "Softmax").exception, NervaError)
    assert invoke("vectors", tmp_path / "new", "Softmax", "--force").exit_code == 0


def test_the_commands_import_nothing_heavy():
    code = "import sys, nerva_core.commands.compare; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"mpmath", "flint", "matplotlib", "torch", "jax", "tensorflow"} & set(done.stdout.split())


OWN = """
from dataclasses import dataclass

from nerva_core.layers import Layer


@dataclass(frozen=True)
class OwnScale(Layer):
    c: float = 0.5

    def feedforward(self, ops, params, X):
        return self.c * X, ()

    def backpropagate(self, ops, params, cache, DY):
        return self.c * DY, ()
"""


def test_the_arguments_of_a_class_in_a_file_are_those_that_are_compared(tmp_path: Path) -> None:
    """In a process of its own, because a class of a file is added to the table."""
    (tmp_path / "own.py").write_text(OWN, encoding="utf-8")
    code = "import sys; from nerva_core.commands.compare import _subjects; print(*(subject.name for subject in _subjects(sys.argv[1:])))"
    for name, found in (("OwnScale(c=7)", "OwnScale(c=7.0)"), ("OwnScale", "OwnScale"), ("OwnScale(d=7)", "")):
        result = subprocess.run([sys.executable, "-c", code, f"{tmp_path / 'own.py'}:{name}"], capture_output=True, text=True, check=False)
        assert result.stdout.strip() == found
        assert found or "no parameter 'd'" in result.stderr
