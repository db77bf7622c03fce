"""The process is tested in test_measure.py; here, what it does inside."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from nerva_core.benchmark.worker import CONTENDERS, Session, kind_of, peak_memory


def test_a_session() -> None:
    session = Session("Ours", 1)
    answer = session.start("tiny", None)
    assert set(answer) == {"losses", "warmup", "compilation", "note", "usual_products", "batch"}
    assert answer["batch"] == 32
    assert set(session.run(0.0)) == {"step", "peak"}


class Waiting:
    """A contender whose steps only wait."""

    def timed_epoch(self, rows: Any) -> float:
        time.sleep(0.01)
        return 0.01


def test_processor_time_does_not_count_waiting() -> None:
    session: Any = Session("Ours", 1)
    session.contender, session.rows = Waiting(), np.zeros((1, 2))
    assert session.run(0.0)["step"] == 0.01
    assert session.run(0.0, processor_time=True)["step"] < 0.01


def test_every_backend_has_one_of_ours_and_one_floor() -> None:
    for kind in ("ours", "floor"):
        assert sorted(cls.backend for cls in CONTENDERS if kind_of(cls) == kind) == ["jax", "numpy", "tensorflow", "torch"]


def test_peak_memory_is_that_of_a_process() -> None:
    assert 2**20 < peak_memory() < 2**40
