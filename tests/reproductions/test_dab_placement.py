"""The signum is where it should be, and the row says what the numbers say."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest

from nerva_core.data import Digits
from nerva_core.layers import DAB, parse_layers
from nerva_core.reproductions import Bench, Trained, Verdict, perform
from nerva_core.reproductions.dab_images import classify
from nerva_core.reproductions.dab_placement import BLOCKS, EXPERIMENT, placed, placement_row
from nerva_core.training.results import Metrics


def test_the_signum_is_at_the_output_of_its_block() -> None:
    for block in range(1, BLOCKS + 1):
        layers = parse_layers(placed(block, 10)).layers
        assert [type(layer) for layer in layers].index(DAB) == 3 * block
        assert len(layers) == 3 * BLOCKS + 2
    assert not parse_layers(placed(0, 10)).hard_layers()


def test_a_report_on_few_digits() -> None:
    report = perform(EXPERIMENT, Bench("full", "numpy", Digits(train=40, test=20), (0,)))
    assert len(report.findings.rows) == 1
    assert report.findings.remarks[0].startswith("Four blocks without a signum reach ")
    assert set(report.findings.figures) == set(report.findings.captions) == {"placement"}


@pytest.fixture(scope="module")
def template() -> Trained:
    bench = Bench("quick", "numpy", given_seeds=(0,))
    return bench.run({"all": classify(bench, {"k": ["Linear(10)"]}, Digits(train=20, test=10))})["all"]["k"][0]


def runs(accuracies: Sequence[float], template: Trained) -> list[Trained]:
    return [dataclasses.replace(template, history=(Metrics(1, 0.1, 1, 1, a / 100, a / 100, 0.0),)) for a in accuracies]


def five(a: float) -> list[float]:
    return [a, a + 0.2, a - 0.2, a, a]


def test_the_last_place_must_be_better_than_each_other(template: Trained) -> None:
    found = {block: runs(five(80.0 + block), template) for block in range(BLOCKS + 1)}
    assert placement_row(found).verdict is Verdict.REPRODUCES
    assert placement_row({**found, 2: runs(five(90.0)[::-1], template)}).verdict is Verdict.DOES_NOT
    assert placement_row({**found, 0: runs(five(99.0), template)}).verdict is Verdict.REPRODUCES  # none is no place
