"""The networks are those that the module describes; the rows say what the numbers say."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest

from nerva_core.data import Digits
from nerva_core.layers import DAB, StraightThrough, parse_layers
from nerva_core.reproductions import Bench, Trained, Verdict, perform
from nerva_core.reproductions.dab_images import (
    EXPERIMENT,
    IMAGES,
    ROWS_AND_COLUMNS,
    SORT_1D,
    TABLE2,
    classify,
    distance_rows,
    network,
    straight_through_rows,
    table_rows,
)
from nerva_core.training.results import Metrics


def test_the_networks_are_alike_but_for_the_middle() -> None:
    for kind, middle in IMAGES.items():
        layers = parse_layers(network(middle, 10))
        assert layers.outputs_for(784) == 10
        assert isinstance(layers.layers[4], DAB) == kind.endswith("DAB")
        assert isinstance(layers.layers[4], StraightThrough) == kind.endswith("straight-through")
    assert set(TABLE2) <= set(IMAGES)
    assert parse_layers([IMAGES[f"{ROWS_AND_COLUMNS}, DAB"]]).outputs_for(128) == 256


def test_a_report_on_few_digits() -> None:
    report = perform(EXPERIMENT, Bench("quick", "numpy", Digits(train=40, test=20), (0,)))
    assert len(report.findings.rows) == len(TABLE2) + 2 + 2
    assert set(report.findings.figures) == set(report.findings.captions)
    assert all(png.startswith(b"\x89PNG") for png in report.findings.figures.values())


@pytest.fixture(scope="module")
def template() -> Trained:
    bench = Bench("quick", "numpy", given_seeds=(0,))
    return bench.run({"all": classify(bench, {"k": ["Linear(10)"]}, Digits(train=20, test=10))})["all"]["k"][0]


def runs(accuracies: Sequence[float], template: Trained, distances: Sequence[float] = (1.0,)) -> list[Trained]:
    return [
        dataclasses.replace(template, history=tuple(Metrics(1, 0.1, 1, 1, a / 100, a / 100, 0.0, None, None, d) for d in distances))
        for a in accuracies
    ]


def five(a: float) -> list[float]:
    return [a, a + 0.2, a - 0.2, a, a]


@pytest.mark.parametrize(("signum", "verdict"), [(83.8, "REPRODUCES"), (85.5, "REPRODUCES"), (83.1, "UNKNOWN"), (82.0, "DOES_NOT")])
def test_a_hard_layer_costs_no_more_than_printed(template: Trained, signum: float, verdict: str) -> None:
    found = {kind: runs(five(signum) if kind == "signum, DAB" else [84.0] * 5, template) for kind in IMAGES}
    row = table_rows(found)[0]
    assert row.experiment == "images: signum with a bridge costs no more than 0.92 points (%)"
    assert row.verdict is Verdict[verdict]


def test_a_sort_gains_what_is_printed(template: Trained) -> None:
    found = {kind: runs([84.0] * 5, template) for kind in IMAGES}
    row = table_rows(found)[1]
    assert row.experiment == "images: sort-row ⊕ sort-col with a bridge gains 0.06 points (%)"
    assert row.verdict is Verdict.DOES_NOT  # exactly as good is no gain


@pytest.mark.parametrize(("through", "verdict"), [(55.0, "REPRODUCES"), (70.0, "DIRECTION"), (86.0, "DOES_NOT")])
def test_the_bridge_against_straight_through(template: Trained, through: float, verdict: str) -> None:
    found = {kind: runs(five(through) if kind == f"{SORT_1D}, straight-through" else [84.0] * 5, template) for kind in IMAGES}
    assert straight_through_rows(found)[0].verdict is Verdict[verdict]


@pytest.mark.parametrize(("distances", "verdict"), [((3.0, 2.0), "REPRODUCES"), ((2.0, 3.0), "DOES_NOT"), ((0.0, 0.0), "UNKNOWN")])
def test_the_distance_falls(template: Trained, distances: Sequence[float], verdict: str) -> None:
    found = {kind: runs([80.0] * 5, template, distances) for kind in IMAGES}
    assert [row.verdict for row in distance_rows(found)] == [Verdict[verdict]] * 2


def test_rows_and_columns_have_a_distance_although_their_numbers_have_none(template: Trained) -> None:
    bench = Bench("quick", "numpy", given_seeds=(0,))
    kind = f"{ROWS_AND_COLUMNS}, DAB"
    (run,) = bench.run({"all": classify(bench, {kind: network(IMAGES[kind], 10)}, Digits(train=40, test=20))})["all"][kind]
    assert all((m.hard_distance or 0) > 0.1 for m in run.history)
