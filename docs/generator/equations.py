"""A page for every layer, activation, loss, ..., made from its running code, and an overview of each table."""

from __future__ import annotations

import dataclasses
import inspect
import re
from functools import cache
from pathlib import Path
from typing import Any

from docs.generator.api import page_of
from docs.generator.evidence import KINDS, Evidence, accuracy_table, theorem_table
from docs.generator.markdown import cell, details, link, prose, table
from docs.generator.plots import plot
from nerva_core.algebra.registry import Entry, EntryCall, Table, user_fields
from nerva_core.interpreters import subjects
from nerva_core.interpreters.costs import costs
from nerva_core.interpreters.description import remarks, summary
from nerva_core.interpreters.latex import Equation, Equations, equations
from nerva_core.interpreters.subjects import kind_of, symbolic
from nerva_core.training import catalogue

ROOT = Path(__file__).parent.parent.parent
WITHOUT_EQUATIONS = ("data sources", "grids", "initial step values")
"""Tables of the catalogue that have no pages here."""

HEAD = """\
# The equations

Nobody typed these pages. Each equation is read from the code that trains, while it runs on symbols; the shapes and operation counts
come from the same run, for all N, D and K. Change one line of a layer, and its page, its proof and its cost change with it.

In a terminal, `nerva show BatchNormalization` prints the same. `--format latex` writes a part of a paper that loads amsmath and
amssymb, long equations over several lines; with `--standalone` it is a whole document. A batch X has N rows, one an example, and D columns;
after a layer it has K. DX is the gradient with respect to X. ⊙ is the elementwise product, 1_N a column of N ones.
"""


def equation_pages(evidence: Evidence) -> dict[str, str]:
    """The pages under equations/."""
    tables = {title: entries for title, entries in catalogue.TABLES.items() if title not in WITHOUT_EQUATIONS}
    pages = {
        "equations/index.md": HEAD + "".join(f"\n## {title.capitalize()}\n\n{_overview(title, t, evidence)}" for title, t in tables.items())
    }
    for title, entries in tables.items():
        pages[f"equations/{_slug(title)}/index.md"] = f"# {title.capitalize()}\n\n{_overview(title, entries, evidence, inside=True)}"
        for name in entries.entries:
            page = f"equations/{_slug(title)}/{name}.md"
            pages[page] = entry_page(page, title, entries, name, evidence)
    return pages


def _slug(title: str) -> str:
    return title.replace(" ", "-")


def _overview(title: str, entries: Table[Any], evidence: Evidence, inside: bool = False) -> str:
    rows = []
    for name, entry in entries.entries.items():
        target = f"{name}.md" if inside else f"{_slug(title)}/{name}.md"
        rows.append([f"[{name}]({target})", cell(summary(entry)), _status(evidence.theorems(f"{title}.{name}"))])
    return table(["", "", "theorems"], rows)


def _status(verdicts: list[dict[str, Any]]) -> str:
    if not verdicts:
        return ""
    wrong = sum(verdict["status"] != verdict["expected"] for verdict in verdicts)
    count = {status: sum(verdict["status"] == status for verdict in verdicts) for status in ("proved", "refuted")}
    refuted = f", {count['refuted']} refuted as they should be" if count["refuted"] else ""
    text = f"{count['proved']} proved{refuted}" if not wrong else f"{wrong} of {len(verdicts)} not as expected"
    return f'<span class="{"refuted" if wrong else "proved"}">{text}</span>'


