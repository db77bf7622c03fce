"""Everything that the pages show is run: their Python, their configurations, their commands with what these print."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from page import ROOT, Block, Session, blocks, check_options, commands, process

from tests.conftest import Nerva

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], nerva: Nerva) -> Iterator[Session]:
    """A new session; what it registers and imports is forgotten afterwards."""
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.syspath_prepend(str(tmp_path))

    def printed(arguments: list[str]) -> tuple[int, str]:
        """The exit status, and all that is printed."""
        capfd.readouterr()
        status, out, err = nerva(*arguments)
        return status, out + err

    with process(tmp_path):
        yield Session(tmp_path, printed)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_blocks_of_a_page_do_what_they_show(page: Path, session: Session) -> None:
    for block in blocks(page.read_text(encoding="utf-8")):
        session.run(block)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_nerva_command_has_known_options(page: Path) -> None:
    """Also of those in a sentence or an indented block."""
    text = page.read_text(encoding="utf-8")
    for line in re.findall(r"(?:^ +\.venv/bin/|`)(nerva [a-z]+ [^`#\n]*)", text, re.MULTILINE):
        if "..." not in line and not re.search(r" [A-Z]+\b", line):
            (command,) = commands(f"$ {line}\n")
            check_options(command.arguments)


def test_there_is_something_to_run() -> None:
    found = [block for page in PAGES for block in blocks(page.read_text(encoding="utf-8"))]
    assert sum(block.language == "python" for block in found) >= 10
    assert sum(block.language == "console" and "not run" not in block.title for block in found) >= 10


def test_wrong_pages_are_noticed(session: Session) -> None:
    wrong = {
        "the language": Block("", "", "nerva list"),
        "an exception": Block("python", "", "1 / 0"),
        "a wrong output": Block("console", "", "$ nerva show Linear\nLinear (layer)\n...\nDW = DY · X\n..."),
        "a wrong status": Block("console", "", "$ nerva show Linear   # exit status 1"),
        "an unknown command": Block("console", "not run", "$ nerva trian"),
        "another program": Block("console", "", "$ rm x"),
        "a wrong configuration": Block("toml", "", "epochs = 3"),
    }
    for what, block in wrong.items():
        try:
            session.run(block)
        except Exception:  # whatever it is
            continue
        pytest.fail(f"{what} was not noticed")
    with pytest.raises(Exception, match="No such option"):
        session.run(Block("console", "not run", "$ nerva train --epoch 3"))


def test_right_pages_are_not(session: Session) -> None:
    session.run(Block("console", "", "$ nerva show Linear\nLinear (layer)\n...\n  DW = DYᵀ · X\n..."))
    session.run(Block("python", "a.py", "x = 3"))
    session.run(Block("python", "", "import a\nassert a.x == 3"))
