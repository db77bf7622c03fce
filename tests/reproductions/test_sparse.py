from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest

from nerva_core.data import Digits
from nerva_core.reproductions import Bench, Trained, Verdict, perform
from nerva_core.reproductions.sparse import DENSITIES, EXPERIMENT, METHODS, accuracy_rows, gradient_rows, kind, moves, moving_rows
from nerva_core.training.config import make_config
from nerva_core.training.results import Metrics


def test_a_report_on_few_digits() -> None:
    report = perform(EXPERIMENT, Bench("quick", "numpy", Digits(train=40, test=20), (0,)))
    assert len(report.findings.rows) == 1 + 2 * len(DENSITIES)
    assert set(report.configurations) == {"dense", *(kind(density, method) for density in DENSITIES for method in METHODS)}
    assert all(row.verdict is Verdict.UNKNOWN for row in report.findings.rows)


@pytest.fixture(scope="module")
def template() -> Trained:
    bench = Bench("quick", "numpy", given_seeds=(0,))
    return bench.train({"k": {}}, (0,), Digits(train=20, test=10), training={"epochs": 1})["k"][0]


def runs(accuracy: float, template: Trained) -> Sequence[Trained]:
    each = (accuracy, accuracy + 0.2, accuracy - 0.2, accuracy, accuracy + 0.1)
    return [dataclasses.replace(template, history=(Metrics(1, 0.1, 1, 1, a / 100, a / 100, 0.0),)) for a in each]


@pytest.mark.parametrize(("gain", "verdict"), [(1.0, Verdict.REPRODUCES), (-1.0, Verdict.DOES_NOT), (0.0, Verdict.UNKNOWN)])
def test_the_rows_say_what_the_numbers_say(template: Trained, gain: float, verdict: Verdict) -> None:
    found = {"dense": runs(86, template)}
    for density in DENSITIES:
        found |= {kind(density, method): runs(84.5 + k * gain, template) for k, method in enumerate(METHODS)}
    order = [each[::-1] if verdict is Verdict.UNKNOWN and name.startswith("SET") else each for name, each in found.items()]
    found = dict(zip(found, order, strict=True))
    assert all(row.verdict is verdict for row in [*moving_rows(found), *gradient_rows(found)])
    found["dense"] = runs(85 - gain, template)
    assert accuracy_rows(found)[0].verdict is (Verdict.REPRODUCES if gain >= 0 else Verdict.UNKNOWN if gain == -1 else verdict)


def test_static_networks_do_not_move() -> None:
    assert moves("static", 8) == {}
    for method in METHODS[1:]:
        given = {name.partition(".")[2]: value for name, value in moves(method, 8).items()}
        assert make_config({"training": given}).training.prune is not None
