"""Verdicts on foreign code for the terminal, as JSON, and as annotations of a pull request."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from nerva_core.figures.terminal import console as terminal
from nerva_core.training.models import write_atomically
from sympy_validation.foreign.gradient_verdict import GradientVerdict, Rung
from sympy_validation.foreign.requests import Request
from sympy_validation.limits import Limits

COLOURS = {
    Rung.PROVED: "green",
    Rung.SOME_SIZES: "yellow",
    Rung.NOT_PROVED: "yellow",
    Rung.NOT_CAPTURED: "yellow",
    Rung.REFUTED: "bold red",
    Rung.ERROR: "bold red",
}
SEVERITY = (Rung.ERROR, Rung.REFUTED, Rung.NOT_CAPTURED, Rung.NOT_PROVED, Rung.SOME_SIZES, Rung.PROVED)
CONDITIONS = 6
"""So many conditions are shown; the JSON has all."""


def show(requests: Sequence[Request], json_file: Path | None, annotations: bool, quiet: bool, limits: Limits) -> int:
    """Decide, show, and give the exit status: the worst of all."""
    console = terminal()
    verdicts = []
    for request in requests:
        verdict = request.verdict(limits)
        verdicts.append((request, verdict))
        if not (quiet and verdict.as_expected):
            line(console, request, verdict)
        if annotations and not verdict.as_expected:
            print(annotation(request, verdict))
    if json_file:
        text = json.dumps([as_json(r, v) for r, v in verdicts], indent=2, ensure_ascii=False) + "\n"
        write_atomically(json_file, text.encode())
    statuses = {verdict.status for _, verdict in verdicts}
    return int(next((rung for rung in SEVERITY if int(rung) in statuses), Rung.PROVED))


def line(console: Console, request: Request, verdict: GradientVerdict) -> None:
    """The verdict in words, with its conditions."""
    colour = "green" if verdict.as_expected and verdict.rung is not Rung.SOME_SIZES else COLOURS[verdict.rung]
    names = ", ".join(f"d{name}" for name in verdict.gradients)
    text = Text(f"{request.label} ({names}): ").append(verdict.words, style=colour).append(f"  {verdict.seconds:.2f} s", style="dim")
    console.print(text, soft_wrap=True)
    shown = verdict.conditions[:CONDITIONS]
    rest = len(verdict.conditions) - len(shown)
    if shown:
        console.print(Text("    if " + "; ".join(shown) + (f"; and {rest} more" if rest else ""), style="dim"), soft_wrap=True)
    for note in verdict.notes:
        console.print(Text(f"    {note}", style="dim"), soft_wrap=True)


def annotation(request: Request, verdict: GradientVerdict) -> str:
    """A line that GitHub shows beside the code."""
    kind = "error" if verdict.rung in (Rung.REFUTED, Rung.ERROR) else "warning"
    message = verdict.words.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    place = f",line={verdict.line}" if verdict.line else ""
    return f"::{kind} file={request.path}{place},title=nerva prove {request.name}::{message}"


def as_json(request: Request, verdict: GradientVerdict) -> dict[str, Any]:
    """The verdict as JSON has it."""
    return {
        "file": str(request.path),
        "name": request.name,
        "shapes": request.shapes,
        "status": verdict.rung.name.lower(),
        "verdict": verdict.words,
        "expected": verdict.as_expected,
        "gradients": list(verdict.gradients),
        "wrong": list(verdict.wrong),
        "counterexample": str(verdict.counterexample) if verdict.counterexample else None,
        "advice": verdict.advice,
        "conditions": list(verdict.conditions),
        "seconds": round(verdict.seconds, 3),
    }
