"""Workers of JAX: two processes find the bits of one that computes the same blocks; what is missing to find the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.training.runs import MODEL
from tests.backends.workers import SMALL, run

jax = pytest.importorskip("jax")


@pytest.mark.sampled(2)  # it starts three processes: make long-tests runs it
def test_two_workers_find_the_bits_of_one(tmp_path: Path) -> None:
    """Batches of four rows are shared; a last one of three, whose blocks differ in size, every worker computes."""
    (tmp_path / "c.toml").write_text(SMALL)
    for workers in (1, 2):
        given = ("--backend", "jax", "--workers", str(workers), "--output", str(workers))
        result = run(tmp_path, "train", "c.toml", "--quiet", *given)
        assert (result.returncode, result.stderr, result.stdout) == (0, "", "")
    assert (tmp_path / "1" / MODEL).read_bytes() == (tmp_path / "2" / MODEL).read_bytes()


def test_variables_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from backends.jax_workers import JaxWorkers

    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    with pytest.raises(NervaError, match=r"as torchrun sets them; missing: MASTER_ADDR"):
        JaxWorkers(jax, "cpu")
