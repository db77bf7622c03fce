"""Estimators for scikit-learn: a network with ``fit``, ``predict`` and ``score``, for pipelines and grid searches."""

from nerva_core.estimators.classifier import NervaClassifier
from nerva_core.estimators.fitting import fit
from nerva_core.estimators.regressor import NervaRegressor

__all__ = ["NervaClassifier", "NervaRegressor", "fit"]
