"""The encoding of a data set: the scaling of its inputs and its names, with which a network that was trained on it takes other data."""

from __future__ import annotations

from dataclasses import dataclass

from nerva_core.algebra.memory import Array
from nerva_core.data.preparation import Column


@dataclass(frozen=True)
class Encoding:
    """The inputs are (X - shift) / spread, with numbers of the training set; both are 1 x D, or None for inputs as they are."""

    shift: Array | None = None
    spread: Array | None = None
    features: tuple[str, ...] = ()
    """The names of the columns of X, if they have any."""
    classes: tuple[str, ...] = ()
    """The names of the classes 0, 1, 2, ..., if they have any."""
    columns: tuple[Column, ...] = ()
    """How the columns of a table become X, if they were read from one."""

    def offsets(self) -> tuple[Array, Array]:
        """The shift as a sum of two, the first in float32: X - first - second is exact in float32 where X is near the shift."""
        assert self.shift is not None
        first = self.shift.astype("float32").astype(float)
        return first, self.shift - first

    def inputs(self, X: Array) -> Array:
        """The inputs of the network for raw examples X, N x D, in the dtype of X."""
        if self.shift is None or self.spread is None:
            return X
        result: Array = ((X - self.shift) / self.spread).astype(X.dtype)
        return result
