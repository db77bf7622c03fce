"""What an experiment found: rows "experiment | paper | here | verdict", remarks and figures, as Markdown and JSON (``page``: as HTML)."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

COLUMNS = ("experiment", "paper", "here", "verdict")
FIGURES, CONFIGURATIONS = "figures", "configurations"


class Verdict(StrEnum):
    """What may honestly be said of a statement of a paper."""

    REPRODUCES = "reproduces"
    DIRECTION = "direction only"
    DOES_NOT = "does not reproduce"
    UNKNOWN = "cannot be told"

    @property
    def meaning(self) -> str:
        """When it is given; ``judge`` decides by the seeds."""
        return {
            Verdict.REPRODUCES: "every seed has the effect, and its mean exceeds two standard errors and what the paper states",
            Verdict.DIRECTION: "the effect is there, and smaller, or under other conditions only",
            Verdict.DOES_NOT: "every seed has the opposite, beyond two standard errors; or a theorem says so",
            Verdict.UNKNOWN: "the difference is inside the noise of the seeds, or there is a single seed",
        }[self]


@dataclass(frozen=True)
class Statistic:
    """The values of one quantity, one a seed."""

    values: tuple[float, ...]

    @classmethod
    def of(cls, values: Iterable[float]) -> Statistic:
        """The statistic of these values; a run that diverged gives NaN."""
        return cls(tuple(float(value) for value in values))

    @property
    def finite(self) -> tuple[float, ...]:
        """The values of the runs that did not diverge."""
        return tuple(value for value in self.values if math.isfinite(value))

    @property
    def mean(self) -> float:
        """The mean; NaN if a run diverged."""
        return statistics.fmean(self.values) if len(self.finite) == len(self.values) else math.nan

    @property
    def deviation(self) -> float:
        """The standard deviation of a sample (divisor n - 1); NaN of a single value."""
        return statistics.stdev(self.values) if len(self.finite) == len(self.values) > 1 else math.nan

    def text(self, digits: int = 2) -> str:
        """``85.50 ± 0.33``, or how many runs diverged."""
        if len(self.finite) < len(self.values):
            return f"{len(self.values) - len(self.finite)} of {len(self.values)} diverge"
        spread = f" ± {self.deviation:.{digits}f}" if len(self.values) > 1 else ""
        return f"{self.mean:.{digits}f}{spread}"

    def __sub__(self, other: Statistic) -> Statistic:
        """The differences, seed by seed: runs of the same seed share initial values and the order of examples."""
        return Statistic.of(a - b for a, b in zip(self.values, other.values, strict=True))


def judge(difference: Statistic, enough: float = 0.0) -> Verdict:
    """The verdict on "the difference is positive", from its values by seed.

    It is there if every seed has it and its mean exceeds two standard errors; then it reproduces if the mean is at least ``enough``, what
    the paper states, and has only the direction if not. It is not there if the same holds of its negative. Else it cannot be told.
    A single seed tells nothing, and neither do runs that diverge.
    """
    if len(difference.values) < 2 or len(difference.finite) < len(difference.values):
        return Verdict.UNKNOWN
    error = difference.deviation / math.sqrt(len(difference.values))
    if min(difference.values) > 0 and difference.mean > 2 * error:
        return Verdict.REPRODUCES if difference.mean >= enough else Verdict.DIRECTION
    if max(difference.values) < 0 and -difference.mean > 2 * error:
        return Verdict.DOES_NOT
    return Verdict.UNKNOWN


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
