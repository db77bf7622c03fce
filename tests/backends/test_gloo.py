"""Workers of PyTorch by gloo: the same bits as one process, and what is missing to find the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.training.runs import MODEL
from tests.backends.workers import CONFIG, run

torch = pytest.importorskip("torch")


def test_two_workers_find_the_bits_of_one(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(CONFIG)
    for workers in (1, 2):
        given = ("--backend", "torch", "--workers", str(workers), "--output", str(workers))
        result = run(tmp_path, "train", "c.toml", "--quiet", *given)
        assert (result.returncode, result.stderr, result.stdout) == (0, "", "")
    assert (tmp_path / "1" / MODEL).read_bytes() == (tmp_path / "2" / MODEL).read_bytes()


def test_variables_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from backends.gloo import GlooWorkers

    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    with pytest.raises(NervaError, match=r"as torchrun sets them; missing: MASTER_ADDR"):
        GlooWorkers(torch)
