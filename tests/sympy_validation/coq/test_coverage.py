"""The counts of the documentation."""

from __future__ import annotations

from pathlib import Path

import pytest

from sympy_validation.coq.coverage import counts, main


def test_counts_are_by_kind_with_a_total() -> None:
    outcomes = {"layers.A.DX/all-sizes": "checked", "layers.B.DX/all-sizes": "not accepted (a reason)", "losses.C.L/all-sizes": "checked"}
    assert counts(outcomes).splitlines()[2:] == ["| layers | 2 | 1 | 1 |", "| losses | 1 | 1 | 0 |", "| **all** | 3 | 2 | 1 |"]


def test_without_coq_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match="coqc is not installed"):
        main([str(tmp_path / "theorems"), str(tmp_path / "kernel.json")])
    assert not (tmp_path / "kernel.json").exists()
