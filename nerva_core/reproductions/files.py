"""Files that a reproduction writes: pages, JSON, figures and configurations."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

from nerva_core.algebra.errors import NervaError
from nerva_core.reproductions.page import to_html
from nerva_core.reproductions.report import CONFIGURATIONS, FIGURES, Report, to_json, to_markdown
from nerva_core.training.models import write_atomically

Budget = Literal["quick", "full"]
RUNS, ORDER = "runs", "order.json"
"""In the directory of a report: the folder of its runs, and what was asked for."""


@dataclass(frozen=True)
class Order:
    """What ``nerva reproduce`` was asked for, so that it can go on after an interruption."""

    name: str
    budget: Budget
    backend: str | None
    data: str | None
    seeds: str | None
    fraction: float | None


def write_order(order: Order, directory: Path) -> None:
    """Keep what was asked for beside the report."""
    write_atomically(directory / ORDER, (json.dumps(asdict(order), indent=1, ensure_ascii=False) + "\n").encode())


def read_order(directory: Path) -> Order:
    """What was asked for. NervaError if there is no such report, or its file is damaged."""
    path = directory / ORDER
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        order = Order(**values)
    except OSError as error:
        raise NervaError(f"{directory} holds no report to continue: cannot read {path}: {error.strerror}") from None
    except (TypeError, ValueError, RecursionError):
        raise NervaError(f"{path} is damaged: it does not say what was to be reproduced") from None
    sound = {"name": str, "budget": str, "backend": str | None, "data": str | None, "seeds": str | None, "fraction": float | None}
    if any(not isinstance(values[key], kind) for key, kind in sound.items()) or order.budget not in get_args(Budget):
        raise NervaError(f"{path} is damaged: it does not say what was to be reproduced")
    return order


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
