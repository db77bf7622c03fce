"""What Coq's kernel says of every theorem for all sizes, and what that takes: the figures of the documentation.

    python -m sympy_validation.coq.coverage theorems docs/data/kernel.json

checks everything in that folder, writes the outcome of each theorem, and prints a table of counts and the processor time.
"""

from __future__ import annotations

import json
import os
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from pathlib import Path

from nerva_core.training.models import write_atomically
from sympy_validation.coq.kernel import INSTALL, Coqc, KernelOutcome, checked, prepare
from sympy_validation.table import table
from sympy_validation.theorem import key_of


def counts(outcomes: Mapping[str, str]) -> str:
    """A row for each kind of subject: theorems, those checked, and the others."""
    kinds: dict[str, list[bool]] = {}
    for theorem, outcome in outcomes.items():
        kinds.setdefault(theorem.partition(".")[0], []).append(outcome == "checked")
    rows = [(kind, len(each), sum(each)) for kind, each in kinds.items()]
    rows.append(("**all**", sum(n for _, n, _ in rows), sum(k for _, _, k in rows)))
    lines = [f"| {kind} | {n} | {k} | {n - k} |" for kind, n, k in rows]
    return "\n".join(["| subject | theorems | checked | not |", "|---|---|---|---|", *lines])


def main(arguments: Sequence[str] | None = None) -> None:
    """Check, write and print."""
    parser = ArgumentParser(description="What Coq's kernel says of every theorem for all sizes.")
    parser.add_argument("directory", type=Path, help="for the theorems")
    parser.add_argument("file", type=Path, help="for the outcomes, as JSON")
    chosen = parser.parse_args(arguments)
    directory, file = chosen.directory, chosen.file
    prepare(directory)
    coqc = Coqc.installed(directory)
    if coqc is None:
        raise SystemExit(INSTALL)
    coqc.library()
    start = os.times()
    theorems = [theorem for theorem in table() if theorem.method == "all sizes"]
    found: Mapping[tuple[str, str, str], KernelOutcome] = checked(theorems, directory)
    end = os.times()
    outcomes = {theorem.id: str(found[key_of(theorem)]) for theorem in theorems if theorem.expected == "proved"}
    outcomes |= {f"{subject}.{quantity}": str(told) for (subject, quantity, _), told in found.items() if quantity == "recurrence"}
    write_atomically(file, (json.dumps(outcomes, indent=0, ensure_ascii=False) + "\n").encode())
    print(counts(outcomes))
    print("\n".join(f"{theorem}: {outcome}" for theorem, outcome in outcomes.items() if outcome != "checked"))
    wrong = [theorem.id for theorem in theorems if theorem.expected == "refuted" and found[key_of(theorem)].word == "checked"]
    print(f"refuted by a counterexample and accepted: {', '.join(wrong) or 'none'}")
    used = end.user - start.user + end.system - start.system
    used_by_coq = end.children_user - start.children_user + end.children_system - start.children_system
    print(f"{used:.0f} s of processor time for the export, {used_by_coq:.0f} s for Coq, the library apart")


if __name__ == "__main__":
    main()
