"""The process is tested in test_measure.py; here, what it does inside."""

from __future__ import annotations

from nerva_core.benchmark.worker import CONTENDERS, Session, kind_of, peak_memory


def test_a_session() -> None:
    session = Session("Ours", 1)
    answer = session.start("tiny", None)
    assert set(answer) == {"losses", "warmup", "compilation", "note", "usual_products", "batch"}
    assert answer["batch"] == 32
    assert set(session.run(0.0)) == {"step", "peak"}


def test_every_backend_has_one_of_ours_and_one_floor() -> None:
    for kind in ("ours", "floor"):
        assert sorted(cls.backend for cls in CONTENDERS if kind_of(cls) == kind) == ["jax", "numpy", "tensorflow", "torch"]


def test_peak_memory_is_that_of_a_process() -> None:
    assert 2**20 < peak_memory() < 2**40
