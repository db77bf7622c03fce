"""The regressor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import RegressorMixin

from nerva_core.algebra.memory import Array
from nerva_core.algebra.trees import Tree
from nerva_core.estimators.base import NervaEstimator
from nerva_core.layers import Sequential
from nerva_core.layers.linear import LinearParameters


def moments(T: Array, weights: Array | None) -> tuple[Array, Array]:
    """The mean and the deviation of each column, 1 instead of the deviation of equal numbers."""
    mean = np.average(T, axis=0, weights=weights)
    deviation = np.sqrt(np.average((T - mean) ** 2, axis=0, weights=weights))
    return mean, np.where(deviation > 1e-12 * np.abs(mean), deviation, 1.0)


@dataclass(kw_only=True, eq=False, repr=False)
class NervaRegressor(RegressorMixin, NervaEstimator):
    """A network that predicts numbers, for scikit-learn: one for each example, or several.

    If the last layer is Linear, it is trained on (T - mean) / deviation of the targets, and then multiplied and shifted, so that its
    outputs are like the targets; the losses in ``history_`` are those of scaled targets.
    """

    default_loss: ClassVar[str] = "SquaredError"

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train a new network on examples X, N x D, with targets y, (N,) or N x K, of which each counts as ``sample_weight`` says."""
        return self._fit(X, y, sample_weight)

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train one epoch more, on these examples."""
        return self._partial_fit(X, y, sample_weight)

    def predict(self, X: Any) -> Array:
        """The numbers of each example, (N,) or N x K as y was."""
        X, ops = self._inputs(X)
        Y = self.model_.predict(X, ops).astype(float)
        return Y[:, 0] if self._single else Y

    def _targets(self, y: Array, weights: Array | None, reset: bool) -> tuple[Array, int | None]:
        T = np.asarray(y, dtype=float).reshape(len(y), -1)
        if reset:
            self._single = np.ndim(y) == 1
            self._moments = moments(T, weights) if self._is_linear() else (np.zeros(T.shape[1]), np.ones(T.shape[1]))
        shift, spread = self._moments
        return (T - shift) / spread, None

    def _is_linear(self) -> bool:
        """Whether the last layer is one whose weights can be multiplied afterwards."""
        last = self.layers.rpartition(";")[2] if isinstance(self.layers, str) else self.layers[-1]
        return isinstance(last, str) and last.partition("(")[0].strip().casefold() == "linear"

    def _with_targets_as_given(self, network: Sequential, params: Tree) -> Any:
        """Y · spread + shift: W by rows, which are the outputs, and b."""
        if not self._is_linear():
            return params
        (shift, spread), (W, b) = self._moments, params[-1]
        last = LinearParameters(W * spread[:, None], b * spread + shift)
        return (*params[:-1], last)

    @classmethod
    def _numeric(cls) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
