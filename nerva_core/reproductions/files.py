"""What a reproduction writes: pages, JSON, figures and configurations."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from nerva_core.algebra.errors import NervaError
from nerva_core.reproductions.page import to_html
from nerva_core.reproductions.report import CONFIGURATIONS, FIGURES, Report, to_json, to_markdown
from nerva_core.training.models import write_atomically


def write(reports: Sequence[Report], directory: Path) -> None:
    """The pages report.html and report.md, report.json, and for each report its figures and configurations.

    Of several reports each has a folder of its own.
    """
    for report in reports:
        folder = directory / report.name if len(reports) > 1 else directory
        for kind, files in ((FIGURES, report.findings.figures), (CONFIGURATIONS, report.configurations)):
            if files:
                make_directory(folder / kind)
            for name, content in files.items():
                suffix, data = ("png", content) if isinstance(content, bytes) else ("toml", content.encode())
                write_atomically(folder / kind / f"{re.sub(r'[^0-9A-Za-z._]+', '-', name).strip('-')}.{suffix}", data)
    write_atomically(directory / "report.html", to_html(reports).encode())
    write_atomically(directory / "report.md", to_markdown(reports).encode())
    write_atomically(directory / "report.json", to_json(reports).encode())


def make_directory(path: Path) -> None:
    """Make a directory and those above it; NervaError if that fails."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NervaError(f"cannot make the directory {path}: {error.strerror}") from None
