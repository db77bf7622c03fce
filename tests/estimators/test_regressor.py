from __future__ import annotations

import numpy as np
from sklearn.datasets import load_diabetes

from nerva_core.estimators import NervaRegressor
from nerva_core.estimators.regressor import moments


def test_one_linear_layer_comes_to_least_squares() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    T = X @ rng.normal(size=(3, 2)) + 0.1 * rng.normal(size=(60, 2))
    estimator = NervaRegressor(layers="Linear", sizes=(), optimizer="GradientDescent", schedule="Constant(0.2)", epochs=300, scaling="none")
    theirs = np.linalg.lstsq(np.c_[X, np.ones(60)], T, rcond=None)[0]
    np.testing.assert_allclose(estimator.fit(X, T).predict(X), np.c_[X, np.ones(60)] @ theirs, atol=1e-9)


def test_the_shape_of_the_predictions_is_that_of_the_targets() -> None:
    X, y = load_diabetes(return_X_y=True)
    estimator = NervaRegressor(layers="Tanh;Linear", sizes=(20,), early_stopping=True).fit(X, y)
    assert estimator.score(X, y) > 0.4
    assert estimator.predict(X).shape == y.shape
    assert abs(estimator.predict(X).mean() - y.mean()) < 5  # the targets are 152 on average
    assert NervaRegressor(epochs=1).fit(X, y[:, None]).predict(X).shape == (len(y), 1)


def test_an_activation_at_the_end_sees_the_targets_as_they_are() -> None:
    X, y = load_diabetes(return_X_y=True)
    estimator = NervaRegressor(layers="ReLU;Sigmoid", sizes=(20,), epochs=60).fit(X, y / 400)
    assert estimator.score(X, y / 400) > 0.3
    assert np.array_equal(moments(np.array([[2.0], [2.0]]), None), [[2.0], [1.0]])
