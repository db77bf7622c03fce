"""One self-contained page with every theorem: equations read from the running code, conditions, certificates and audit figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape
from typing import Any, TypeVar

from nerva_core.algebra.errors import counted
from nerva_core.algebra.registry import Table, parse_call
from nerva_core.equations.activations import ACTIVATIONS
from nerva_core.equations.losses import LOSSES
from nerva_core.equations.optimizers import OPTIMIZERS
from nerva_core.figures.html import anchor, document
from nerva_core.interpreters.latex import Equation, equations
from nerva_core.interpreters.subjects import symbolic
from nerva_core.layers import LAYERS
from sympy_validation.audit import Audit
from sympy_validation.theorem import Verdict

T = TypeVar("T")

TABLES: dict[str, Table[Any]] = {"layers": LAYERS, "activations": ACTIVATIONS, "losses": LOSSES, "optimizers": OPTIMIZERS}
"""The parts of the table of theorems whose subjects have equations to show."""
STYLE = """
.proved { color: var(--good); } .refuted { color: var(--note); } .wrong { color: var(--bad); font-weight: bold; }
"""
INTRODUCTION = """\
Each theorem is proved by running the code that trains. <em>Entries</em>: on matrices of symbols of concrete sizes, differentiated by SymPy.
<em>All sizes</em>: on matrices with symbolic numbers of rows and columns, in a normal form of sums. DY is arbitrary. A theorem that is
refuted has an exact counterexample; the ones that should be refuted are formulas that are printed wrong."""


def page(verdicts: list[Verdict], audits: list[Audit]) -> str:
    """The page, in HTML."""
    subjects = _grouped(verdicts, lambda verdict: verdict.theorem.subject)
    figures = _grouped(audits, lambda audit: audit.subject)
    parts = _grouped(subjects, lambda subject: subject.partition(".")[0])
    body = "".join(
        f"<h2>{escape(part.capitalize())}</h2>" + "".join(_section(s, subjects[s], figures.get(s, [])) for s in members)
        for part, members in parts.items()
    )
    links = "".join(f'<a href="#{anchor(subject)}">{escape(_title(subject))}</a>' for subject in subjects)
    head = f"<h1>Theorems about the code that trains</h1>\n<p>{INTRODUCTION}</p>\n<p>{_counts(verdicts, audits)}</p>\n<nav>{links}</nav>\n"
    return document("Nerva: theorems", head + body, STYLE)


def _grouped(items: Iterable[T], key: Callable[[T], str]) -> dict[str, list[T]]:
    """The items of each key, in the order of their first."""
    groups: dict[str, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def _title(subject: str) -> str:
    return subject.partition(".")[2] or subject


def _counts(verdicts: list[Verdict], audits: list[Audit]) -> str:
    proved = sum(v.status == "proved" for v in verdicts)
    unexpected = sum(not v.as_expected for v in verdicts)
    refuted = sum(v.status == "refuted" for v in verdicts)
    text = f"{counted(len(verdicts), 'theorem')}: {proved} proved, {refuted} refuted by a counterexample"
    text += f', <span class="wrong">{unexpected} not as expected</span>' if unexpected else ", each as it should be"
    text += f"; {sum(v.seconds for v in verdicts):.1f} s."
    return text + (f" Audit: {_figures(audits)}" if audits else "")


def _figures(audits: list[Audit]) -> str:
    counts = [sum(len(getattr(a, name)) for a in audits) for name in ("mutants", "killed", "equivalent", "survivors")]
    return "{} mutants with one faulty operation, {} refused by a counterexample, {} the same function, {} survived.".format(*counts)


def _section(subject: str, verdicts: list[Verdict], audits: list[Audit]) -> str:
    rows = "".join(_row(verdict) for verdict in verdicts)
    figures = f'<p class="small">Audit: {_figures(audits)}</p>' if audits else ""
    return (
        f'<section id="{anchor(subject)}"><h3>{escape(_title(subject))}</h3>{subject_equations(subject)}<div class="scroll"><table>'
        f"<tr><th>statement<th>proved for<th>conditions<th>verdict<th></tr>{rows}</table></div>{figures}</section>\n"
    )


def _row(verdict: Verdict) -> str:
    theorem = verdict.theorem
    kind = verdict.status if verdict.as_expected else "wrong"
    sizes = theorem.sizes if theorem.sizes.startswith("all") else f"{theorem.method}: {theorem.sizes}"
    conditions = "<br>".join(escape(condition) for condition in verdict.conditions)
    return (
        f"<tr><td>{escape(theorem.statement)}<td>{escape(sizes)}"
        f'<td class="small">{conditions}<td class="{kind}">{escape(verdict.words)}<td class="time">{verdict.seconds:.2f} s</tr>'
    )


def subject_equations(subject: str) -> str:
    """The equations of a layer, activation, loss or optimizer, as its running code has them."""
    part, _, name = subject.partition(".")
    if part not in TABLES or name not in TABLES[part]:
        return ""
    found = equations(symbolic(TABLES[part], parse_call(name)))
    groups = (("", found.forward), ("backward" if part == "layers" else "gradient", found.backward), ("where", found.where))
    return f'<div class="equations">{"".join(_group(heading, lines) for heading, lines in groups if lines)}</div>'


def _group(heading: str, lines: Iterable[Equation]) -> str:
    return (f"<p>{heading}</p>" if heading else "") + "".join(line.mathml() for line in lines)