def entry_page(page: str, title: str, entries: Table[Any], name: str, evidence: Evidence) -> str:
    """Everything that is known of one entry."""
    entry = entries.lookup(name)
    parts = [f"# {name}", prose(summary(entry)), _call_line(entry)]
    if entries in subjects.TABLES:
        subject = symbolic(entries, EntryCall(name))
        found = equations(subject)
        _, _, first, second = kind_of(subject)
        parts += [
            _equations(first, found.forward),
            _equations(second, found.backward),
            _equations("Where", found.where),
            _shapes_and_costs(subject, found, first, second),
        ]
    parts += [plot(entries, name), _theorems(title, name, evidence), _accuracy(title, name, evidence), _source(page, entry)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _call_line(entry: type[Entry]) -> str:
    return f"``` {{ .py .no-copy }}\n{catalogue.signature(entry)}\n```"


def _equations(heading: str, found: list[Equation]) -> str:
    if not found:
        return ""
    latex = " \\\\\n".join(f"{equation.left.latex()} &= {equation.right.latex()}" for equation in found)
    source = details("LaTeX", "latex", f"\\begin{{align*}}\n{latex}\n\\end{{align*}}", "tex")
    return f"## {heading}\n\n{typeset(found)}\n\n{source}"


def typeset(found: list[Equation]) -> str:
    """The equations one below the other, aligned at the equal signs, as MathML, which browsers show without a script."""
    left = '<mtd style="text-align: left">'
    rows = "".join(f"<mtr>{left}{e.left.mathml()}</mtd><mtd><mo>=</mo></mtd>{left}{e.right.mathml()}</mtd></mtr>" for e in found)
    return f'<div class="equations"><math display="block"><mtable displaystyle="true">{rows}</mtable></math></div>'


def _shapes_and_costs(subject: Any, found: Equations, first: str, second: str) -> str:
    quantities = {left.mathml(): shape for left, shape in found.given}
    quantities |= {equation.left.mathml(): equation.shape for equation in (*found.forward, *found.backward)}
    if not quantities:
        return ""
    groups: dict[str, list[str]] = {}
    for quantity, shape in quantities.items():
        groups.setdefault(shape.product, []).append(f"<math>{quantity}</math>")
    counts = costs(subject)
    cost = [[heading.lower(), str(count)] for heading, count in ((first, counts.forward), (second, counts.backward)) if heading]
    return (
        f"## Shapes\n\n{table(['rows × columns', 'matrices'], [[product, ', '.join(names)] for product, names in groups.items()])}\n"
        f"## Operations\n\n{table(['', 'operations on numbers'], cost)}\n"
        "A product of an m × n with an n × k matrix counts 2mnk, an elementwise function or a sum over an m × n matrix mn."
    )


def _theorems(title: str, name: str, evidence: Evidence) -> str:
    verdicts = evidence.theorems(f"{title}.{name}")
    command = f"`nerva prove {title}.{name}`" if title != "gradient activations" else "`nerva prove GAF`"
    if not evidence.verdicts:
        return f"## Theorems\n\nThis site was built without the proofs; {command} makes them."
    if not verdicts:
        return ""
    return f"## Theorems\n\n{theorem_table(verdicts)}\n{command} proves them again. DY is arbitrary, so they hold for every loss."


def _accuracy(title: str, name: str, evidence: Evidence) -> str:
    errors = evidence.accuracy(title, name)
    if not errors:
        return f"## Accuracy\n\n`nerva compare {name}` measures it; it is not yet among the kept results." if title in KINDS else ""
    within = all(error["within"] for error in errors)
    verdict = "All are within their bounds" if within else "**Not all are within their bounds**"
    content = (
        "The largest distance from the exact value, over all inputs of the comparison, eager and compiled, in "
        "float64 / float32. [How it is measured](../../accuracy.md). "
        f"{verdict}; `nerva compare {name}` measures again.\n\n{accuracy_table(errors)}"
    )
    return f"## Accuracy\n\n{content}"


def _source(page: str, entry: type[Entry]) -> str:
    rest, paper = remarks(entry)
    text = with_errata(prose("\n\n".join(part for part in (rest, paper) if part)), page)
    module = entry.__module__
    line = inspect.getsourcelines(entry)[1]
    where = link(f"`{module}.{entry.__name__}`", f"{page_of(module, ROOT)}#{module}.{entry.__name__}", page)
    return f"## Source\n\n{text}\n\nThe code: {where}, line {line} of `{module.replace('.', '/')}.py`.\n\n{_parameters(entry)}"


def _parameters(entry: type[Entry]) -> str:
    fields = [*user_fields(entry).values()]
    if not fields:
        return ""
    missing = dataclasses.MISSING
    rows = [
        [f"`{f.name.rstrip('_')}`", cell(str(f.type)), f"`{f.default!r}`" if f.default is not missing else "must be given"] for f in fields
    ]
    return table(["parameter", "type", "default"], rows)


@cache
def known_errata() -> frozenset[str]:
    """The errata that have a place on their page."""
    return frozenset(re.findall(r"^## (\d{3}-\w+):", (ROOT / "docs/errata.md").read_text(encoding="utf-8"), re.MULTILINE))


def with_errata(text: str, page: str) -> str:
    """Link the numbers of errata."""
    return re.sub(r"\b\d{3}-\d\d\w?\b", lambda m: link(m[0], f"errata.md#{m[0]}", page) if m[0] in known_errata() else m[0], text)
