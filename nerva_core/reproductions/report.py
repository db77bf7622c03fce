"""Reports of experiments: rows "experiment | paper | here | verdict", remarks and figures, as Markdown and JSON (``page``: as HTML)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nerva_core.reproductions.verdicts import Verdict

COLUMNS = ("experiment", "paper", "here", "verdict")
FIGURES, CONFIGURATIONS = "figures", "configurations"


@dataclass(frozen=True)
class Row:
    """One statement of a paper and what was found."""

    experiment: str
    paper: str
    here: str
    verdict: Verdict
    values: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """The numbers behind ``here``, one a seed, for the JSON file."""


@dataclass(frozen=True)
class Findings:
    """What an experiment returns."""

    rows: Sequence[Row]
    remarks: Sequence[str] = ()
    figures: Mapping[str, bytes] = field(default_factory=dict)
    """PNG files by name, in the order in which they are shown."""
    captions: Mapping[str, str] = field(default_factory=dict)
    """What a figure shows, by its name; the name if there is none."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """All that was measured, for the JSON file."""


@dataclass(frozen=True)
class Report:
    """The findings of an experiment, and how they were made."""

    name: str
    title: str
    paper: str
    findings: Findings
    settings: Mapping[str, Any]
    """Budget, seeds, data, backend, versions: what is needed to do it again."""
    seconds: float
    configurations: Mapping[str, str] = field(default_factory=dict)
    """The configuration of every kind of run as TOML, for ``nerva train``."""

    def to_dict(self) -> dict[str, Any]:
        """All but the figures, as JSON has it."""
        rows = [
            {**{column: str(getattr(row, column)) for column in COLUMNS}, "values": {k: list(v) for k, v in row.values.items()}}
            for row in self.findings.rows
        ]
        return {
            "name": self.name,
            "title": self.title,
            "paper": self.paper,
            "rows": rows,
            "remarks": list(self.findings.remarks),
            "figures": [f"{FIGURES}/{name}.png" for name in self.findings.figures],
            "data": dict(self.findings.data),
            "settings": dict(self.settings),
            "seconds": round(self.seconds, 1),
        }


def to_json(reports: Sequence[Report]) -> str:
    """One object for one report, a list for several. Strict JSON: what is not a number is null."""
    content: Any = [report.to_dict() for report in reports]
    return json.dumps(_finite(content[0] if len(content) == 1 else content), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def to_markdown(reports: Sequence[Report]) -> str:
    """One page: of several reports first how many statements of each have which verdict, then their tables, remarks and figures."""
    parts = [_section(report, figures=f"{report.name}/{FIGURES}" if len(reports) > 1 else FIGURES) for report in reports]
    if len(reports) == 1:
        return f"# {parts[0]}"
    counts = [[r.name, *(str(sum(row.verdict == v for row in r.findings.rows)) for v in Verdict), f"{r.seconds:.0f} s"] for r in reports]
    summary = _table(("paper's experiments", *Verdict, "time"), counts)
    return "\n".join(["# Reproductions", "", summary, "", *(f"## {part}" for part in parts)])


def _section(report: Report, figures: str) -> str:
    """A report in Markdown, without the mark of its heading."""
    findings = report.findings
    lines = [report.title, "", f"{report.paper}.", ""]
    lines += [_table(COLUMNS, [[str(getattr(row, column)) for column in COLUMNS] for row in findings.rows]), ""]
    lines += [f"* {remark}" for remark in findings.remarks] + [""] * bool(findings.remarks)
    for name in findings.figures:
        caption = findings.captions.get(name, name)
        lines += [f"![{caption}]({figures}/{name}.png)", "", f"*{caption}*", ""]
    lines += ["Settings: " + ", ".join(f"{key} {value}" for key, value in report.settings.items()) + f"; {report.seconds:.0f} s.", ""]
    return "\n".join(lines)


def _table(header: Iterable[str], rows: Sequence[Sequence[str]]) -> str:
    titles = list(header)
    cells = [[cell.replace("|", "\\|") for cell in row] for row in (titles, ["---"] * len(titles), *rows)]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
