"""Elementwise functions, comparisons and choice."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from nerva_core.algebra.matrix import M, Scalar
from nerva_core.algebra.operation import BY_ROWS, operation
from nerva_core.algebra.operations.basic import BasicOps


class ElementwiseOps(BasicOps[M]):
    """Functions of every element of X, or of the elements of X and Y at the same place."""

    # Elementwise functions --------------------------------------------------------------------------------------------

    @operation(work="definition", by=())
    def apply(self, f: Callable[[Any, M], M], X: M) -> M:
        """f(X), where f is an elementwise function written in matrix operations, such as an activation."""
        return f(self, X)

    @abstractmethod
    def exp(self, X: M) -> M:
        """e^X."""

    @abstractmethod
    def log(self, X: M) -> M:
        """The natural logarithm."""

    @abstractmethod
    def reciprocal(self, X: M) -> M:
        """1 / X."""

    @abstractmethod
    def sqrt(self, X: M) -> M:
        """√X."""

    def inv_sqrt(self, X: M) -> M:
        """X^(-1/2). A stabilising epsilon is part of the equation that needs one, not of this operation (erratum 004-04)."""
        return self.reciprocal(self.sqrt(X))

    @abstractmethod
    def arctan(self, X: M) -> M:
        """The angle in (-π/2, π/2) whose tangent is x."""

    @abstractmethod
    def normal_cdf(self, X: M) -> M:
        """Φ(x), the distribution function of the standard normal distribution."""

    @abstractmethod
    def normal_pdf(self, X: M) -> M:
        """φ(x) = e^(-x²/2) / √(2π), its density."""

    def expm1(self, X: M) -> M:
        """e^X - 1."""
        return self.exp(X) - self.ones(*self.shape(X))

    def log1p(self, X: M) -> M:
        """log(1 + X)."""
        return self.log(self.ones(*self.shape(X)) + X)

    def sigmoid(self, X: M) -> M:
        """σ(x) = 1 / (1 + e⁻ˣ)."""
        return self.reciprocal(self.ones(*self.shape(X)) + self.exp(-X))

    def log_sigmoid(self, X: M) -> M:
        """log σ(x)."""
        return self.log(self.sigmoid(X))

    def softplus(self, X: M) -> M:
        """log(1 + eˣ)."""
        return self.log(self.ones(*self.shape(X)) + self.exp(X))

    def tanh(self, X: M) -> M:
        """(eˣ - e⁻ˣ) / (eˣ + e⁻ˣ)."""
        return self.hadamard(self.exp(X) - self.exp(-X), self.reciprocal(self.exp(X) + self.exp(-X)))

    def xlogy(self, X: M, Y: M) -> M:
        """X ⊙ log Y; where x = 0 the value is 0, also for y = 0."""
        return self.hadamard(X, self.log(Y))

    def quotient(self, X: M, Y: M) -> M:
        """X ⊙ (1 / Y); where x = 0 the value is 0, also for y = 0."""
        return self.hadamard(X, self.reciprocal(Y))

    # Comparisons and choice -------------------------------------------------------------------------------------------

    @abstractmethod
    def less(self, X: M, Y: M) -> M:
        """The indicator of x < y."""

    def less_equal(self, X: M, Y: M) -> M:
        """The indicator of x <= y."""
        return self.ones(*self.shape(X)) - self.less(Y, X)

    def greater(self, X: M, Y: M) -> M:
        """The indicator of x > y."""
        return self.less(Y, X)

    def greater_equal(self, X: M, Y: M) -> M:
        """The indicator of x >= y."""
        return self.less_equal(Y, X)

    def equal(self, X: M, Y: M) -> M:
        """The indicator of x = y."""
        return self.hadamard(self.less_equal(X, Y), self.less_equal(Y, X))

    def where(self, C: M, X: M, Y: M) -> M:
        """C ⊙ X + (1 - C) ⊙ Y: x where the indicator C is 1, y where it is 0."""
        return self.hadamard(C, X) + self.hadamard(self.ones(*self.shape(C)) - C, Y)

    def maximum(self, X: M, Y: M) -> M:
        """The larger of x and y."""
        return self.where(self.less(X, Y), Y, X)

    def minimum(self, X: M, Y: M) -> M:
        """The smaller of x and y."""
        return self.where(self.less(X, Y), X, Y)

    def abs(self, X: M) -> M:
        """|x|."""
        return self.where(self.less(X, self.zeros(*self.shape(X))), -X, X)

    def sign(self, X: M) -> M:
        """-1, 0 or 1."""
        zero = self.zeros(*self.shape(X))
        return self.less(zero, X) - self.less(X, zero)

    def clip(self, X: M, low: Scalar, high: Scalar) -> M:
        """min(max(x, low), high); a bound that is infinite is none."""
        m, n = self.shape(X)
        above = X if isinstance(low, float) and low == -math.inf else self.maximum(X, self.full(low, m, n))
        return above if isinstance(high, float) and high == math.inf else self.minimum(above, self.full(high, m, n))

    @operation(by=BY_ROWS)
    def sort_rows(self, X: M) -> M:
        """The elements of each row in ascending order.

        Defined by the sorting network that compares neighbours, n times: the pairs (1, 2), (3, 4), ... and (2, 3), (4, 5), ... in turn.
        """
        _, n = self.shape(X)
        for step in range(n):
            first = range(step % 2, n - 1, 2)
            partner = [j + 1 if j in first else j - 1 if j - 1 in first else j for j in range(n)]
            Y = self.take_columns(X, partner)
            both = self.join_columns(self.minimum(X, Y), self.maximum(X, Y))
            X = self.take_columns(both, [n + j if j - 1 in first else j for j in range(n)])
        return X
