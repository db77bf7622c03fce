"""What was proved and what was measured, read from the JSON of ``nerva prove`` and ``nerva compare``.

The proofs are made with every ``make docs``. The comparison takes minutes, so its worst results are kept in docs/data/accuracy.json:

    nerva compare --json build/accuracy.json
    python -m docs.generator.evidence build/accuracy.json docs/data/accuracy.json
"""

from __future__ import annotations

import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docs.generator.markdown import cell, table

KINDS = {
    "layers": "layer",
    "activations": "activation",
    "losses": "loss",
    "optimizers": "optimizer",
    "gradient activations": "gradient activation",
}
"""What ``nerva compare`` calls the entries of a table."""
BACKENDS_FIRST = ("numpy", "jax", "torch", "tensorflow")
MEASURES = {"ulp": "ulp", "terms": "ulp of terms", "relative": "relative"}


@dataclass(frozen=True)
class Evidence:
    """The verdicts of the theorems, and the largest errors; empty if they were not made."""

    verdicts: list[dict[str, Any]]
    errors: list[dict[str, Any]]

    @staticmethod
    def read(proofs: Path, accuracy: Path) -> Evidence:
        """From the files, as far as they are there."""
        return Evidence(*(json.loads(path.read_text(encoding="utf-8")) if path.exists() else [] for path in (proofs, accuracy)))

    def theorems(self, subject: str) -> list[dict[str, Any]]:
        """The verdicts about ``layers.Linear``."""
        return [verdict for verdict in self.verdicts if verdict["subject"] == subject]

    def accuracy(self, kind: str, name: str) -> list[dict[str, Any]]:
        """The errors of the entry, whatever its parameters."""
        wanted = KINDS.get(kind)
        return [error for error in self.errors if error["kind"] == wanted and error["subject"].partition("(")[0] == name]


def theorem_table(verdicts: list[dict[str, Any]]) -> str:
    """Statements, what they hold for, and the verdicts. The sizes at which SymPy proved the same are named with the proof for all sizes."""
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}
    for verdict in verdicts:
        row = rows.setdefault((verdict["quantity"], verdict["statement"], verdict["status"]), {"for": [], "if": [], "verdict": ""})
        method = verdict["method"]
        row["for"].append(verdict["sizes"] if method == "all sizes" else f"SymPy, {verdict['sizes']}")
        row["if"] += [condition for condition in verdict["conditions"] if condition not in row["if"]]
        row["verdict"] = verdict_text(verdict)
    lines = [
        [cell(statement), "<br>".join(map(cell, row["for"])), _conditions(row["if"]), row["verdict"]]
        for (_, statement, _), row in rows.items()
    ]
    return table(["statement", "proved for", "if", "verdict"], lines)


def _conditions(conditions: list[str]) -> str:
    """One below the other; many are shown when they are asked for."""
    text = "<br>".join(map(cell, conditions)) or "none"
    return text if len(conditions) <= 2 else f"<details><summary>{len(conditions)} conditions</summary>{text}</details>"


def verdict_text(verdict: dict[str, Any]) -> str:
    """The verdict, and whether it is the one that there should be."""
    if verdict["status"] == "proved":
        text = '<span class="proved">proved</span>'
    elif verdict["status"] == "refuted":
        text = f'<span class="refuted">refuted</span> {cell(verdict["counterexample"])}'
    else:
        text = "not proved"
    return text if verdict["status"] == verdict["expected"] else f"**{text}, should be {verdict['expected']}**"


def accuracy_table(errors: list[dict[str, Any]]) -> str:
    """The largest error of each quantity on each backend, in float64 / float32, and the bound that it has."""
    text = ""
    for subject in dict.fromkeys(error["subject"] for error in errors):
        of = [error for error in errors if error["subject"] == subject]
        backends = [name for name in BACKENDS_FIRST if any(name in error["errors"] for error in of)]
        backends += sorted({name for error in of for name in error["errors"]} - {*backends})
        rows = [_quantity_row(subject, members, backends) for members in _grouped(of).values()]
        text += f"`{subject}`\n\n{table(['', *backends, 'bound'], rows)}\n"
    return text


def _quantity_row(subject: str, errors: list[dict[str, Any]], backends: list[str]) -> list[str]:
    cells = [" / ".join(_number(error["errors"][name]) for error in errors if name in error["errors"]) for name in backends]
    bounds = dict.fromkeys(f"{error['bound']:g} {MEASURES[error['measure']]}" for error in errors)
    exceeded = "" if all(error["within"] for error in errors) else "**exceeded:** "
    return [cell(errors[0]["quantity"].removeprefix(f"{subject}: ")), *cells, exceeded + " / ".join(bounds)]


def _grouped(errors: list[dict[str, Any]]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """By quantity; float64 comes first."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for error in sorted(errors, key=lambda error: error["dtype"] == "float32"):
        groups.setdefault((error["quantity"], error["measure"]), []).append(error)
    return groups


def _number(error: Any) -> str:
    return f"{error:.2g}" if isinstance(error, float) else str(error)


def condensed(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The worst of the modes for every quantity, dtype and backend that the pages show."""
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for result in results:
        if result["kind"] not in KINDS.values():
            continue
        key = {name: result[name] for name in ("kind", "subject", "quantity", "dtype")} | {
            name: result["bound"][short] for name, short in (("bound", "value"), ("measure", "measure"))
        }
        row = rows.setdefault(tuple(key.values()), {**key, "within": True, "errors": {}})
        row["within"] &= result["within"]
        row["errors"][result["backend"]] = _larger(row["errors"].get(result["backend"], 0.0), result["error"])
    return list(rows.values())


def _larger(one: Any, other: Any) -> Any:
    """The larger error, in three digits; infinity is text."""
    worst = max(float(one), float(other))
    return float(f"{worst:.3g}") if math.isfinite(worst) else str(worst)


def main(source: str, target: str) -> None:
    """Condense the results in one file into another, one quantity a line."""
    results = condensed(json.loads(Path(source).read_text(encoding="utf-8")))
    lines = ",\n".join(json.dumps(result) for result in results)
    Path(target).write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
