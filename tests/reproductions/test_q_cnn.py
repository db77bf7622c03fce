from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from nerva_core.data import NPZ, DataSource, Digits
from nerva_core.reproductions import Bench, Verdict, perform
from nerva_core.reproductions.q_cnn import CIFAR, EXPERIMENT, FULL, MNIST, network, parts, printed_rows, setting_for
from nerva_core.reproductions.runs import Trained
from nerva_core.training.config import make_config
from nerva_core.training.results import Metrics
from nerva_core.training.step import TrainingState


def test_a_report_on_few_images() -> None:
    bench = Bench(source=Digits(train=64, test=20), given_seeds=(0,))
    report = perform(EXPERIMENT, bench)
    assert len(report.findings.rows) == 4
    assert set(report.findings.figures) == set(report.findings.captions)
    assert list(report.configurations) == ["ELU plain", "ELU c0.02", "Tanh plain", "Tanh c0.02"]


@pytest.fixture
def colours(tmp_path: Path) -> DataSource:
    """A few images of 32 x 32 pixels in three colours."""
    rng = np.random.default_rng(0)
    X, T = rng.random((12, 32, 32, 3)), np.arange(12) % 10
    np.savez(tmp_path / "colours.npz", Xtrain=X, Ttrain=T, Xtest=X, Ttest=T)
    return NPZ(path=str(tmp_path / "colours.npz"))


def test_the_data_decide_which_network(colours: DataSource) -> None:
    bench = Bench()
    assert setting_for(bench, Digits()) is MNIST
    assert setting_for(bench, colours) is CIFAR
    assert (MNIST.rate, MNIST.batch, CIFAR.rate, CIFAR.batch) == (0.05, 64, 0.01, 32)


def test_the_full_budget_is_the_papers(colours: DataSource) -> None:
    for source, batch, first in ((Digits(), 64, "Convolution(32, padding=1)"), (colours, 32, "Convolution(32)")):
        (part,) = parts(Bench("full", source=source)).values()
        assert part.common["training"]["epochs"] == 100
        assert part.common["training"]["batch_size"] == batch
        assert {"Tanh a9", "ReLU c0.1", "ELU a1", "Softplus, dropout c0.02"} <= set(part.kinds)
        assert part.kinds["ELU plain"]["model"]["layers"][0] == first
        assert len(part.kinds) == sum(map(len, FULL.values()))


def test_dropout_is_in_the_name() -> None:
    assert "Dropout(0.2)" in network(MNIST, "ELU, dropout", "a5", 10, 32)
    assert "q-ELU(lambda=5, gamma=0.5)" in network(CIFAR, "ELU, dropout", "a5", 10, 32)
    assert network(CIFAR, "ELU", "plain", 10, 32).count("ELU") == 5


def test_the_printed_accuracy_is_judged_where_the_data_may_be_the_papers() -> None:
    config = make_config({})

    def runs(percent: float) -> list[Trained]:
        state = TrainingState((), (), ())
        return [Trained(config, (Metrics(1, 0.1, 1, 1, 1, (percent + 0.01 * k) / 100, 0.0),), state, False) for k in range(5)]

    found = {"ELU": {"plain": runs(99.0), "c0.02": runs(99.5), "c0.1": runs(99.8)}}
    assert printed_rows(MNIST, Digits(), found) == []
    mnist = dataclasses.replace(MNIST, sources=("Digits",))
    (row,) = printed_rows(mnist, Digits(), found)
    assert row.verdict is Verdict.REPRODUCES
    assert "c0.1" in row.experiment
    (row,) = printed_rows(mnist, Digits(), {"ELU": {"plain": runs(99.8), "c0.02": runs(99.5)}})
    assert row.verdict is Verdict.DOES_NOT
