"""The classifier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from nerva_core.algebra.memory import Array
from nerva_core.data import Dataset
from nerva_core.equations.losses import LOSSES, Loss
from nerva_core.estimators.base import NervaEstimator
from nerva_core.training.predictions import predict


def _has_probabilities(estimator: NervaClassifier) -> bool:
    """Whether the loss takes the outputs as probabilities or as logits."""
    return type(LOSSES.parse(estimator.loss or estimator.default_loss)).probabilities is not Loss.probabilities


@dataclass(kw_only=True, eq=False, repr=False)
class NervaClassifier(ClassifierMixin, NervaEstimator):
    """A network that classifies, for scikit-learn.

    ``NervaClassifier("ReLU;BatchNormalization;Linear", sizes=(64,)).fit(X, y).score(Xtest, ytest)``, on any backend. y holds numbers or
    names of classes, which ``classes_`` lists.
    """

    default_loss: ClassVar[str] = "SoftmaxCrossEntropy"

    class_weight: Any = None
    """How much an example of a class counts: None, "balanced", or a dictionary with a number for each class."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train a new network on examples X, N x D, of the classes y, (N,), of which each counts as ``sample_weight`` says."""
        self.__dict__.pop("classes_", None)
        return self._fit(X, y, sample_weight)

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train one epoch more, on these examples; the first time all ``classes`` must be given, unless y has them all."""
        if not hasattr(self, "classes_") and classes is not None:
            self.classes_ = np.unique(classes)
        elif classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(f"classes must be those of the first call of partial_fit, {self.classes_}, got {np.unique(classes)}")
        return self._partial_fit(X, y, sample_weight)

    def predict(self, X: Any) -> Array:
        """The most probable class of each example, (N,)."""
        X, ops = self._inputs(X)
        chosen: Array = self.classes_[predict(self.model_, X, ops).classes]
        return chosen

    @available_if(_has_probabilities)
    def predict_proba(self, X: Any) -> Array:
        """The probability of every class for each example, N x K."""
        X, ops = self._inputs(X)
        P = predict(self.model_, X, ops).probabilities
        assert P is not None
        normalised: Array = P / P.sum(axis=1, keepdims=True)
        return normalised

    def _targets(self, y: Array, weights: Array | None, reset: bool) -> tuple[Array, int | None]:
        check_classification_targets(y)
        y = column_or_1d(y, warn=True)
        if not hasattr(self, "classes_"):
            self.classes_ = np.unique(y)
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise ValueError(f"y must have the classes {self.classes_}, got {unknown[0]!r}")
        if len(self.classes_) < 2:
            raise ValueError(f"{type(self).__name__} needs examples of two classes or more, got one class, {self.classes_[0]!r}")
        return np.searchsorted(self.classes_, y), len(self.classes_)

    def _class_names(self) -> tuple[str, ...]:
        return tuple(map(str, self.classes_))

    def _class_weights(self, data: Dataset) -> Any:
        if self.class_weight is None:
            return "none"
        present = np.unique(data.Ttrain)
        weights = np.ones(len(self.classes_))
        given = compute_class_weight(self.class_weight, classes=self.classes_[present], y=self.classes_[data.Ttrain])
        weights[present] = given
        if not (weights > 0).all():
            raise ValueError(
                f"class_weight must be positive for every class, got {self.class_weight}; leave out the examples that do not count"
            )
        return weights.tolist()
