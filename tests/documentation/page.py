"""Runs what a page shows, from top to bottom, in one directory and one namespace.

* ``python`` runs; with a title it is a file, which later blocks import or prove.
* ``toml`` is a configuration that must be sound, or, titled ``pyproject.toml``, a distribution whose entry points are declared.
* ``console`` holds commands after ``$`` and what they print, where ``...`` stands for anything and spacing does not matter.
* ``nerva`` and ``python`` commands are run; with a title that says "not run", the options of the ``nerva`` commands are checked only.
"""

from __future__ import annotations

import re
import shlex
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from docs.generator.markdown import with_included
from nerva_core import cli
from nerva_core.algebra import user_files
from nerva_core.algebra.registry import Table
from nerva_core.training.config import parse_config
from sympy_validation import table as theorems

ROOT = Path(__file__).parent.parent.parent
EXECUTED = {"python", "toml", "console"}
SHOWN = {"text", "tex", "coq", "json", "py", "pycon", "c"}
"""What is no code, or, as ``py``, is run by a test of its own."""


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    language: str
    title: str
    text: str


@dataclass(frozen=True)
class Command:
    """A command of a console block, and what the page says that it does."""

    arguments: list[str]
    status: int
    output: str


def blocks(markdown: str) -> Iterator[Block]:
    """The fenced blocks, with included files in them."""
    pattern = r"^```(?P<language>[a-z]*)(?: title=\"(?P<title>[^\"]*)\")?\n(?P<text>.*?)^```$"
    for found in re.finditer(pattern, with_included(markdown, ROOT), re.DOTALL | re.MULTILINE):
        yield Block(found["language"], found["title"] or "", found["text"])


def commands(text: str) -> Iterator[Command]:
    """The commands of a console block."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        line, _, output = part.partition("\n")
        status = re.search(r"# exit status (\d)", line)
        yield Command(shlex.split(line, comments=True), int(status[1]) if status else 0, output)


def check_options(arguments: list[str]) -> None:
    """SystemExit or an error of typer if ``nerva`` does not know the command or an option."""
    group: Any = typer.main.get_command(cli.app)
    name, *rest = arguments[1:]
    assert name in group.commands, f"nerva has no command {name}"
    context = group.make_context("nerva", [name, *rest], resilient_parsing=True)
    group.commands[name].make_context(name, rest, parent=context)


def check_output(wanted: str, got: str) -> None:
    """AssertionError unless the text is what the page says, with anything in the place of three dots, whatever the spacing."""
    pieces = [" ".join(piece.split()) for piece in wanted.split("...")]
    pattern = ".*".join(re.escape(piece) for piece in pieces)
    assert re.fullmatch(pattern, " ".join(got.split())), f"the page says\n{wanted}\nbut it is\n{got}"


@contextmanager
def process(directory: Path) -> Iterator[None]:
    """As in a process of its own: what is registered, imported from the directory or cached inside is forgotten afterwards."""
    before = [(table, dict(table.entries), dict(table._by_key)) for table in Table.of.values()]
    modules = set(sys.modules)
    try:
        yield
    finally:
        for table, entries, keys in before:
            table.entries, table._by_key = entries, keys
        for name in set(sys.modules) - modules:
            if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(directory)):
                del sys.modules[name]
        theorems.table.cache_clear()
        user_files._load.cache_clear()


class Session:
    """The state of a page: a directory, the names that its Python has defined, and a way to run ``nerva``."""

    def __init__(self, directory: Path, nerva: Callable[[list[str]], tuple[int, str]]) -> None:
        self.directory = directory
        self.nerva = nerva
        self.names: dict[str, Any] = {"__name__": "__page__"}
        (directory / "examples").symlink_to(ROOT / "examples")

    def run(self, block: Block) -> None:
        """Do what the block shows."""
        assert block.language in EXECUTED | SHOWN, f"a block needs a language of {sorted(EXECUTED | SHOWN)}: {block.text[:80]!r}"
        if block.language in EXECUTED:
            getattr(self, block.language)(block)

    def python(self, block: Block) -> None:
        """Run it, or write the file of its title."""
        if block.title:
            (self.directory / block.title).write_text(block.text, encoding="utf-8")
        else:
            exec(compile(block.text, "block", "exec", dont_inherit=True), self.names)

    def toml(self, block: Block) -> None:
        """Check a configuration, or declare a distribution."""
        if block.title == "pyproject.toml":
            self._declare(tomllib.loads(block.text)["project"])
        else:
            parse_config(block.text).model.build()
            (self.directory / (block.title or "config.toml")).write_text(block.text, encoding="utf-8")

    def console(self, block: Block) -> None:
        """Run the commands, and compare what they print."""
        runs = "not run" not in block.title
        for command in commands(block.text):
            program = command.arguments[:1]
            if program == ["nerva"]:
                check_options(command.arguments)
            if not runs:
                continue
            assert program == ["nerva"], f"only nerva commands can be run: {command}"
            with process(self.directory):
                status, output = self.nerva(command.arguments[1:])
            assert status == command.status, output
            if command.output.strip():
                check_output(command.output, output)

    def _declare(self, project: dict[str, Any]) -> None:
        """What pip would write of the entry points."""
        information = self.directory / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
        information.mkdir()
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
        groups = project.get("entry-points", {})
        lines = [line for group, points in groups.items() for line in (f"[{group}]", *(f"{k} = {v}" for k, v in points.items()))]
        (information / "entry_points.txt").write_text("\n".join(lines) + "\n")
        sys.path_importer_cache.pop(str(self.directory), None)
