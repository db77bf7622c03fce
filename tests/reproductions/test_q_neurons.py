import dataclasses
from pathlib import Path

import pytest

from nerva_core.data import Digits
from nerva_core.layers import QActivation, multilayer_perceptron
from nerva_core.reproductions import Bench, Statistic, Verdict, perform
from nerva_core.reproductions.q_neurons import EXPERIMENT, FULL, MODES, QUICK, _noise_at_evaluation, momentum_for, network, rows
from nerva_core.reproductions.runs import Trained
from nerva_core.training.config import load_config
from nerva_core.training.results import Metrics
from nerva_core.training.trainer import Trainer

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dropout", [False, True])
def test_the_network_is_the_papers(mode: str, dropout: bool) -> None:
    built = multilayer_perceptron(network("ELU", mode, dropout), [784, 256, 256, 10])
    names = [type(layer).__name__ for layer in built.layers]
    block = ["Linear", "QActivation" if mode[0] in "ca" else "ActivationLayer", "BatchNormalization"] + ["Dropout"] * dropout
    assert names == 2 * block + ["Linear"]
    noisy = built.layers[1]
    if isinstance(noisy, QActivation):
        assert noisy.lambda_ == float(mode[1:])
        assert noisy.gamma == (0.5 if mode[0] == "a" else 0)


def test_the_budgets_train_what_they_compare() -> None:
    for budget in (QUICK, FULL):
        assert all({"plain", "c0.02"} <= set(modes) <= set(MODES) for modes in budget.values())


def test_a_report_on_few_digits() -> None:
    bench = Bench(source=Digits(train=40, test=20), given_seeds=(0, 1))
    report = perform(EXPERIMENT, bench)
    assert len(report.findings.rows) == 8
    assert set(report.findings.figures) == set(report.findings.captions)
    assert all(png.startswith(b"\x89PNG") for png in report.findings.figures.values())
    assert len(report.configurations) == 10


def runs(loss: list[float], accuracy: list[float], template: Trained) -> list[Trained]:
    metrics = [Metrics(1, 0.1, a, a, b, b, 0.0) for a, b in zip(loss, accuracy, strict=True)]
    return [dataclasses.replace(template, history=(m,)) for m in metrics]


def test_the_verdicts() -> None:
    (template,) = Bench().train(
        {"k": {}}, [0], Digits(train=20, test=10), model={"layers": "Linear", "sizes": [64, 10]}, training={"epochs": 1, "batch_size": 20}
    )["k"]
    even = [0.5, 0.6, 0.5, 0.6, 0.55]
    better = {"plain": runs([2.0, 2.1] * 2 + [2.05], even, template), "c0.02": runs([1.0, 1.2] * 2 + [1.1], even[::-1], template)}
    assert [row.verdict for row in rows("ELU", better)] == [Verdict.REPRODUCES, Verdict.UNKNOWN]
    # "q-relu cannot improve": where no difference can be told, that is not shown either.
    assert [row.verdict for row in rows("ReLU", better)] == [Verdict.DOES_NOT, Verdict.UNKNOWN]
    few = {"plain": runs([2.0] * 4, [0.5, 0.51, 0.5, 0.5], template), "c0.02": runs([1.0] * 4, [0.6, 0.6, 0.61, 0.6], template)}
    assert [row.verdict for row in rows("ELU", few)] == [Verdict.UNKNOWN] * 2
    worse = {"plain": better["c0.02"], "c0.02": better["plain"]}
    assert rows("ELU", worse)[0].verdict is Verdict.DOES_NOT
    assert rows("ReLU", worse)[0].verdict is Verdict.REPRODUCES
    assert rows("ELU", worse)[0].here == "2.050 ± 0.050 against 1.100 ± 0.100"


def test_noise_at_evaluation_is_compared_on_the_trained_network() -> None:
    source = Digits(train=100, test=100)
    model = {"layers": network("ELU", "a5"), "sizes": [64, 32, 32, 10], "weights": "NormalizedXavier"}
    bench = Bench()
    trained = bench.train({"k": {}}, [0], source, model=model, training={"epochs": 1, "batch_size": 50})["k"]
    difference = _noise_at_evaluation(bench, trained)
    trainer = Trainer(trained[0].config)
    trainer.restore(1, trained[0].state)
    assert trainer.evaluate()[1] == trained[0].history[-1].test_accuracy
    assert difference != Statistic.of([0.0])


@pytest.mark.parametrize(("name", "dropout"), [("q_neurons_mlp.toml", False), ("q_neurons_mlp_dropout.toml", True)])
def test_the_examples_are_the_networks_of_the_experiment(name: str, dropout: bool) -> None:
    config = load_config(ROOT / "examples" / name)
    assert config.model.layers == network("ELU", "c0.02", dropout)
    assert (config.training.epochs, config.training.batch_size) == (100, 64)


def test_the_statistics_of_short_runs_are_those_of_the_run() -> None:
    assert momentum_for(200) == 0.9
    assert momentum_for(8 * (5_000 // 64)) == 0.99  # Fashion-MNIST, quick
    assert momentum_for(100 * (60_000 // 64)) == 0.99  # and full
    bench = Bench(source=Digits(train=40, test=20), given_seeds=(0,))
    perform(EXPERIMENT, bench)
    assert "momentum=0.9)" in bench.configurations["ELU plain"]


def test_both_budgets_have_dropout() -> None:
    assert "ELU, dropout" in QUICK
    assert network("ELU, dropout", "c0.02") == network("ELU", "c0.02", dropout=True)
    assert {"ELU, dropout", "Softplus, dropout"} <= set(FULL)
    assert sum(map(len, FULL.values())) == 33  # as docs/q_neurons.md says
