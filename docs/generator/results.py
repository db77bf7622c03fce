"""What the pages say of reproductions, from the reports of ``nerva reproduce`` that are kept in docs/data/reproductions/.

    nerva reproduce gaf --quick --output build/gaf
    python -m docs.generator.results build/gaf

keeps the report and its figures, and writes its numbers into every page between ``<!-- results: gaf quick -->`` and ``<!-- end -->``.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from docs.generator.markdown import table
from nerva_core.reproductions.watch import duration

DOCS = Path(__file__).parent.parent
REPORTS = DOCS / "data" / "reproductions"
COLUMNS = ("experiment", "paper", "here", "verdict")
PAGES = {"q-neurons": "q_neurons.md", "q-neurons-cnn": "q_neurons.md", "gaf": "gaf.md", "tmaf": "tmaf.md"}
"""The page of an experiment, where it is not that of the word before the first hyphen."""


def page_of(name: str) -> str:
    """The page that has the results of an experiment."""
    return PAGES.get(name, f"{name.partition('-')[0]}.md")


def read(name: str, budget: str) -> dict[str, Any]:
    """The report that is kept of an experiment."""
    report: dict[str, Any] = json.loads((REPORTS / f"{name}-{budget}.json").read_text(encoding="utf-8"))
    return report


def results(name: str, budget: str) -> str:
    """The rows of a report, its remarks, and how it was made."""
    if not (REPORTS / f"{name}-{budget}.json").exists():
        return f"No report of `nerva reproduce {name} --{budget}` is kept.\n"
    report = read(name, budget)
    rows = table(COLUMNS, [[_cell(row[column]) for column in COLUMNS] for row in report["rows"]])
    remarks = "\n".join(f"* {remark}" for remark in [*report["remarks"], _settings(report)])
    return f"{rows}\n{remarks}\n"


def summary() -> str:
    """Every statement of the reports in the quick budget, with its verdict."""
    rows = []
    for path in sorted(REPORTS.glob("*-quick.json")):
        report = read(path.stem.removesuffix("-quick"), "quick")
        first = f"[{report['title'].partition(':')[0]}]({page_of(report['name'])})"
        rows += [[first * (not k), _cell(row["experiment"]), row["verdict"]] for k, row in enumerate(report["rows"])]
    return table(("experiments", "statement", "verdict"), rows)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*")


def _settings(report: dict[str, Any]) -> str:
    s = report["settings"]
    seeds = len(s["seeds"].split())
    data = f"`{s['data']}`, " if s.get("data") else ""
    return (
        f"`--{s['budget']}`: {data}{seeds} seeds, {s['backend']} in float32, {s['processor seconds']:.0f} s of processor time on one core."
    )


def costs() -> str:
    """What a run of the full budget takes, from the measured costs that are kept."""
    rows = []
    for path in sorted(REPORTS.glob("*-cost.json")):
        for name, found in json.loads(path.read_text(encoding="utf-8"))["costs"].items():
            for cost in found:
                step, one = f"{1000 * cost['step']:,.0f}", duration(cost["step"] * cost["steps"])
                rows.append([f"`{name}`", cost["kind"], f"{cost['parameters']:,}", step, f"{cost['steps']:,}", one])
    return table(("experiment", "network", "parameters", "ms a step", "steps of a run", "processor time of a run"), rows)


def filled(markdown: str) -> str:
    """The page with what the reports say between its marks."""

    def replaced(found: re.Match[str]) -> str:
        words = found[1].split()
        special = {"summary": summary, "costs": costs}
        text = special[words[0]]() if words[0] in special else results(*words)
        return f"<!-- results: {found[1]} -->\n\n{text}\n<!-- end -->"

    return re.sub(r"<!-- results: (.+?) -->\n.*?<!-- end -->", replaced, markdown, flags=re.DOTALL)


def keep(directory: Path) -> None:
    """Keep the report of a directory that ``nerva reproduce`` wrote, and its figures."""
    report = json.loads((directory / "report.json").read_text(encoding="utf-8"))
    REPORTS.mkdir(exist_ok=True)
    target = REPORTS / f"{report['name']}-{report['settings']['budget']}.json"
    target.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for figure in report["figures"]:
        prefix = report["name"].replace("-", "_")
        shutil.copyfile(directory / figure, DOCS / "images" / f"{prefix}_{Path(figure).name}")


def main(*directories: str) -> None:
    """Keep these reports, and fill all pages."""
    for directory in directories:
        keep(Path(directory))
    for page in DOCS.glob("*.md"):
        page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
