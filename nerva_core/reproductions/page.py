"""The findings of experiments as one HTML page that stands alone, with its figures."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape

from nerva_core.figures.html import anchor, document
from nerva_core.reproductions.report import COLUMNS, Report, Row
from nerva_core.reproductions.verdicts import Verdict

COLOURS = {Verdict.REPRODUCES: "good", Verdict.DIRECTION: "note", Verdict.DOES_NOT: "bad", Verdict.UNKNOWN: "soft"}
STYLE = """
td.verdict { white-space: nowrap; } .rows td:first-child { min-width: 11rem; } ul { padding-left: 1.2rem; }
dt { margin-top: .4rem; } dd { margin: 0; }
table.counts td:not(:first-child), table.counts th:not(:first-child) { text-align: right; }
@media (max-width: 40rem) {
  table.counts :is(td, th):last-child { display: none; }
  table.rows tr:first-child { display: none; } table.rows tr { display: block; padding: .6rem 0; border-bottom: 1px solid var(--line); }
  table.rows td { display: block; border: 0; padding: .1rem 0; }
  table.rows td[data-column]:not(:first-child)::before { content: attr(data-column) ": "; color: var(--soft); }
}
"""
INTRODUCTION = """\
Each statement of a paper beside what the same experiment gives here. Values are means ± standard deviations over the seeds (those of a
sample); runs of one seed share initial values and the order of examples, so that differences are taken seed by seed."""


def to_html(reports: Sequence[Report]) -> str:
    """One page: the verdicts and what they mean, then the table, remarks, figures and settings of each report."""
    one = len(reports) == 1
    title = reports[0].title if one else "Reproductions"
    summary = "" if one else _counts(reports)
    body = f"<h1>{escape(title)}</h1>\n<p>{INTRODUCTION}</p>\n{summary}{_meanings()}\n"
    return document(f"Nerva: {title}", body + "\n".join(_section(report, "" if one else report.title) for report in reports), STYLE)


def _counts(reports: Sequence[Report]) -> str:
    """How many statements of each paper have which verdict."""
    lines = [_line("th", ("paper's experiments", *Verdict, "time"))]
    for report in reports:
        verdicts = [row.verdict for row in report.findings.rows]
        link = f'<a href="#{anchor(report.name)}">{escape(report.name)}</a>'
        lines.append(_line("td", (link, *(str(verdicts.count(verdict)) for verdict in Verdict), f"{report.seconds:.0f} s")))
    return f'<div class="scroll"><table class="counts">{"".join(lines)}</table></div>\n'


def _line(tag: str, contents: Iterable[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{content}</{tag}>' for content in contents)}</tr>"


def _meanings() -> str:
    items = [f'<dt class="{COLOURS[verdict]}">{verdict}</dt><dd>{escape(verdict.meaning)}</dd>' for verdict in Verdict]
    return f"<details><summary>What the verdicts mean</summary><dl>{''.join(items)}</dl></details>"


def _section(report: Report, heading: str) -> str:
    findings = report.findings
    lines = [f'<section id="{anchor(report.name)}">', f"<h2>{escape(heading)}</h2>" if heading else ""]
    lines += [
        f'<p class="small">{escape(report.paper)}.</p>',
        f'<table class="rows">{_line("th", COLUMNS)}',
        *map(_row, findings.rows),
        "</table>",
    ]
    lines += ["<ul>", *(f"<li>{escape(remark)}</li>" for remark in findings.remarks), "</ul>"] if findings.remarks else []
    lines += [_figure(findings.captions.get(name, name), png) for name, png in findings.figures.items()]
    settings = ", ".join(f"{key} {value}" for key, value in report.settings.items())
    lines += [f'<p class="small">Settings: {escape(settings)}; {report.seconds:.0f} s.</p>', "</section>"]
    return "\n".join(filter(None, lines))


def _row(row: Row) -> str:
    """A row; on a narrow screen it is a block, and each cell says what it is."""
    cells = [f'<td data-column="{column}">{escape(getattr(row, column))}</td>' for column in COLUMNS[:-1]]
    return f'<tr>{"".join(cells)}<td class="verdict {COLOURS[row.verdict]}" data-column="{COLUMNS[-1]}">{row.verdict}</td></tr>'


def _figure(caption: str, png: bytes) -> str:
    data = base64.b64encode(png).decode()
    return f'<figure><img alt="{escape(caption)}" src="data:image/png;base64,{data}"><figcaption>{escape(caption)}</figcaption></figure>'
