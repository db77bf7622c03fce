from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.trees import map_tree
from nerva_core.equations.losses import SquaredError
from nerva_core.training.evaluation import count_correct
from nerva_core.training.trainer import Trainer
from tests.training.test_trainer import RICH, configure


def test_evaluation_uses_running_statistics_and_no_noise() -> None:
    trainer = Trainer(configure(model=RICH))
    list(trainer.run())
    network, ops, state = trainer.network, trainer.ops, trainer.state
    X = ops.matrix(trainer.data.Xtest)
    whole = network.evaluate(ops, state.params, state.statistics, X)
    alone = network.evaluate(ops, state.params, state.statistics, X[:1])
    np.testing.assert_allclose(whole[:1], alone, rtol=1e-5)
    assert not np.array_equal(state.statistics[2].mean, network.initial_state(64)[2].mean)


def test_the_reported_loss_is_the_mean_over_the_examples() -> None:
    trainer = Trainer(configure(data="Digits(train=1437)"))  # more than one batch of evaluation
    loss, accuracy = trainer.evaluate(test=False)
    params = map_tree(np.asarray, trainer.to_numpy().params)
    Y = trainer.data.Xtrain
    for p in params:
        if p:
            Y = Y @ p.W.T + p.b
            Y = np.maximum(Y, 0) if len(p.W) != 10 else Y
    log_softmax = Y - Y.max(axis=1, keepdims=True)
    log_softmax -= np.log(np.exp(log_softmax).sum(axis=1, keepdims=True))
    labels = trainer.data.Ttrain
    assert loss == pytest.approx(-log_softmax[np.arange(len(labels)), labels].mean(), rel=1e-5)
    assert accuracy == pytest.approx((Y.argmax(axis=1) == labels).mean())


def test_a_sequence_is_correct_if_all_of_its_positions_are(ops: Any, rng: np.random.Generator) -> None:
    Y, T = rng.normal(size=(60, 6)), np.eye(2)[rng.integers(2, size=(60, 3))].reshape(60, 6)
    (count,) = ops.to_numpy(count_correct(ops, SquaredError(), ops.matrix(Y), ops.matrix(T), positions=3))[0]
    right = Y.reshape(60, 3, 2).argmax(axis=2) == T.reshape(60, 3, 2).argmax(axis=2)
    assert count == right.all(axis=1).sum()
    assert 0 < count < 60


@pytest.mark.parametrize("evaluation_batch", [7, 1000])
def test_evaluation_without_compilation_is_the_same(ops: Any, monkeypatch: pytest.MonkeyPatch, evaluation_batch: int) -> None:
    monkeypatch.setattr("nerva_core.training.evaluation.EVALUATION_BATCH", evaluation_batch)
    compiled, plain = (Trainer(configure(backend=ops.name, dtype="float64", model=RICH, compile=c)) for c in (True, False))
    (loss, accuracy), (expected_loss, expected_accuracy) = compiled.evaluate(), plain.evaluate()
    assert loss == pytest.approx(expected_loss, rel=1e-13)
    assert accuracy == expected_accuracy
