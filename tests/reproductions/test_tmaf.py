from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nerva_core.data import Digits
from nerva_core.equations.optimizers import OPTIMIZERS
from nerva_core.equations.schedules import SCHEDULES
from nerva_core.reproductions import Bench, Statistic, Verdict, perform, tmaf
from nerva_core.reproductions.runs import Trained
from nerva_core.training.config import load_config
from nerva_core.training.results import Metrics

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("budget", ["quick", "full"])
def test_a_report_of_short_runs_on_few_examples(budget: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    short = tmaf.training
    monkeypatch.setattr(tmaf, "training", lambda epochs, rate: {**short(epochs, rate), "training": {"epochs": 2, "batch_size": 20}})
    monkeypatch.setattr(tmaf, "SineOfSum", lambda d: tmaf_source("SineOfSum", d=d))
    monkeypatch.setattr(tmaf, "ThreeFrequencies", lambda: tmaf_source("ThreeFrequencies"))
    monkeypatch.setattr(tmaf, "OSCILLATORY", {kind: (layer, 3) for kind, (layer, _) in tmaf.OSCILLATORY.items()})
    report = perform(tmaf.EXPERIMENT, Bench(budget, source=Digits(train=40, test=20), given_seeds=(0, 1)))
    assert len(report.findings.rows) == (4 if budget == "quick" else 8)
    assert set(report.findings.figures) == set(report.findings.captions)
    assert all(png.startswith(b"\x89PNG") for png in report.findings.figures.values())
    assert len(report.configurations) == (11 if budget == "quick" else 19)


def tmaf_source(name: str, **parameters: Any) -> Any:
    from nerva_core.data import SOURCES

    return SOURCES.build(name, n=40, **parameters)


def test_the_settings_are_the_papers() -> None:
    given = tmaf.training(1000, 1e-4)
    assert given["training"] == {"epochs": 1000, "batch_size": 500}
    assert given["schedule"] == "MultiStep(0.0001, milestones=[500], gamma=0.1)"
    assert tmaf.network("ReLU", [20, 20], 1, batch_normalization=True)["model"]["layers"] == [
        *["Linear(20, weights=Xavier, bias=Xavier)", "BatchNormalization", "ReLU"] * 2,
        "Linear(1, weights=Xavier, bias=Xavier)",
    ]


def runs(losses: list[float], template: Trained) -> list[Trained]:
    return [dataclasses.replace(template, history=(Metrics(1, 0.1, a, a, a, a, 0.0),)) for a in losses]


def test_the_verdicts() -> None:
    (template,) = Bench().train(
        {"k": {}}, [0], Digits(train=20, test=10), model={"layers": "Linear", "sizes": [64, 10]}, training={"epochs": 1, "batch_size": 20}
    )["k"]

    def verdict(rows: Any, **losses: list[float]) -> list[Verdict]:
        return [row.verdict for row in rows({kind.replace("_", " "): runs(found, template) for kind, found in losses.items()})]

    def first(found: Any) -> Any:
        return tmaf._rows1(1, found)

    def sixth(found: Any) -> Any:
        return tmaf._rows1(6, found)

    def third(found: Any) -> Any:
        return tmaf.accuracy_rows("images", tmaf.TABLE3, "MNIST", found)

    def five(a: float) -> list[float]:
        return [a, a + 0.001, a - 0.001, a, a]

    assert verdict(first, ReLU=five(0.1), PReLU=five(0.2), TMAF=five(0.01)) == [Verdict.REPRODUCES]
    assert verdict(first, ReLU=five(0.1)[:4], PReLU=five(0.2)[:4], TMAF=five(0.01)[:4]) == [Verdict.UNKNOWN]
    assert verdict(first, ReLU=five(0.1), PReLU=five(0.01), TMAF=five(0.02)) == [Verdict.DOES_NOT]
    assert verdict(first, ReLU=five(0.1), PReLU=five(0.1), TMAF=[0.01, 0.2, 0.01, 0.2, 0.1]) == [Verdict.UNKNOWN]
    assert verdict(tmaf._rows2, ReLU=five(1.0), PReLU=five(1.0), diagonal_TMAF=five(0.05)) == [Verdict.REPRODUCES] * 2
    assert verdict(tmaf._rows2, ReLU=five(1.0), PReLU=five(0.5), diagonal_TMAF=five(0.5)) == [Verdict.DIRECTION, Verdict.DOES_NOT]
    wide = [0.9, 1.1, 1.0, 1.0, 1.0]
    assert verdict(tmaf._rows2, ReLU=five(1.0), PReLU=wide, diagonal_TMAF=five(0.5))[1] is Verdict.UNKNOWN
    assert verdict(third, ReLU=five(0.8), PReLU=five(0.7), TMAF=five(0.9)) == [Verdict.REPRODUCES]
    assert verdict(third, ReLU=five(0.8), PReLU=five(0.7), TMAF=five(0.803)) == [Verdict.DIRECTION]
    # Where the paper's three numbers can be read, a smaller margin is the direction only.
    assert verdict(sixth, ReLU=five(0.48), PReLU=five(0.49), TMAF=five(0.12)) == [Verdict.REPRODUCES]
    assert verdict(sixth, ReLU=five(0.48), PReLU=five(0.49), TMAF=five(0.47)) == [Verdict.DIRECTION]


def test_the_least_of_two_others_is_no_statistic_to_compare_with() -> None:
    """Three kinds without a difference: TMAF is not said to be worse, though the less of two others is below it in the mean."""
    rng = np.random.default_rng(0)
    found = [tmaf.lowest(*(Statistic.of(rng.normal(size=20)) for _ in range(3))) for _ in range(500)]
    assert found.count(Verdict.DOES_NOT) <= 0.08 * len(found)
    assert found.count(Verdict.REPRODUCES) <= 0.03 * len(found)


def test_the_example_is_the_experiment() -> None:
    config = load_config(ROOT / "examples" / "tmaf.toml")
    layer, width = tmaf.OSCILLATORY["diagonal TMAF"]
    network = tmaf.network(layer, [width] * 3, 1)["model"]["layers"]
    assert config.model.layers == network
    given = tmaf.training(config.training.epochs, 1e-3)
    assert (config.optimizer, config.schedule) == (OPTIMIZERS.parse(given["optimizer"]), SCHEDULES.parse(given["schedule"]))
    assert config.training.batch_size == given["training"]["batch_size"]
