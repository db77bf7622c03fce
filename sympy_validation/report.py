"""Running the proofs for the command line: rows in the terminal, JSON, and the page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from nerva_core.algebra.errors import NervaError, counted
from nerva_core.figures.terminal import console as terminal
from nerva_core.training.models import write_atomically
from sympy_validation.audit import Audit, audit
from sympy_validation.jobs import verdicts as verdicts_of
from sympy_validation.limits import Limits
from sympy_validation.table import select, table
from sympy_validation.theorem import LIMITS, Key, Theorem, Verdict, key_of
from sympy_validation.user_layers import is_user_layer, user_theorems

if TYPE_CHECKING:
    from sympy_validation.coq.kernel import KernelOutcome

    Kernel = Mapping[Key, KernelOutcome]

COLUMNS = {"theorem": 5, "statement": 7, "method": 2, "sizes": 4, "time": 1, "verdict": 5}
"""The columns and their widths, as shares of the terminal's."""
KERNEL = 4
"""The share of the column that says what Coq's kernel says."""
MINIMUM = {"time": 7, "method": 9}
NARROW, WIDE = 120, 160
"""A narrower terminal shows no methods and sizes; this is the width where there is no terminal."""
WAY_OUT = "a part that is a field of type Sequential stands for any layers in the proof, so that layers can be proved one by one"
COLOURS = {"proved": "green", "refuted": "yellow", "open": "red"}


class Outcome(IntEnum):
    """The exit status; 2 is that of a message about the arguments."""

    PROVED = 0
    REFUTED = 1
    OPEN = 3
    SOME_SIZES = 4


def run_proofs(names: list[str], json_file: Path | None, html_file: Path | None, with_audit: bool, quiet: bool) -> bool:
    """Whether everything is as expected, and proved for all sizes."""
    return show_proofs(names, json_file, html_file, with_audit, quiet) is Outcome.PROVED


def show_proofs(
    names: list[str],
    json_file: Path | None,
    html_file: Path | None,
    with_audit: bool,
    quiet: bool,
    limits: Limits = LIMITS,
    jobs: int = 1,
    coq: Path | None = None,
) -> Outcome:
    """Prove what is asked for and show it; with a folder ``coq`` as checked by Coq's kernel, too."""
    theorems, own = chosen(names, limits)
    if not theorems + own:
        raise NervaError("nothing is chosen, so nothing is proved")
    console = terminal()
    console = console if console.is_terminal else terminal(width=WIDE)
    kernel = _kernel(console, theorems + own, coq, limits) if coq else None
    rows = ProgressTable(console, quiet, kernel)
    verdicts = [rows.show(verdict) for verdict in verdicts_of(theorems, own, limits, jobs)]
    summary(console, verdicts)
    if kernel is not None:
        kernel_summary(console, verdicts, kernel)
    audits = run_audit(console, theorems + own) if with_audit else []
    if json_file:
        text = json.dumps([as_json(verdict, kernel) for verdict in verdicts], indent=2, ensure_ascii=False) + "\n"
        write_atomically(json_file, text.encode())
    if html_file:
        from sympy_validation.page import page

        write_atomically(html_file, page(verdicts, audits).encode())
    return Outcome.REFUTED if any(a.survivors or a.absent for a in audits) else outcome(verdicts)


def _kernel(console: Console, theorems: list[Theorem], directory: Path, limits: Limits) -> Kernel:
    from sympy_validation.coq.kernel import INSTALL, Coqc, checked

    if Coqc.installed(directory) is None:
        console.print(INSTALL, style="yellow", highlight=False, soft_wrap=True)
    console.print(f"writing the theorems into {directory} and checking them with Coq ...", style="dim", highlight=False, soft_wrap=True)
    return checked(theorems, directory, limits.seconds)


