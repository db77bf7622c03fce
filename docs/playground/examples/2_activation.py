"""An activation with a parameter."""

from dataclasses import dataclass

from nerva_core.algebra.registry import Positive
from nerva_core.equations.activations import Activation


@dataclass(frozen=True)
class SoftSign(Activation):
    """x / (α + |x|); the derivative is α / (α + |x|)²."""

    alpha: Positive = 1.0

    def value(self, ops, X):
        return ops.hadamard(X, self.inverse(ops, X))

    def gradient(self, ops, X):
        R = self.inverse(ops, X)
        return self.alpha * ops.hadamard(R, R)

    def inverse(self, ops, X):
        """1 / (α + |x|)."""
        return ops.reciprocal(ops.full(self.alpha, *ops.shape(X)) + ops.abs(X))
