"""The estimators pass the checks of scikit-learn, and train what a configuration trains."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.utils.estimator_checks import check_estimator

from nerva_core.algebra.trees import leaves
from nerva_core.estimators import NervaClassifier, NervaRegressor
from nerva_core.training.models import load_model, save_model

X, Y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[Y]


@pytest.mark.parametrize("cls", [NervaClassifier, NervaRegressor])
def test_the_checks_of_scikit_learn_pass(cls: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the checks warn of what they do
        results = check_estimator(cls(epochs=60), on_fail=None, on_skip=None)
    statuses = {result["check_name"]: result["status"] for result in results}
    assert {name for name, status in statuses.items() if status not in ("passed", "skipped")} == set()
    assert {name for name, status in statuses.items() if status == "skipped"} <= {"check_array_api_input"}
    assert statuses["check_sample_weight_equivalence_on_dense_data"] == "passed"


@pytest.mark.parametrize("cls", [NervaClassifier, NervaRegressor])
def test_an_integer_weight_counts_as_so_many_examples(ops: Any, cls: Any) -> None:
    weights = np.random.default_rng(0).integers(0, 4, len(X))
    rows = np.repeat(np.arange(len(X)), weights)
    given: dict[str, Any] = {
        "epochs": 5,
        "batch_size": 1000,
        "backend": ops.name,
        "optimizer": "GradientDescent",
        "compile": ops.name == "jax",
    }
    weighted, repeated = cls(**given).fit(X, Y, sample_weight=weights), cls(**given).fit(X[rows], Y[rows])
    for a, b in zip(leaves(weighted.model_.params), leaves(repeated.model_.params), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-12)
    unweighted = cls(**given).fit(X, Y)
    assert not np.allclose(next(leaves(weighted.model_.params)), next(leaves(unweighted.model_.params)), rtol=1e-6)


def test_epochs_one_by_one_are_those_of_fit() -> None:
    whole, pieces = NervaClassifier(epochs=4, batch_size=32).fit(X, NAMES), NervaClassifier(batch_size=32)
    for _ in range(4):
        pieces.partial_fit(X, NAMES)
    assert [m.train_loss for m in pieces.history_] == [m.train_loss for m in whole.history_]
    for a, b in zip(leaves(whole.state_), leaves(pieces.state_), strict=True):
        np.testing.assert_array_equal(a, b)


def test_steps_are_counted_when_pieces_differ_in_length() -> None:
    """Adam divides by 1 - β^t: with a wrong t a short piece after a long one would move far."""
    estimator = NervaClassifier(batch_size=10)
    estimator.partial_fit(X, NAMES).partial_fit(X[:30], NAMES[:30])
    assert estimator._steps == 15 + 3
    estimator.partial_fit(X[:5], NAMES[:5])
    assert estimator._steps == 19


def test_early_stopping_keeps_the_best_epoch() -> None:
    rng = np.random.default_rng(0)
    noisy = NAMES.copy()
    wrong = rng.choice(len(X), 40, replace=False)
    noisy[wrong] = rng.choice(noisy, 40)
    estimator = NervaClassifier(epochs=200, early_stopping=True, validation_fraction=0.3, patience=5, batch_size=16).fit(X, noisy)
    losses = [m.validation_loss for m in estimator.history_]
    assert estimator.n_iter_ == int(np.argmin(losses)) + 1 + 5 < 200
    assert all(m.test_loss is None for m in estimator.history_)


def test_a_callback_ends_the_training() -> None:
    seen = []

    def stop(trainer: Any, metrics: Any) -> bool:
        seen.append((trainer.epoch, metrics.epoch))
        return metrics.epoch == 3

    assert NervaClassifier(epochs=9, callbacks=[stop]).fit(X, NAMES).n_iter_ == 3
    assert seen == [(1, 1), (2, 2), (3, 3)]


def test_the_model_is_written_and_read(tmp_path: Path) -> None:
    estimator = NervaClassifier(epochs=3).fit(X, NAMES)
    save_model(tmp_path / "model.safetensors", estimator.model_)
    model = load_model(tmp_path / "model.safetensors")
    assert model.encoding.classes == ("setosa", "versicolor", "virginica")
    np.testing.assert_array_equal(NAMES[[0]], [model.encoding.classes[model.predict(X)[0].argmax()]])
    again = pickle.loads(pickle.dumps(estimator))
    np.testing.assert_array_equal(again.predict_proba(X), estimator.predict_proba(X))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"optimizer": "Adum"}, "did you mean 'Adam'"),
        ({"layers": "Conv(8,3);Linear(3)"}, "begin the network with Images"),
        ({"layers": "ReLU;ReLU;Linear"}, "sizes must list 4 numbers"),
        ({"backend": "nunpy"}, "did you mean 'numpy'"),
        ({"patience": 0, "early_stopping": True}, "greater than 0, got 0"),
        ({"validation_fraction": 1.5, "early_stopping": True}, "less than 1, got 1.5"),
    ],
)
def test_a_wrong_parameter_is_named_by_fit(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        NervaClassifier(**parameters).fit(X, Y)


def test_weights_that_are_all_zero_are_refused() -> None:
    with pytest.raises(ValueError, match=r"positive for at least one example|at least one non-zero"):
        NervaRegressor().fit(X, Y, sample_weight=np.zeros(len(X)))


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_data_frame_may_have_texts_and_empty_cells(library: str) -> None:
    frames = pytest.importorskip(library)
    columns = {"length": [None, *X[1:, 2].tolist()], "kind": [None, *(["small", "large"][int(x > 2)] for x in X[1:, 3])]}
    estimator = NervaClassifier(epochs=60).fit(frames.DataFrame(columns), NAMES)
    assert estimator.score(frames.DataFrame(columns), NAMES) > 0.85
    assert estimator.model_.encoding.features == ("length", "length is missing", "kind = large", "kind = small", "kind is missing")
    first = {name: cells[:1] for name, cells in columns.items()}
    assert estimator.predict(frames.DataFrame(first)).shape == (1,)
    numbers = frames.DataFrame({"a": X[:, 0], "b": X[:, 1]})
    assert NervaClassifier(epochs=1).fit(numbers, NAMES).columns_ == ()
