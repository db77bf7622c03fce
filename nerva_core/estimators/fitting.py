"""A network from arrays, in one call."""

from __future__ import annotations

from typing import Any

from sklearn.utils.multiclass import type_of_target

from nerva_core.estimators.classifier import NervaClassifier
from nerva_core.estimators.regressor import NervaRegressor


def fit(X: Any, y: Any, *, sample_weight: Any = None, **parameters: Any) -> NervaClassifier | NervaRegressor:
    """A network that is trained on examples X, N x D, with targets y: a classifier for classes, a regressor for other numbers.

    ``fit(X, y, layers="ReLU;ReLU;Linear", sizes=(64, 32), epochs=20).predict(Xnew)``; the parameters are those of the estimators.
    """
    numbers = type_of_target(y).startswith("continuous")
    return (NervaRegressor if numbers else NervaClassifier)(**parameters).fit(X, y, sample_weight)
