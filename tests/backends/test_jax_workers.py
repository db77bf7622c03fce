"""Workers of JAX: two processes find the bits of one that computes the same blocks; what is missing to find the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.backends.workers import SMALL, assert_the_bits_of_one

jax = pytest.importorskip("jax")


@pytest.mark.sampled(2)  # it starts three processes: make long-tests runs it
def test_two_workers_find_the_bits_of_one(tmp_path: Path) -> None:
    """Batches of four rows are shared; a last one of three, whose blocks differ in size, every worker computes."""
    assert_the_bits_of_one(tmp_path, SMALL, "jax")
