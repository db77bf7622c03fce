"""The page that shows the files of examples/."""

from __future__ import annotations

import ast
from pathlib import Path

HEAD = """\
# Examples

Complete files from `examples/`; the tests run all of them. The scripts are divided into cells by `# %%`, so that an editor can run
them step by step like a notebook.
"""
LANGUAGES = {".py": "python", ".toml": "toml"}


def examples_page(root: Path) -> str:
    """The files, each with what its first lines say."""
    files = sorted((root / "examples").iterdir(), key=lambda path: (path.suffix, path.name))
    return HEAD + "".join(_section(path) for path in files if path.suffix in LANGUAGES)


def _section(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    anchor = path.name.replace(".", "-").replace("_", "-")
    run = f"python examples/{path.name}" if path.suffix == ".py" else f"nerva train examples/{path.name}"
    about = (ast.get_docstring(ast.parse(text)) or "").partition("\n\n")[0] + "\n\n" if path.suffix == ".py" else ""
    return f"\n## {path.name} {{ #{anchor} }}\n\n{about}`{run}`\n\n```{LANGUAGES[path.suffix]}\n{text}```\n"
