from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.trees import leaves, map_tree
from nerva_core.equations.losses import SquaredError
from nerva_core.training.evaluation import count_correct
from nerva_core.training.models import load_model
from nerva_core.training.runs import Run
from nerva_core.training.trainer import Trainer
from tests.helpers import assert_trees_equal
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


def test_a_run_is_evaluated_with_the_averages_of_its_weights() -> None:
    """The network is evaluated with (β θ_1 + θ_2) / (β + 1), and trained as without averages."""
    config = {"dtype": "float64", "optimizer": "EMA(Momentum, 0.75)", "training": {"epochs": 2, "batch_size": 200}}
    averaged = Trainer(configure(**config))
    plain = Trainer(configure(**{**config, "optimizer": "Momentum"}))
    thetas = []
    for ours, theirs in zip(averaged.run(), plain.run(), strict=True):
        thetas.append(plain.to_numpy().params)
        assert_trees_equal(averaged.to_numpy().params, thetas[-1])
        assert (ours.train_loss == theirs.train_loss) == (len(thetas) == 1)
    expected = [(0.75 * a + b) / 1.75 for a, b in zip(*map(leaves, thetas), strict=True)]
    for average, theta in zip(leaves(averaged.evaluated().params), expected, strict=True):
        np.testing.assert_allclose(average, theta, rtol=1e-12, atol=1e-15)
    loss, accuracy = averaged.evaluate()
    result = averaged.finish()  # which keeps them
    assert (result.test_loss, result.test_accuracy) == (loss, accuracy)
    for kept, theta in zip(leaves(averaged.to_numpy().params), expected, strict=True):
        np.testing.assert_allclose(kept, theta, rtol=1e-12, atol=1e-15)


def test_the_best_averages_are_kept() -> None:
    training = {"epochs": 4, "batch_size": 32, "validation": 0.2, "keep": "best"}
    trainer = Trainer(configure(optimizer="EMA(Momentum, 0.9)", schedule="Constant(0.3)", training=training))
    history, found = [], []
    for metrics in trainer.run():
        history.append(metrics.validation_loss)
        found.append(trainer.evaluated())
    result = trainer.finish()
    assert result.kept_epoch == int(np.argmin(history)) + 1
    assert_trees_equal(trainer.to_numpy().params, found[result.kept_epoch - 1].params)


def test_a_run_with_averages_continues_to_the_same_bits(tmp_path: Path) -> None:
    """Interrupted within the second epoch, on every file that is written."""
    values = {"optimizer": "EMA(Lookahead(AdamW), 0.9)", "training": {"epochs": 3, "batch_size": 32, "top_k": 3}}
    Run.start(configure(**values), tmp_path / "whole").train()

    def stop(epoch: int, steps: int, loss: float) -> None:
        if epoch == 1:
            raise KeyboardInterrupt

    run = Run.start(configure(**values), tmp_path / "half")
    with pytest.raises(KeyboardInterrupt):
        run.train(on_step=stop)
    Run.resume(tmp_path / "half").train()
    for name in ("model.safetensors", "result.json"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "half" / name).read_bytes()
    trainer = Run.resume(tmp_path / "half").trainer
    trained = trainer.to_numpy().params
    averages = trainer.evaluated().params
    assert_trees_equal(load_model(tmp_path / "half" / "model.safetensors").params, averages)
    assert not np.array_equal(averages[0].W, trained[0].W)


def test_the_top_k_accuracy_is_that_of_the_predictions() -> None:
    trainer = Trainer(configure(training={"epochs": 1, "batch_size": 32, "top_k": 3}))
    (metrics,) = trainer.run()
    state = trainer.state
    Y = trainer.ops.to_numpy(trainer.network.evaluate(trainer.ops, state.params, state.statistics, trainer.ops.matrix(trainer.data.Xtest)))
    best = np.argsort(-Y, axis=1)[:, :3]
    expected = (best == trainer.data.Ttest[:, None]).any(axis=1).mean()
    assert metrics.top_accuracy == trainer.finish().test_top_accuracy == expected
    assert metrics.test_accuracy is not None
    assert metrics.test_accuracy < expected < 1


@pytest.mark.parametrize(("data", "loss"), [("Digits", "SoftmaxCrossEntropy"), ("SineOfSum", "SquaredError")])
def test_a_top_k_that_is_always_right_is_refused(data: str, loss: str) -> None:
    with pytest.raises(
        NervaError, match=r"top_k must be below the number of classes, got 10 and data with (10 classes|numbers as targets)"
    ):
        Trainer(configure(data=data, loss=loss, training={"top_k": 10}))
