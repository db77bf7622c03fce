from __future__ import annotations

import dataclasses
import io
import json

import pytest
from rich.console import Console

from nerva_core.benchmark.machine import machine
from nerva_core.benchmark.measure import Plan, Timing, ratio_at_equal_products
from nerva_core.benchmark.report import bar_chart, describe, geometric_mean, print_results, ratios, to_json

PLAN = Plan(3, 0.1, 1)
MACHINE = {"processor": "P", "cores": 2, "system": "S", "python": "3", "versions": {"numpy": "2"}, "date": "2026-01-01"}


def timings() -> list[Timing]:
    common = {"samples_per_step": 100, "warmup": 1.0, "compilation": 0.5, "peak_memory": 2**20}
    return [
        Timing("A", "numpy", "nerva", "ours", "measured", steps=[1e-3, 2e-3, 1e-3], **common),
        Timing("A", "numpy", "other", "opponent", "measured", steps=[2e-3, 4e-3, 2e-3], **common),
        Timing("A", "numpy", "products", "floor", "measured", note="mm", steps=[8e-4, 1.6e-3, 8e-4], **common),
        Timing("A", "numpy", "wrong", "opponent", "refused", "it computes something else"),
    ]


def test_ratios() -> None:
    assert [(other.contender, round(q.median, 6)) for _, other, q in ratios(timings())] == [("other", 2.0), ("products", 0.8)]
    assert geometric_mean([1.0, 4.0]) == pytest.approx(2.0)


def test_json() -> None:
    written = json.loads(to_json(timings(), MACHINE, PLAN))
    assert set(written) == {"machine", "plan", "results"}
    ours, other, floor, wrong = written["results"]
    assert other["ratio"] == {"median": 2.0, "low": 2.0, "high": 2.0}
    assert floor["ratio"]["median"] == pytest.approx(0.8)
    assert ours["ratio"] is None
    assert ours["step"]["median"] == 1e-3
    assert ours["samples_per_second"] == 1e5
    assert (wrong["status"], "ratio" in wrong) == ("refused", False)


def test_table_and_chart() -> None:
    text = io.StringIO()
    print_results(timings(), MACHINE, PLAN, Console(file=text, width=180))
    for expected in ("2.00", "products (mm)", "refused: it computes something else", "numpy: 2.00 x other", "P, 2 cores, 1 used"):
        assert expected in text.getvalue()
    assert bar_chart(timings(), MACHINE).startswith(b"\x89PNG")


def test_it_says_which_time_was_measured() -> None:
    assert "0.1 s each" in describe(MACHINE, PLAN)
    assert "0.1 s of processor time each" in describe(MACHINE, dataclasses.replace(PLAN, processor_time=True))


def test_the_ratio_at_equal_products() -> None:
    """If the products that the framework uses take twice as long, 0.8 of the other's 2 ms are theirs."""
    ours, other, floor, _ = timings()
    floor = dataclasses.replace(floor, usual_products=2.0)
    assert ratio_at_equal_products(ours, other, floor).median == pytest.approx(1.2)
    text = io.StringIO()
    print_results([ours, other, floor], MACHINE, PLAN, Console(file=text, width=180))
    assert "1.20" in text.getvalue()


def test_the_machine_is_named() -> None:
    found = machine()
    assert found["processor"]
    assert found["cores"] >= 1
    assert "numpy" in found["versions"]
