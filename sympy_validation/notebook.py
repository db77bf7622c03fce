"""Proofs in a notebook: ``nerva_core.prove("Linear")`` at the end of a cell shows its equations with a verdict for each theorem."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.registry import Entry
from sympy_validation.jobs import verdicts as verdicts_of
from sympy_validation.limits import Limits
from sympy_validation.page import subject_equations
from sympy_validation.report import chosen
from sympy_validation.theorem import Verdict

COLOURS = {"proved": "#2b7a3d", "refuted": "#c2510c", "open": "#a61b1b"}
"""Of the verdicts, readable on light and on dark ground."""
LATEX = {
    "∂": r"$\partial$",
    "⟨": r"$\langle$",
    "⟩": r"$\rangle$",
    "⊙": r"$\odot$",
    "′": r"$'$",
    "_": r"\_",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
}
"""Signs of statements, within text."""


@dataclass(frozen=True, repr=False)
class Verdicts(Sequence[Verdict]):
    """The verdicts on what was asked for, in order; a notebook shows them as a table."""

    verdicts: tuple[Verdict, ...]

    def __getitem__(self, k: Any) -> Any:
        return self.verdicts[k]

    def __len__(self) -> int:
        return len(self.verdicts)

    @property
    def as_expected(self) -> bool:
        """Whether every theorem has the status that it should have."""
        return all(verdict.as_expected for verdict in self)

    def __repr__(self) -> str:
        return "\n".join(f"{v.theorem.subject}: {v.theorem.statement}, {v.theorem.sizes}: {v.words}" for v in self)

    def _repr_html_(self) -> str:
        parts = []
        for subject in dict.fromkeys(v.theorem.subject for v in self):
            rows = "".join(_row(v) for v in self if v.theorem.subject == subject)
            parts.append(f"<p><b>{escape(subject)}</b></p>{subject_equations(subject)}<table>{rows}</table>")
        return f"<div>{''.join(parts)}</div>"

    def _repr_latex_(self) -> str:
        lines = [f"\\text{{{_tex(f'{v.theorem.statement}, {v.theorem.sizes}: ')}}} & \\text{{{_tex(v.words)}}}" for v in self]
        return "\\begin{align*}\n" + " \\\\\n".join(lines) + "\n\\end{align*}"


def prove_named(names: Sequence[str | Entry | type[Entry]], seconds: float) -> Verdicts:
    """The verdicts on what the names say; NervaError if nothing is named, or for a name that there is not."""
    if not names:
        raise NervaError("name what is to be proved, such as prove('Linear')")
    texts = [name if isinstance(name, str) else (name if isinstance(name, type) else type(name)).__name__ for name in names]
    limits = Limits(seconds)
    theorems, own = chosen(texts, limits)
    return Verdicts(tuple(verdicts_of(theorems, own, limits)))


def _row(verdict: Verdict) -> str:
    theorem = verdict.theorem
    colour = COLOURS[verdict.status if verdict.as_expected or verdict.status != "proved" else "open"]
    cells = (escape(theorem.statement), escape(theorem.sizes), f'<span style="color:{colour}">{escape(verdict.words)}</span>')
    advice = f"<br>{escape(verdict.advice)}" if verdict.advice else ""
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells[:-1])}<td>{cells[-1]}{advice}</td></tr>"


def _tex(text: str) -> str:
    return "".join(LATEX.get(c, c) for c in text)
