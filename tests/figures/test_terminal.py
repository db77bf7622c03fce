import io
import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from rich.table import Table

from nerva_core.figures.terminal import aligned, confusion_table, console, curves


def test_curves_stand_where_their_values_are() -> None:
    lines = curves({"a": [0.0, 1.0, 2.0], "b": [2.0, 2.0, 2.0]}, first=5, name="epoch", width=9, height=3).splitlines()
    assert lines == [
        "   • a,  × b",
        "2 ┤×   ×   *",
        "  ┤    •",
        "0 ┤•",
        "  └─────────",
        "   5       7  epoch",
    ]


def test_a_wide_range_is_drawn_on_a_logarithmic_scale() -> None:
    lines = curves({"a": [100.0, 1.0, 0.01]}, first=1, name="epoch", width=3, height=3).splitlines()
    assert lines[0].endswith("• a (logarithmic)")
    assert [line.split("┤")[1] for line in lines[1:4]] == ["•", " •", "  •"]


def test_values_that_cannot_be_drawn() -> None:
    assert curves({"a": [math.nan, math.inf]}, 1, "epoch") == "nothing to draw: no value is finite"
    lines = curves({"a": [math.nan, 1.0]}, 1, "epoch", width=5, height=2).splitlines()
    assert lines[1] == "1 ┤    •"
    assert "1 ┤•" in curves({"a": [1.0]}, 1, "epoch", width=5, height=2)


def test_a_table_of_confusions() -> None:
    assert confusion_table(np.array([[10, 0], [2, 3]]), ["no", "yes"]).splitlines() == [
        "class  predicted",
        "        no  yes",
        "no      10    ·",
        "yes      2    3",
    ]
    assert confusion_table(np.zeros((21, 21), dtype=int), ["x"] * 21) == "the table of confusions of 21 classes is in the figure alone"


ROOT = Path(__file__).parents[2]
ACTIVATION = """
from dataclasses import dataclass

from nerva_core.equations.activations import Activation


@dataclass(frozen=True)
class snake(Activation):
    def value(self, ops, X):
        return 2 * X

    def gradient(self, ops, X):
        return ops.ones(*ops.shape(X))
"""
TEXTS = ["[training]", "[bold]x[/bold]", "class :snake:", "/data/:fire:/file.py", "[red]"]


@pytest.mark.parametrize("text", TEXTS)
def test_the_console_changes_nothing_in_a_text(text: str) -> None:
    out = io.StringIO()
    plain = console(file=out, width=100)
    table = Table(text, title=text)
    table.add_row(text)
    plain.print(text)
    plain.print(table)
    assert out.getvalue().count(text) == 4


def test_no_command_makes_a_console_of_its_own() -> None:
    """Rich rewrites what it takes for markup or for the name of an emoji."""
    files = [path for folder in ("nerva_core", "sympy_validation", "backends") for path in (ROOT / folder).rglob("*.py")]
    found = [path.name for path in files if re.search(r"\bConsole\(|rich import print|from_markup", path.read_text(encoding="utf-8"))]
    assert found == ["terminal.py"]


def test_names_of_a_user_are_printed_as_they_are(tmp_path: Path) -> None:
    (tmp_path / ":snake:[bold].py").write_text(ACTIVATION, encoding="utf-8")
    command = [sys.executable, "-m", "nerva_core", "prove", f"{tmp_path}/:snake:[bold].py:snake"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 1, done.stderr
    assert ":snake:[bold].py:snake: gradient is wrong" in done.stdout


def test_cells_stand_in_columns() -> None:
    assert aligned([["a", "bb"], ["ccc", "d"]]) == "a    bb\n-------\nccc  d"
