"""What ``nerva prove`` prints and writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console

from sympy_validation.certificates import Counterexample
from sympy_validation.report import ProgressTable, as_json, complaint, run_proofs, summary
from sympy_validation.table import select
from sympy_validation.theorem import Verdict

FIELDS = {"id", "subject", "quantity", "statement", "method", "sizes", "conditions", "expected", "status", "seconds"}
THEOREM = select(["layers.Linear.DW"])[0]
WRONG = Counterexample("DW", {"N": 3}, "DW[0,0] should be 1, is 2")


def test_json(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    assert run_proofs(["layers.Softmax", "errata.004-16"], path, None, False, True)
    found = json.loads(path.read_text(encoding="utf-8"))
    assert all(set(item) >= FIELDS for item in found)
    assert {item["expected"] for item in found} == {item["status"] for item in found} == {"proved", "refuted"}
    assert {item["method"] for item in found} == {"all sizes", "entries"}
    sizes = {item["sizes"] for item in found if item["method"] == "all sizes" and item["subject"] == "layers.Softmax"}
    assert sizes == {"all N, D", "all N, K"}
    assert any("almost everywhere" in condition for item in found for condition in item["conditions"])


def test_quiet_shows_only_what_is_not_as_expected(capsys: pytest.CaptureFixture[str]) -> None:
    rows = ProgressTable(Console(width=150), quiet=True)
    rows.show(Verdict(THEOREM, "proved", 0.1))
    assert capsys.readouterr().out == ""
    rows.show(Verdict(THEOREM, "refuted", 0.1, WRONG))
    assert "expected: proved" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (Verdict(THEOREM, "refuted", 0, WRONG), "layers.Linear: DW is wrong: at N=3: DW[0,0] should be 1, is 2"),
        (Verdict(THEOREM, "open", 0, note="E"), "layers.Linear: DW is not proved (no counterexample found): E"),
    ],
)
def test_plain_words(verdict: Verdict, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert complaint(verdict) == words
    summary(Console(width=200), [verdict])
    assert words in capsys.readouterr().out
    assert as_json(verdict)["status"] == verdict.status