def kernel_summary(console: Console, verdicts: list[Verdict], kernel: Kernel) -> None:
    """How many theorems Coq's kernel has checked, and what it says other than the proof."""
    keys = {key_of(verdict.theorem) for verdict in verdicts}
    told = [outcome for key, outcome in kernel.items() if key in keys]
    words = ("checked", "written", "not exported", "not accepted")
    counts = ", ".join(f"{count} {word}" for word in words if (count := sum(each.word == word for each in told)))
    console.print(f"Coq's kernel: {counts or 'no theorem for all sizes'}")
    for (subject, quantity, _), by_coq in kernel.items():
        if (subject, quantity, "") not in keys and quantity == "recurrence":
            console.print(
                f"{subject}: its {quantity}, for any number of steps, which only Coq proves: {by_coq}", highlight=False, soft_wrap=True
            )
    for verdict in verdicts:
        outcome = kernel.get(key_of(verdict.theorem))
        name = f"{verdict.theorem.subject}: {verdict.theorem.quantity}"
        if outcome and outcome.word == "not accepted" and verdict.status == "proved":
            console.print(f"{name} is proved and not accepted by Coq: {outcome.reason}", style="yellow", highlight=False, soft_wrap=True)
        if outcome and outcome.word == "checked" and verdict.status == "refuted":
            console.print(f"{name} is refuted, and Coq accepts it: a defect", style="bold red", highlight=False, soft_wrap=True)
        if outcome and outcome.word == "checked" and verdict.status == "open":
            console.print(f"{name} is open, and Coq accepts it", style="bold green", highlight=False, soft_wrap=True)


def outcome(verdicts: list[Verdict]) -> Outcome:
    """The worst that is said of any theorem."""
    unexpected = [verdict.status for verdict in verdicts if not verdict.as_expected]
    if unexpected:
        return Outcome.OPEN if set(unexpected) == {"open"} else Outcome.REFUTED
    return Outcome.PROVED if all(verdict.all_sizes for verdict in verdicts) else Outcome.SOME_SIZES


def chosen(names: Iterable[str], limits: Limits = LIMITS) -> tuple[list[Theorem], list[Theorem]]:
    """The theorems of the library with these names, all of them if there are no names; and those about the user's own layers."""
    names = list(names)
    if not names:
        return list(table()), []
    own = [theorem for name in names if is_user_layer(name) for theorem in user_theorems(name, limits)]
    return select(name for name in names if not is_user_layer(name)), own


