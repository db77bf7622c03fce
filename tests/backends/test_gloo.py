"""Workers of PyTorch by gloo: the same bits as one process, and what is missing to find the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.backends.workers import CONFIG, assert_the_bits_of_one

torch = pytest.importorskip("torch")


def test_two_workers_find_the_bits_of_one(tmp_path: Path) -> None:
    assert_the_bits_of_one(tmp_path, CONFIG, "torch")
