from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.trees import leaves
from nerva_core.data import Dataset
from nerva_core.training.config import Config, make_config
from nerva_core.training.selection import best, held_out, is_enough, with_class_weights
from nerva_core.training.trainer import Trainer


def dataset(counts: list[int]) -> Dataset:
    T = np.repeat(np.arange(len(counts)), counts)
    X = np.arange(2.0 * len(T)).reshape(-1, 2)
    return Dataset(X, T, X[:2], T[:2], len(counts))


def test_a_part_of_every_class_is_held_out_and_nothing_is_lost() -> None:
    data = dataset([40, 20, 10])
    split = held_out(data, 0.2, np.random.default_rng(0))
    assert split.Xvalidation is not None
    assert split.Tvalidation is not None
    assert list(np.bincount(split.Tvalidation)) == [8, 4, 2]
    both = np.concatenate([split.Xtrain, split.Xvalidation])
    assert sorted(map(tuple, both)) == sorted(map(tuple, data.Xtrain))
    np.testing.assert_array_equal(split.Xtest, data.Xtest)
    assert held_out(split, 0.5, np.random.default_rng(1)) is split
    assert held_out(data, 0.0, np.random.default_rng(0)) is data


@pytest.mark.parametrize("counts", [[40, 1, 10], [30, 2, 2, 2, 2]])
def test_rare_classes_are_held_out_as_they_come(counts: list[int]) -> None:
    split = held_out(dataset(counts), 0.1, np.random.default_rng(0))
    assert split.Xvalidation is not None
    assert len(split.Xvalidation) + len(split.Xtrain) == sum(counts)


def test_balanced_weights_give_every_class_the_same() -> None:
    data = with_class_weights(dataset([40, 20, 10]), "balanced")
    assert data.weights is not None
    np.testing.assert_allclose(np.bincount(data.Ttrain, weights=data.weights), [70 / 3] * 3)
    twice = with_class_weights(data, [1.0, 2.0, 3.0])
    assert twice.weights is not None
    np.testing.assert_allclose(np.bincount(twice.Ttrain, weights=twice.weights), np.array([1, 2, 3]) * 70 / 3)


def test_weights_for_other_classes_are_refused() -> None:
    with pytest.raises(NervaError, match="a number for each of 3 classes, got 2"):
        with_class_weights(dataset([4, 2, 1]), [1.0, 2.0])
    regression = Dataset(np.ones((3, 2)), np.ones((3, 1)), np.ones((1, 2)), np.ones((1, 1)), None)
    with pytest.raises(NervaError, match="for examples of one class each"):
        with_class_weights(regression, "balanced")


@pytest.mark.parametrize(
    ("losses", "epoch", "enough"),
    [([], 0, False), ([3.0], 1, False), ([3, 2, 2], 2, False), ([3, 2, 2, 4], 2, True), ([1, 2, 0.5], 3, False)],
)
def test_the_best_epoch_and_enough_without_a_better_one(losses: list[float], epoch: int, enough: bool) -> None:
    assert best(losses) == epoch
    assert is_enough(losses, 2) is enough
    assert not is_enough(losses, None)


def config(**training: Any) -> Config:
    return make_config({"data": "Digits(train=100, test=50)", "schedule": "Constant(0.1)", "training": {"epochs": 12, **training}})


@pytest.mark.parametrize("training", [{"patience": 2}, {"keep": "best"}])
def test_what_goes_by_a_validation_set_needs_one(training: dict[str, Any]) -> None:
    with pytest.raises(NervaError, match="hold one out with training"):
        Trainer(config(**training))


def test_the_best_epoch_is_kept_and_the_test_set_is_for_the_end() -> None:
    trainer = Trainer(config(validation=0.3, patience=2, keep="best"))
    states, history = [], []
    for metrics in trainer.run():
        states.append(trainer.to_numpy())
        history.append(metrics)
    losses = [m.validation_loss for m in history]
    result = trainer.finish()
    assert (result.epochs, result.kept_epoch) == (len(losses), int(np.argmin(losses)) + 1)
    assert result.stopped_early is (len(losses) < 12)
    for a, b in zip(leaves(trainer.to_numpy().params), leaves(states[result.kept_epoch - 1].params), strict=True):
        np.testing.assert_array_equal(a, b)
    assert {m.test_loss for m in history} == {None}
    assert result.test_loss == trainer.evaluate()[0]
