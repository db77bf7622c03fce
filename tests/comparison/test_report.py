from __future__ import annotations

import dataclasses
import io
import json
import math

import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread
from rich.console import Console

from nerva_core.comparison.measure import measure
from nerva_core.comparison.report import columns_of, heat_map, print_results, to_json, worst_by_subject
from nerva_core.comparison.subjects import subjects
from tests.conftest import make_backend
from tests.helpers import outside_of


@pytest.fixture(scope="module")
def results():
    chosen = [subject for subject in subjects() if subject.name in ("tanh", "matmul", "interval_sums", "Linear(outputs=3)")]
    found = [r for subject in chosen for dtype in ("float64", "float32") for r in measure(subject, make_backend("numpy", dtype), 0)]
    return [*found, dataclasses.replace(found[0], quantity="broken", subject="broken", ulp=math.inf, problem="NaN")]


def text(results):
    console = Console(file=io.StringIO(), width=160)
    print_results(results, console)
    return console.file.getvalue()


def test_the_table_has_every_subject_and_names_what_is_wrong(results):
    output = text(results)
    for part in ("tanh", "matmul", "Linear(outputs=3)", "numpy", "float32", "ulp of terms", "classical bound"):
        assert part in output
    assert "out of bounds numpy float64 eager: operation broken" in output
    assert "1 out of bounds" in output
    assert "sums of terms that may cancel" in output  # the reason of an exception


def test_no_failure_no_complaint(results):
    assert "0 out of bounds" in text(results[:-1])


def test_the_json_is_valid_and_complete(results):
    objects = json.loads(to_json(results), parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert len(objects) == len(results)
    assert objects[-1]["ulp"] == "inf"
    assert objects[-1]["within"] is False
    keys = {"backend", "dtype", "mode", "kind", "quantity", "error", "bound", "within", "case", "norm", "count"}
    assert all(keys <= item.keys() for item in objects)
    assert {item["bound"]["measure"] for item in objects} == {"ulp", "terms"}


def test_the_worst_stands_for_its_subject(results):
    cells = worst_by_subject(results)["layer", "Linear(outputs=3)"]
    assert set(cells) == set(columns_of(results))
    of = [r for r in results if r.subject == "Linear(outputs=3)" and r.dtype == "float64"]
    assert cells["numpy", "float64"].error == max(r.error for r in of)


def test_the_heat_map_is_a_repeatable_png(results):
    image = heat_map(results)
    assert image.startswith(b"\x89PNG")
    assert image == heat_map(results)


def test_the_heat_map_cuts_nothing_off(results, monkeypatch):
    figures = []
    save = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda figure, *args, **options: (figures.append(figure), save(figure, *args, **options))[1])
    heat_map(results)
    assert outside_of(figures[0]) == []


def test_what_is_no_number_is_red(results):
    def red(image):
        pixels = imread(io.BytesIO(image))
        return ((pixels[..., 0] > 0.7) & (pixels[..., 1] < 0.3)).mean()

    assert red(heat_map(results[-1:])) > 0.05 > red(heat_map(results[:1]))


def test_long_names_that_end_differently_are_told_apart(results, monkeypatch):
    figures = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, *args, **options: figures.append(figure))
    names = [f"Bridge(hard=Signum, layers=[Linear(outputs=3)], reduction={reduction!r})" for reduction in ("mean", "sum")]
    heat_map([dataclasses.replace(results[0], subject=name) for name in names])
    labels = [label.get_text() for label in figures[0].axes[0].get_yticklabels()]
    assert len(set(labels)) == 2
    assert max(map(len, labels)) < 60
