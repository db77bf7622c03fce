"""Pieces of Markdown."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from pathlib import Path


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; its cells are Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def cell(text: str) -> str:
    """Plain text as the content of a cell; what a docstring has in double backticks is code."""
    parts = re.split(r"``([^`]+)``", text.replace("\n", " "))
    return "".join(f"`{part}`".replace("|", r"\|") if k % 2 else _escaped(part) for k, part in enumerate(parts))


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_|\[\]])", r"\\\1", html.escape(text, quote=False))


def prose(docstring: str) -> str:
    """A docstring as Markdown: what looks like HTML is text, and a list after a line of text begins a paragraph."""
    parts = re.split(r"(`+[^`]+`+)", docstring)
    text = "".join(part if k % 2 else part.replace("<", "&lt;") for k, part in enumerate(parts))
    return re.sub(r"(?<=[^\n])\n(?=\* )(?<!\n\n)", "\n", text)


def details(title: str, kind: str, content: str, language: str = "") -> str:
    """Something that opens when it is clicked."""
    block = f"```{language}\n{content}\n```" if language else content
    body = "\n".join(f"    {line}" if line else "" for line in block.splitlines())
    return f'??? {kind} "{title}"\n\n{body}\n'


def link(text: str, target: str, page: str) -> str:
    """A link from one page to another, both given by their paths in the site."""
    return f"[{text}]({'../' * page.count('/')}{target})"


def with_included(markdown: str, root: Path) -> str:
    """Files of the repository in the place of lines such as ``# include: examples/my_layer.py``."""
    return re.sub(r"^# include: (\S+)$", lambda m: (root / m[1]).read_text(encoding="utf-8").rstrip(), markdown, flags=re.MULTILINE)
