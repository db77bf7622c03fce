"""Reasons and conditions in plain words, with the line of the user's code."""

from __future__ import annotations

import inspect
import linecache
import re
import traceback
from pathlib import Path

from sympy_validation.foreign.code import Code

LETTERS = "ijklmnpq"
LINE = 70
"""So many characters of a line of code are shown."""


def readable(text: str) -> str:
    """A text of the prover with letters in the place of numbered indices."""
    return re.sub(r"\bi(\d+)_(\d+)\b", lambda m: LETTERS[int(m[1]) % len(LETTERS)] + ("" if m[2] == "0" else m[2]), text)


def line_of(error: BaseException, code: Code) -> str:
    """Where in the user's files it happened."""
    folder = Path(code.module.__file__ or ".").resolve().parent
    own = [
        f
        for f in traceback.extract_tb(error.__traceback__)
        if folder in Path(f.filename).resolve().parents and "sympy_validation" not in f.filename
    ]
    return f" ({Path(own[-1].filename).name}, line {own[-1].lineno}: {own[-1].line})" if own else ""


def source_line(file: str, line: int, code: Code) -> str:
    """The number of a line of the user's files, and the line; empty for a line of other files."""
    folder = Path(code.module.__file__ or ".").resolve().parent
    text = linecache.getline(file, line).strip() if folder in Path(file or ".").resolve().parents else ""
    return f"line {line} `{shortened(text)}`" if text else ""


def shortened(text: str) -> str:
    """A line of code that fits into a message."""
    return text if len(text) <= LINE else text[: LINE - 4] + " ..."


def where(code: Code) -> int:
    """The line at which the code is defined."""
    try:
        return inspect.getsourcelines(getattr(code.object, "fun", code.object))[1]
    except (OSError, TypeError):
        return 0
