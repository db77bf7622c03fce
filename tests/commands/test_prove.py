"""``nerva prove`` as a user meets it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from nerva_core.algebra.errors import NervaError
from nerva_core.commands.prove import prove

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "proofs.md").read_text(encoding="utf-8")
FIELDS = {"id", "subject", "quantity", "statement", "method", "sizes", "conditions", "expected", "status", "seconds"}

app = typer.Typer()
app.command()(prove)


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})
    if isinstance(result.exception, NervaError):
        raise result.exception
    return result.exit_code, result.output


@pytest.fixture
def my_layer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    code = re.search(r"```python.*?\n(.*?)```", DOCUMENT, re.DOTALL)
    assert code
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "my_layer.py"
    path.write_text(code[1], encoding="utf-8")
    return path


def test_proved_exits_with_0() -> None:
    code, output = run("layers.Linear")
    assert code == 0
    assert "6 theorems: 6 proved, 0 refuted by a counterexample, 0 open" in output


def test_errata_are_refuted_as_they_should_be() -> None:
    code, output = run("errata.004-43")
    assert code == 0
    assert "REFUTED: at N=3, D=2, K=4:" in output


def test_an_unknown_name_is_a_message() -> None:
    with pytest.raises(NervaError, match="did you mean 'Softmax'"):
        run("Sofmax")


def test_the_documented_layers(my_layer: Path, tmp_path: Path) -> None:
    code, output = run("my_layer.py:ScaledLinear", "--json", str(tmp_path / "out.json"))
    assert code == 0
    assert "3 theorems: 3 proved" in output
    code, output = run("my_layer.py:WrongLinear")
    assert code == 1
    line = next(line for line in DOCUMENT.splitlines() if line.startswith("my_layer.py:WrongLinear:"))
    assert line in output
    assert "DX is wrong" not in output


CASES = """
from dataclasses import dataclass
from nerva_core.layers import Layer


@dataclass(frozen=True)
class Snake(Layer):
    def feedforward(self, ops, params, X):
        return ops.join_columns(X, ops.ones(ops.shape(X)[0], 1)), ops.shape(X)

    def outputs_for(self, D):
        return D + 1

    def backpropagate(self, ops, params, cache, DY):
        return ops.take_columns(DY, range(cache[1])), ()


@dataclass(frozen=True)
class Open(Snake):
    def backpropagate(self, ops, params, cache, DY):
        return cache.nothing, ()
"""


def test_exit_status(tmp_path: Path) -> None:
    (tmp_path / "cases.py").write_text(CASES, encoding="utf-8")
    code, output = run(f"{tmp_path / 'cases.py'}:Snake", "--json", str(tmp_path / "out.json"))
    assert code == 4
    last = output.splitlines()[-1]
    assert last.startswith("cases.py:Snake: DX is proved at N=3,D=2; N=4,D=3 only")
    assert '"verdict": "proved at N=3,D=2; N=4,D=3 only"' in (tmp_path / "out.json").read_text(encoding="utf-8")
    code, output = run(f"{tmp_path / 'cases.py'}:Open")
    assert code == 3
    assert "AttributeError" in output


def test_audit_of_a_layer(my_layer: Path) -> None:
    code, output = run("my_layer.py:ScaledLinear", "--audit", "--quiet")
    assert code == 0
    assert re.search(r"(\d+) mutants: \1 refused by a counterexample, 0 equivalent, 0 survived", output)


def test_the_command_imports_nothing_heavy() -> None:
    code = (
        "import sys, nerva_core.commands.prove; print([m for m in ('sympy', 'mpmath', 'torch', 'jax', 'tensorflow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
