from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from nerva_core.estimators import NervaClassifier

X, Y = load_iris(return_X_y=True)


def test_digits_are_learned_with_names_of_classes() -> None:
    D, T = load_digits(return_X_y=True)
    names = np.array(list("abcdefghij"))[T]
    estimator = NervaClassifier(epochs=15).fit(D[:1200], names[:1200])
    assert estimator.score(D[1200:], names[1200:]) > 0.9
    assert list(estimator.classes_) == list("abcdefghij")
    P = estimator.predict_proba(D[1200:])
    np.testing.assert_allclose(P.sum(axis=1), 1, rtol=1e-12)
    assert list(estimator.classes_[P.argmax(axis=1)]) == list(estimator.predict(D[1200:]))


def test_it_works_in_a_pipeline_and_a_grid_search() -> None:
    pipeline = make_pipeline(StandardScaler(), NervaClassifier(epochs=20, batch_size=16, scaling="none"))
    search = GridSearchCV(pipeline, {"nervaclassifier__sizes": [(3,), (30,)], "nervaclassifier__optimizer": ["Adam", "Momentum"]}, cv=3)
    search.fit(X, Y)
    assert set(search.best_params_) == {"nervaclassifier__sizes", "nervaclassifier__optimizer"}
    assert search.best_score_ > 0.9


def test_balanced_weights_are_the_weights_of_the_examples(ops: Any) -> None:
    rows = np.r_[0:50, 50:60, 100:130]
    given: dict[str, Any] = {"epochs": 3, "backend": ops.name, "optimizer": "GradientDescent", "batch_size": 1000, "compile": False}
    balanced = NervaClassifier(class_weight="balanced", **given).fit(X[rows], Y[rows])
    counts = np.array([50, 10, 30])
    weighted = NervaClassifier(**given, scaling="none")
    plain = NervaClassifier(class_weight="balanced", scaling="none", **given).fit(X[rows], Y[rows])
    weighted.fit(X[rows], Y[rows], sample_weight=(90 / (3 * counts))[Y[rows]])
    np.testing.assert_allclose(plain.predict_proba(X), weighted.predict_proba(X), rtol=1e-10)
    assert balanced.model_.config.training.class_weights == pytest.approx(list(90 / (3 * counts)))


def test_a_class_that_does_not_count_is_refused() -> None:
    with pytest.raises(ValueError, match="class_weight must be positive for every class"):
        NervaClassifier(class_weight={0: 1, 1: 0, 2: 1}).fit(X, Y)


def test_a_loss_without_probabilities_has_no_predict_proba() -> None:
    estimator = NervaClassifier(loss="Hinge", epochs=20).fit(X, Y)
    assert not hasattr(estimator, "predict_proba")
    assert estimator.score(X, Y) > 0.8
    assert hasattr(NervaClassifier(), "predict_proba")


def test_a_class_that_comes_later_must_be_announced() -> None:
    with pytest.raises(ValueError, match="y must have the classes"):
        NervaClassifier().partial_fit(X[:60], Y[:60]).partial_fit(X, Y)
    estimator = NervaClassifier().partial_fit(X[:60], Y[:60], classes=[0, 1, 2]).partial_fit(X, Y)
    assert estimator.predict_proba(X).shape == (150, 3)
    with pytest.raises(ValueError, match="those of the first call"):
        estimator.partial_fit(X, Y, classes=[0, 1])
