from __future__ import annotations

import dataclasses

import pytest

from nerva_core.data import Digits
from nerva_core.equations.optimizers import OPTIMIZERS
from nerva_core.reproductions import Bench, Verdict, perform
from nerva_core.reproductions.gaf import ARCTAN, KINDS
from nerva_core.reproductions.gaf_resnet import ADAM, EXPERIMENT, gain_rows, parts, rules
from nerva_core.reproductions.runs import Trained
from nerva_core.training.config import make_config
from nerva_core.training.results import Metrics
from nerva_core.training.step import TrainingState


def test_a_report_on_few_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nerva_core.reproductions.gaf_resnet.landscape", lambda bench, run: None)
    monkeypatch.setattr("nerva_core.reproductions.gaf_resnet.loss_along_directions", lambda landscapes: b"\x89PNG")
    report = perform(EXPERIMENT, Bench(source=Digits(train=32, test=20), given_seeds=(0,), backend="numpy"))
    assert [row.verdict for row in report.findings.rows] == [Verdict.UNKNOWN] * 3
    assert set(report.findings.figures) == set(report.findings.captions) == {"largest_gradients", "loss_curves"}
    assert "times as long" in report.findings.remarks[0]


def test_the_full_budget_is_the_papers() -> None:
    found = parts(Bench("full", source=Digits()))
    assert {"ResNet-18", "ResNet-50", "Pre-Act ResNet-18", "SE-ResNet-18", "DenseNet-CIFAR"} == set(found)
    assert all(part.common["training"]["epochs"] == 200 and part.common["training"]["batch_size"] == 256 for part in found.values())
    given = rules(Bench("full"))
    assert {"none", "value clipping", "norm clipping", "Adam", ARCTAN, "log (0.2, 10)", "Adam, tanh (0.1, 20)"} <= set(given)
    assert given["none"]["optimizer"] == KINDS["none"] == "WeightDecay(Momentum, 5e-4)"
    assert len(ADAM) == 7
    assert all(OPTIMIZERS.parse(rule) for rule in ADAM.values())
    assert "alpha=0.2, beta=10" in ADAM["Adam, log (0.2, 10)"]


def test_a_gain_is_judged_against_the_rule_alone_and_clipping() -> None:
    config = make_config({})

    def runs(percent: float) -> list[Trained]:
        state = TrainingState((), (), ())
        return [Trained(config, (Metrics(1, 0.1, 1, 1, 1, (percent + 0.01 * k) / 100, 0.0),), state, False) for k in range(5)]

    diverged = [dataclasses.replace(run, diverged=True) for run in runs(90)]
    found = {"none": runs(90), ARCTAN: runs(90.1), "norm clipping": runs(91), "value clipping": diverged}
    found |= {"Adam": runs(90), "Adam, tanh (0.1, 20)": runs(91)}
    verdicts = {row.experiment: row.verdict for row in gain_rows("N", found)}
    assert verdicts == {
        f"N: {ARCTAN} against none, test accuracy (%)": Verdict.DIRECTION,  # the paper's least gain is 0.16
        f"N: {ARCTAN} against value clipping, test accuracy (%)": Verdict.REPRODUCES,  # which diverged
        f"N: {ARCTAN} against norm clipping, test accuracy (%)": Verdict.DOES_NOT,
        "N: Adam, tanh (0.1, 20) against Adam, test accuracy (%)": Verdict.REPRODUCES,
    }
