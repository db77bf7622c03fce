"""The definitions, evaluated: matrix operations on arrays of mpmath numbers that implement the primitives and override nothing.

Every other operation runs the body that ``MatrixOps`` gives it, which is its definition. With 400 digits the definitions need no
care: log(1 + e^x) is right to the last digit of a double for x = -745, and 1 + x for the smallest x.
"""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np

from nerva_core.interpreters.memberwise import MemberwiseOps

DIGITS = 400

mp = mpmath.MPContext()
mp.dps = DIGITS

Array = Any


def elementwise(function: Any) -> Any:
    return np.frompyfunc(function, 1, 1)


def product(x: Any, y: Any) -> Any:
    """x y, with 0 · ∞ = 0: the definitions of where, xlogy and quotient say so."""
    return mp.mpf(0) if x == 0 or y == 0 else x * y


def normal_cdf(x: Any) -> Any:
    with mp.workdps(150):  # enough, also for differences with a step of 1e-60
        return mp.mpf(x > 0) if abs(x) > 10**6 else mp.erfc(-x / mp.sqrt(2)) / 2


class ReferenceOps(MemberwiseOps[Array]):
    """The primitives alone."""

    def matrix(self, values: Any) -> Array:
        return elementwise(mp.mpf)(np.array(values, dtype=object, ndmin=2))

    def shape(self, X: Array) -> tuple[int, int]:
        return self.of_first(X).shape

    def full(self, c: Any, m: int, n: int) -> Array:
        return np.full((m, n), mp.mpf(c), dtype=object)

    def identity(self, n: int) -> Array:
        return self.matrix(np.eye(n))

    def constant(self, rows: Any) -> Array:
        return self.matrix(rows)

    def transpose(self, X: Array) -> Array:
        return X.T

    def hadamard(self, X: Array, Y: Array) -> Array:
        assert X.shape == Y.shape, f"hadamard of {X.shape} and {Y.shape}"
        return np.frompyfunc(product, 2, 1)(X, Y)

    def diag(self, X: Array) -> Array:
        return np.diag(X).reshape(-1, 1)

    def Diag(self, x: Array) -> Array:
        return self.hadamard(self.identity(x.size), np.tile(x.reshape(1, -1), (x.size, 1)))

    def rows_max(self, X: Array) -> Array:
        return X.max(axis=1, keepdims=True)

    def reshape(self, X: Array, m: int, n: int) -> Array:
        return X.reshape(m, n)

    def take_columns(self, X: Array, columns: Any) -> Array:
        return np.stack([X[:, j] for j in columns], axis=1)

    def join_columns(self, X: Array, Y: Array) -> Array:
        return np.hstack([X, Y])

    def exp(self, X: Array) -> Array:
        return elementwise(mp.exp)(X)

    def log(self, X: Array) -> Array:
        return elementwise(lambda x: mp.log(x) if x else mp.ninf)(X)

    def reciprocal(self, X: Array) -> Array:
        return elementwise(lambda x: 1 / x if x else mp.inf)(X)

    def sqrt(self, X: Array) -> Array:
        return elementwise(mp.sqrt)(X)

    def arctan(self, X: Array) -> Array:
        return elementwise(mp.atan)(X)

    def normal_cdf(self, X: Array) -> Array:
        return elementwise(normal_cdf)(X)

    def normal_pdf(self, X: Array) -> Array:
        return elementwise(lambda x: mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi))(X)

    def less(self, X: Array, Y: Array) -> Array:
        assert X.shape == Y.shape, f"less of {X.shape} and {Y.shape}"
        return np.frompyfunc(lambda x, y: mp.mpf(x < y), 2, 1)(X, Y)
