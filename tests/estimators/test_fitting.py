from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_iris

import nerva_core as nc
from nerva_core.estimators import NervaClassifier, NervaRegressor

X, Y = load_iris(return_X_y=True)


@pytest.mark.parametrize(
    ("y", "expected"),
    [(Y, NervaClassifier), (np.array(list("abc"))[Y], NervaClassifier), (X[:, 0], NervaRegressor), (X[:, :2], NervaRegressor)],
)
def test_the_targets_tell_what_is_learned(y: np.ndarray, expected: type) -> None:
    estimator = nc.fit(X, y, epochs=30)
    assert type(estimator) is expected
    assert estimator.score(X, y) > 0.6
