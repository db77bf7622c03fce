"""The networks are those that the module describes; the rows say what the numbers say."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from nerva_core.data import Digits
from nerva_core.layers import DAB, Repeat, StraightThrough, parse_layers
from nerva_core.reproductions import Bench, Statistic, Trained, Verdict, perform
from nerva_core.reproductions.dab import (
    EXPERIMENT,
    LENGTHS,
    PONDER_STEPS,
    PONDERED,
    SORTING,
    STEPS,
    middles,
    ponder,
    ponder_row,
    sort_sequences,
    sorting_network,
    sorting_rows,
)
from nerva_core.reproductions.files import Budget
from nerva_core.reproductions.verdicts import reaches
from nerva_core.training.results import Metrics


def test_the_networks_are_alike_but_for_the_middle() -> None:
    for kind, middle in SORTING.items():
        layers = parse_layers(sorting_network(5, middle)["layers"]).layers
        assert [type(layer).__name__ for layer in layers[:3] + layers[4:]] == [
            "Linear",
            "ActivationLayer",
            "Linear",
            "Linear",
            "ActivationLayer",
            "Linear",
        ]
        assert isinstance(layers[3], DAB) == kind.startswith("DAB")
        assert isinstance(layers[3], StraightThrough) == kind.startswith("straight")
        assert parse_layers(sorting_network(5, middle)["layers"]).outputs_for(5) == 25


def test_pondering_repeats_the_cell_with_the_same_parameters() -> None:
    network = parse_layers(sorting_network(5, SORTING["DAB"], 3)["layers"])
    assert isinstance(network.layers[2], Repeat)
    assert network.layers[2].times == 3
    assert network.layers[2].shapes(256) == parse_layers(sorting_network(5, SORTING["DAB"])["layers"]).shapes(5)[2:4]


@pytest.mark.parametrize(("budget", "last"), [("quick", 5), ("full", 10)])
def test_a_short_report(monkeypatch: pytest.MonkeyPatch, budget: Budget, last: int) -> None:
    for steps in (STEPS, PONDER_STEPS):
        monkeypatch.setitem(steps, budget, 1)
    report = perform(EXPERIMENT, Bench(budget, "numpy", Digits(), (0,)))
    experiments = [row.experiment for row in report.findings.rows]
    assert experiments[-1] == f"sorting, T = {last}: more ponder steps help (%)"
    assert len(experiments) == 2 * len(LENGTHS[budget]) + len(PONDERED[budget])
    assert all(row.verdict is Verdict.UNKNOWN for row in report.findings.rows)  # one seed
    assert set(report.findings.figures) == set(report.findings.captions)


def test_the_full_budget_has_all_of_table_1_and_figure_3() -> None:
    assert LENGTHS["full"] == (5, 10, 15)
    assert set(PONDERED["full"]) == {5, 10}
    assert middles("full", 5) == list(SORTING)
    assert middles("full", 15) == middles("quick", 5) == ["ELU", "DAB"]


def test_those_that_ponder_are_compared_with_one_trained_as_long(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench("quick", "numpy", given_seeds=(0,))
    monkeypatch.setitem(PONDER_STEPS, "quick", 4)
    assert list(ponder(bench, 3, (2,)).kinds) == ["DAB, 1 ponder steps, T = 3", "DAB, 2 ponder steps, T = 3"]
    monkeypatch.setitem(STEPS, "quick", 4)
    assert list(ponder(bench, 3, (2,)).kinds) == ["DAB, 2 ponder steps, T = 3"]


def runs(accuracies: list[float], template: Trained) -> list[Trained]:
    return [dataclasses.replace(template, history=(Metrics(1, 0.1, 1, 1, a / 100, a / 100, 0.0, None, None, 1.0),)) for a in accuracies]


@pytest.fixture(scope="module")
def template() -> Trained:
    part = sort_sequences(2, {"ELU": sorting_network(2, "ELU")}, 4)
    (trained,) = Bench("quick", "numpy", given_seeds=(0,)).run({"all": part})["all"].values()
    return trained[0]


def five(a: float, spread: float = 0.2) -> list[float]:
    return [a, a + spread, a - spread, a, a]


@pytest.mark.parametrize(
    ("elu", "dab", "verdict"),
    [
        (five(85.9), five(99.4, 0.1), Verdict.REPRODUCES),
        (five(86.0), five(90.0), Verdict.DIRECTION),
        (five(94.0), five(86.0), Verdict.DOES_NOT),
        (five(86.0)[:2], five(99.5)[:2], Verdict.UNKNOWN),
    ],
)
def test_the_verdict_on_table_1(template: Trained, elu: list[float], dab: list[float], verdict: Verdict) -> None:
    above, _ = sorting_rows({5: {"ELU": runs(elu, template), "DAB": runs(dab, template)}})
    assert above.verdict is verdict
    assert above.paper == "99.3 against 86.46"


@pytest.mark.parametrize(
    ("values", "paper", "verdict"),
    [
        (five(99.6, 0.1), "99.3", "REPRODUCES"),
        (five(99.3, 0.1), "99.3", "UNKNOWN"),
        (five(11.0), "94.2", "DOES_NOT"),  # once "direction only"
        ([79.0], "80", "UNKNOWN"),  # one seed; once "reproduces", within a point
    ],
)
def test_the_verdict_on_the_accuracy(values: list[float], paper: str, verdict: str) -> None:
    assert reaches(Statistic.of(values), paper) is Verdict[verdict]


def test_pondering_is_judged_by_its_best(template: Trained) -> None:
    found: Any = {p: runs(five(a), template) for p, a in ((1, 80.0), (2, 85.0), (3, 70.0))}
    assert ponder_row(found, 5).verdict is Verdict.REPRODUCES
    assert ponder_row({1: found[1], 3: found[3]}, 5).verdict is Verdict.DOES_NOT
    assert ponder_row(found, 10).experiment == "sorting, T = 10: more ponder steps help (%)"
