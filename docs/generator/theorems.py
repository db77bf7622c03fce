"""The page of all theorems."""

from __future__ import annotations

from typing import Any

from docs.generator.evidence import Evidence, theorem_table

HEAD = """\
# All theorems

Every theorem of `nerva prove`, with the verdict of the run that built this site. A theorem that should be refuted is a formula as a
paper prints it; its corrected form stands beside it.
"""


def theorems_page(evidence: Evidence) -> str:
    """The theorems by subject."""
    verdicts = evidence.verdicts
    if not verdicts:
        return HEAD + "\nThis site was built without the proofs; `nerva prove` makes them.\n"
    count = {status: sum(v["status"] == status for v in verdicts) for status in ("proved", "refuted", "open")}
    wrong = sum(v["status"] != v["expected"] for v in verdicts)
    figures = f"{len(verdicts)} theorems: {count['proved']} proved, {count['refuted']} refuted by a counterexample, {count['open']} open; "
    figures += f"**{wrong} not as they should be**." if wrong else "each as it should be."
    return f"{HEAD}\n{figures}\n\n" + "\n".join(_part(part, members) for part, members in _grouped(verdicts, 0).items())


def _part(part: str, verdicts: list[dict[str, Any]]) -> str:
    heading = f"## {part[0].upper()}{part[1:]}\n\n"
    return heading + "\n".join(f"### {subject}\n\n{theorem_table(members)}" for subject, members in _grouped(verdicts, 1).items())


def _grouped(verdicts: list[dict[str, Any]], level: int) -> dict[str, list[dict[str, Any]]]:
    """By the part of the subject before its first point, or by what follows it."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for verdict in verdicts:
        part, _, name = verdict["subject"].partition(".")
        groups.setdefault((part, name or part)[level], []).append(verdict)
    return groups
