"""No file has more than 350 lines and no function more than 50: what is longer is more than one idea."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent

MOST_LINES = {"file": 350, "function": 50}


def too_long(source: str) -> list[str]:
    """The file, if it has too many lines, and its functions that have."""
    lines = len(source.splitlines())
    found = [f"{lines} lines"] if lines > MOST_LINES["file"] else []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            found += [f"{node.name}: {lines} lines"] if lines > MOST_LINES["function"] else []
    return found


def test_no_file_and_no_function_is_too_long() -> None:
    folders = ("nerva_core", "backends", "sympy_validation", "docs", "examples", "tests")
    found = {path: too_long(path.read_text()) for folder in folders for path in (ROOT / folder).rglob("*.py")}
    assert {str(path.relative_to(ROOT)): lines for path, lines in found.items() if lines} == {}


def test_what_is_too_long_is_seen() -> None:
    function = "def f():\n" + "    g()\n" * 50
    assert too_long(function) == ["f: 51 lines"]
    assert too_long(function.replace("    g()\n", "", 1)) == []
    assert too_long("x = 1\n" * 351) == ["351 lines"]
    assert too_long("x = 1\n" * 350) == []
