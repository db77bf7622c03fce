import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import backend_classes
from nerva_core.algebra.trees import leaves
from nerva_core.data import Digits, FashionMNIST, SineOfSum
from nerva_core.data.sources import Reconstruction
from nerva_core.reproductions.experiment import FASTEST_FIRST, Bench, Experiment, Part, Results, _written, fastest_backend, perform
from nerva_core.reproductions.report import Findings
from nerva_core.reproductions.runs import Trained, curves, values
from nerva_core.training.config import parse_config
from nerva_core.training.trainer import Trainer

SOURCE = Digits(train=60, test=30)
MODEL = {"layers": "ReLU;Linear", "sizes": [64, 8, 10]}


def test_runs_are_those_of_the_ordinary_trainer() -> None:
    bench = Bench()
    told: list[tuple[str, float]] = []
    bench.progress = lambda text, fraction, left: told.append((text, fraction))
    kinds = {"slow": {"schedule": "Constant(0.01)"}, "fast": {"schedule": "Constant(0.1)"}}
    runs = bench.train(kinds, [0, 3], SOURCE, model=MODEL, training={"epochs": 2, "batch_size": 20})
    assert {kind: [run.config.seed for run in found] for kind, found in runs.items()} == {"slow": [0, 3], "fast": [0, 3]}
    again = list(Trainer(parse_config(bench.configurations["fast"])).run())
    assert [m.train_loss for m in runs["fast"][0].history] == [m.train_loss for m in again]
    assert values(runs["fast"], lambda m: m.train_loss)[0] == again[-1].train_loss
    assert curves(runs["slow"], lambda m: m.test_accuracy)[1] == [m.test_accuracy for m in runs["slow"][1].history]
    fractions = [fraction for _, fraction in told]
    assert fractions == sorted(fractions)
    assert told[-1][1] == 1
    assert ("fast, seed 3", 0.75) in told


def test_a_run_that_diverges_is_a_result() -> None:
    bench = Bench()
    kinds = {"wild": {"schedule": "Constant(1e30)"}}
    (run,) = bench.train(kinds, [0], SOURCE, model=MODEL, training={"epochs": 3, "batch_size": 20})["wild"]
    assert run.diverged
    assert run.last is None
    assert math.isnan(values([run], lambda m: m.train_loss)[0])


def test_budgets_and_seeds() -> None:
    assert Bench("quick").choose(1, 2) == 1
    assert Bench("full").choose(1, 2) == 2
    assert Bench("full").seeds() == Bench("quick").seeds() == (0, 1, 2, 3, 4)
    assert Bench("full", given_seeds=(7,)).seeds() == (7,)


def test_the_full_budget_can_be_cut() -> None:
    assert Bench("full", fraction=0.25).length(3, 100) == 25
    assert Bench("full", fraction=0.001).length(3, 100) == 1
    assert Bench("full").length(3, 100) == 100
    assert Bench("quick", fraction=0.5).length(3, 100) == 3


def test_what_is_kept_is_not_trained_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings: dict[str, Any] = {"model": MODEL, "training": {"epochs": 2, "batch_size": 20}}
    first = Bench(kept=tmp_path).train({"k": {}}, [0, 1], SOURCE, **settings)["k"]
    monkeypatch.setattr(Trainer, "run", lambda *_: pytest.fail("it is kept"))
    again = Bench(kept=tmp_path).train({"k": {}}, [0, 1], SOURCE, **settings)["k"]
    assert [run.history for run in again] == [run.history for run in first]
    np.testing.assert_equal(list(leaves(again[1].state)), list(leaves(first[1].state)))


def test_several_processes_need_a_folder() -> None:
    with pytest.raises(NervaError, match="kept"):
        Bench(jobs=2).train({"k": {}}, [0], SOURCE, model=MODEL)


def test_images_are_limited_but_the_users_limit_stands() -> None:
    assert Bench(source=Digits()).images(train=5).train == 5
    assert Bench(source=Digits(train=9)).images(train=5).train == 9
    assert Bench(source=Digits()).images().train is None
    assert Bench().images(train=5).train == 5
    assert Bench(source=Digits()).images(train=5000, test=5000) == Digits()  # which has fewer; to ask it for so many is refused
    assert Bench(source=Digits()).classes(Digits()) == (64, 10)


def test_data_are_read_once() -> None:
    bench = Bench()
    assert bench.load(SOURCE) is bench.load(Digits(train=60, test=30))


def test_a_regression_has_no_classes() -> None:
    with pytest.raises(NervaError, match="images in classes"):
        Bench().classes(SineOfSum(train=10, test=10))


def test_the_fastest_backend_is_the_first_that_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(FASTEST_FIRST) == set(backend_classes())
    assert fastest_backend() == FASTEST_FIRST[0]
    monkeypatch.setattr("nerva_core.reproductions.experiment.find_spec", lambda name: True if name == "numpy" else None)
    assert fastest_backend() == "numpy"


def test_a_report_says_how_it_was_made() -> None:
    part = Part({"k": {}}, SOURCE, {"model": MODEL, "training": {"epochs": 1, "batch_size": 60}})

    def findings(_: Bench, results: Results) -> Findings:
        assert [run.config.seed for run in results["all"]["k"]] == [4]
        return Findings([])

    report = perform(Experiment("n", "Title", "paper", lambda bench: {"all": part}, findings), Bench(given_seeds=(4,)))
    assert report.settings["seeds"] == "4"
    assert report.settings["budget"] == "quick"
    assert report.settings["data"] == "Digits(train=60, test=30)"
    assert list(report.configurations) == ["k"]
    assert report.seconds > 0
    assert report.settings["processor seconds"] >= 0


def test_a_source_around_another_is_said() -> None:
    bench = Bench()
    common = {"loss": "MeanSquaredError", "training": {"epochs": 1, "batch_size": 30}}
    bench.train({"k": {}}, [0], Reconstruction(source=SOURCE), **common, model={"layers": ["Linear(64)"]})
    assert bench.used["data"] == "Reconstruction(source=Digits(train=60, test=30))"
    bench.train({"k": {}}, [0], SineOfSum(n=50), **common, model={"layers": ["Linear(1)"]})
    assert bench.used["data"] == "SineOfSum"


@pytest.mark.parametrize("backend", ["numpy", "jax", "torch", "tensorflow"])
def test_a_run_after_another_seed_is_that_of_a_new_trainer(backend: str) -> None:
    """What was compiled for the first seed serves the others, and changes no bit: noise, order, statistics and step count begin again."""
    pytest.importorskip(backend)
    layers = "q-elu(lambda=5, gamma=0.5);BatchNormalization;Dropout(0.2);Linear"
    common = {"model": {"layers": layers, "sizes": [64, 8, 10]}, "optimizer": "Adam", "training": {"epochs": 2, "batch_size": 20}}

    def trained(seeds: tuple[int, ...]) -> Trained:
        (runs,) = Bench(backend=backend).train({"k": {}}, seeds, Digits(train=50, test=20), **common).values()
        return runs[-1]

    after, alone = trained((0, 7)), trained((7,))
    assert after.config == alone.config
    assert [dataclasses.replace(m, seconds=0) for m in after.history] == [dataclasses.replace(m, seconds=0) for m in alone.history]
    for found, expected in zip(leaves(after.state), leaves(alone.state), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_source_is_written_without_its_defaults() -> None:
    assert _written(FashionMNIST(train=5)) == "FashionMNIST(train=5)"
    assert _written(FashionMNIST(path="/else")) == "FashionMNIST(path='/else')"
