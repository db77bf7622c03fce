import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from nerva_core.cli import app
from nerva_core.commands.help_texts import EXAMPLES, epilog
from tests.conftest import Nerva

COMMANDS = typer.main.get_command(app).commands


@pytest.mark.parametrize("line", [line for lines in EXAMPLES.values() for line in lines])
def test_an_example_uses_options_that_there_are(line: str) -> None:
    program, name, *arguments = shlex.split(line.partition(" | ")[0])
    assert program == "nerva"
    context = COMMANDS[name].make_context(name, arguments, resilient_parsing=False)
    assert context.info_name == name


def test_an_example_stands_with_its_command() -> None:
    for name, lines in EXAMPLES.items():
        assert all(line.split()[1] == name for line in lines)
        assert COMMANDS[name].epilog == epilog(name)


def test_the_help_shows_them() -> None:
    command = [sys.executable, "-m", "nerva_core.cli", "train", "--help"]
    result = subprocess.run(command, capture_output=True, text=True, check=True, env={"COLUMNS": "160", "PATH": ""})
    assert "\n nerva train --json | jq .test_loss" in result.stdout
    for panel in ("What is trained", "How", "What is shown and written"):
        assert re.search(rf"─ {panel} ─", result.stdout)


RUN_ELSEWHERE = {"backends", "sweep", "generate", "prove", "compare", "vectors", "reproduce", "bench", "landscape"}
"""Commands whose examples take long; their own tests run them, or smaller ones."""


def test_the_first_example_of_every_quick_command_runs(nerva: Nerva, tmp_path: Path) -> None:
    """In a directory where two runs have ended, with the data that the examples name."""
    for _ in range(2):
        assert nerva("train", "--epochs", "1", "--quiet")[0] == 0
    (tmp_path / "new.csv").write_text(",".join(["0"] * 64) + "\n")
    assert set(EXAMPLES) == set(COMMANDS)
    for name in EXAMPLES.keys() - RUN_ELSEWHERE:
        arguments = shlex.split(EXAMPLES[name][0].partition(" | ")[0])[1:]
        status, _, err = nerva(*arguments)
        assert status == 0, f"{' '.join(arguments)}: {err}"