class ProgressTable:
    """A table that is printed row by row, as the verdicts come."""

    def __init__(self, console: Console, quiet: bool, kernel: Kernel | None = None) -> None:
        self.console, self.quiet, self.kernel = console, quiet, kernel
        shares = COLUMNS if kernel is None else COLUMNS | {"kernel": KERNEL}
        columns = {name: share for name, share in shares.items() if console.width >= NARROW or name not in ("method", "sizes")}
        room = console.width - len(columns)
        self.widths = {name: max(MINIMUM.get(name, 0), room * share // sum(columns.values())) for name, share in columns.items()}
        if not quiet:
            self._print({name: Text(name, style="bold") for name in columns})

    def show(self, verdict: Verdict) -> Verdict:
        """Print the verdict."""
        if not (self.quiet and verdict.as_expected):
            self._print(self._cells(verdict))
        return verdict

    def _cells(self, verdict: Verdict) -> dict[str, Text]:
        theorem = verdict.theorem
        colour = COLOURS[verdict.status] if verdict.as_expected else "bold red"
        name = theorem.subject + "." + theorem.quantity + (f" [{theorem.name}]" if theorem.name else "")
        words = verdict.words if verdict.as_expected else f"{verdict.words} (expected: {theorem.expected})"
        seconds = Text(f"{verdict.seconds:.2f} s", justify="right")
        statement = Text(theorem.statement)
        values = [condition for condition in verdict.conditions if condition.startswith("for ")]
        conditions = [condition for condition in verdict.conditions if condition not in values]
        statement.append("".join(f"; {value}" for value in values) + "; if " * bool(conditions) + ", ".join(conditions), style="dim")
        return {
            "theorem": Text(name),
            "statement": statement,
            "method": Text(theorem.method),
            "sizes": Text(theorem.sizes),
            "time": seconds,
            "verdict": Text(words, style=colour),
            "kernel": Text(str((self.kernel or {}).get(key_of(theorem), "")) if verdict.all_sizes else ""),
        }

    def _print(self, cells: dict[str, Text]) -> None:
        row = Table.grid(padding=(0, 1, 0, 0))
        for width in self.widths.values():
            row.add_column(width=width, overflow="fold")
        row.add_row(*(cells[name] for name in self.widths))
        self.console.print(row)


def summary(console: Console, verdicts: list[Verdict]) -> None:
    """How many theorems have which status, and in plain words what is wrong."""
    seconds = sum(verdict.seconds for verdict in verdicts)
    count = {status: sum(verdict.status == status for verdict in verdicts) for status in COLOURS}
    counts = f"{count['proved']} proved, {count['refuted']} refuted by a counterexample, {count['open']} open"
    console.print(f"\n{counted(len(verdicts), 'theorem')}: {counts}; {seconds:.1f} s")
    for line in dict.fromkeys(complaint(verdict) for verdict in verdicts if not verdict.as_expected):
        console.print(line, style="bold red", highlight=False, soft_wrap=True)
    for line in dict.fromkeys(restriction(verdict) for verdict in verdicts if verdict.as_expected and not verdict.all_sizes):
        console.print(line, style="bold yellow", highlight=False, soft_wrap=True)
    if outcome(verdicts) is Outcome.PROVED:
        console.print("every theorem has the status that it should have", style="green")


def restriction(verdict: Verdict) -> str:
    """What is not proved for all sizes, in plain words."""
    theorem = verdict.theorem
    why = f" ({verdict.note})" if verdict.note else ""
    other = "values" if theorem.method == "all sizes" else "sizes"
    return f"{theorem.subject}: {theorem.quantity} is {verdict.words}: other {other} are not proved{why}"


def complaint(verdict: Verdict) -> str:
    """What is not as it should be, in plain words."""
    theorem = verdict.theorem
    if verdict.status == "refuted":
        advice = f"; {verdict.advice}" if verdict.advice else ""
        return f"{theorem.subject}: {theorem.quantity} is {' '.join(('wrong', *verdict.concrete))}: {verdict.counterexample}{advice}"
    if verdict.status == "proved":
        return f"{theorem.id}: a formula that should be wrong is proved"
    slow = verdict.note.startswith("no verdict") and theorem.numbers is not None
    way_out = f"; {WAY_OUT}" if slow else ""
    return f"{theorem.subject}: {theorem.quantity} is {verdict.words}{way_out}"


def as_json(verdict: Verdict, kernel: Kernel | None = None) -> dict[str, Any]:
    """The verdict as JSON has it."""
    theorem = verdict.theorem
    told = None if kernel is None else str(kernel.get(key_of(theorem), "")) if verdict.all_sizes else ""
    return ({} if told is None else {"kernel": told}) | {
        "id": theorem.id,
        "subject": theorem.subject,
        "quantity": theorem.quantity,
        "statement": theorem.statement,
        "method": theorem.method,
        "sizes": theorem.sizes,
        "conditions": list(verdict.conditions),
        "expected": theorem.expected,
        "status": verdict.status,
        "verdict": verdict.words,
        "seconds": round(verdict.seconds, 4),
        "advice": verdict.advice,
        "counterexample": str(verdict.counterexample) if verdict.counterexample else None,
    }


def run_audit(console: Console, theorems: list[Theorem]) -> list[Audit]:
    """Audit the claims of the theorems, and print the figures of each and the survivors."""
    console.print("\nAudit: mutants of the code, one faulty operation each", style="bold")
    audits = []
    for result in audit(theorems):
        audits.append(result)
        figures = f"{len(result.killed)} refused, {len(result.equivalent)} equivalent, {len(result.survivors)} survived"
        figures += f", {len(result.absent)} without effect" if result.absent else ""
        console.print(f"{result.subject} ({', '.join(result.quantities)}): {figures}; {result.seconds:.1f} s", highlight=False)
        for mutant in result.absent:
            console.print(
                f"  ERROR: {mutant.mutation} does not occur when the code runs", style="bold red", highlight=False, soft_wrap=True
            )
        for mutant in result.survivors:
            console.print(f"  SURVIVED: {mutant.mutation}", style="bold red", highlight=False, soft_wrap=True)
        for mutant in result.equivalent:
            console.print(f"  same function ({mutant.reason}): {mutant.mutation}", style="dim", highlight=False, soft_wrap=True)
    totals = [sum(len(getattr(a, name)) for a in audits) for name in ("mutants", "killed", "equivalent", "survivors")]
    console.print("{} mutants: {} refused by a counterexample, {} equivalent, {} survived".format(*totals), style="bold")
    return audits


__all__ = ["as_json", "chosen", "run_proofs"]
