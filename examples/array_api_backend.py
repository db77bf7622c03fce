"""A complete backend: the functions of the array API standard, by ``array_api_strict``, which has these alone.

Any other array library of the standard becomes a backend by the name of its module. Overridden are only the definitions that overflow or
lose digits: ``nerva compare --backends array_api_strict`` names none that is out of bounds.
"""

import numpy as np

from backends import accurate
from nerva_core.algebra.numeric_backend import Backend


class ArrayApiBackend(Backend):
    """The matrix operations in the functions of the standard. A family of matrices is an array with a leading axis."""

    name = "array_api_strict"
    requires = "array_api_strict"

    def start(self):
        import array_api_strict

        self.xp = array_api_strict
        self.type = getattr(array_api_strict, self.dtype)
        if self.device not in self.devices():
            raise self._device_missing()

    def devices(self):
        return ["cpu"]

    def matrix(self, values):
        return self.xp.asarray(self._array(values))

    def to_numpy(self, X):
        return np.asarray(X)

    def scalar(self, c):
        return float(c)

    def take_rows(self, X, indices):
        return self.xp.take(X, self.xp.asarray(indices), axis=-2)

    def shape(self, X):
        return X.shape[-2:]

    def full(self, c, m, n):
        return self.xp.full((m, n), float(c), dtype=self.type)

    def identity(self, n):
        return self.xp.eye(n, dtype=self.type)

    def transpose(self, X):
        return self.xp.matrix_transpose(X)

    def hadamard(self, X, Y):
        return self.xp.multiply(X, Y)

    def diag(self, X):
        return self.xp.linalg.diagonal(X)[..., None]

    def Diag(self, x):
        n = max(x.shape[-2:])
        return self.xp.where(self.identity(n) > 0, self.xp.reshape(x, (*x.shape[:-2], 1, n)), self.zeros(n, n))

    def rows_max(self, X):
        return self.xp.max(X, axis=-1, keepdims=True)

    def reshape(self, X, m, n):
        return self.xp.reshape(X, (*X.shape[:-2], m, n))

    def take_columns(self, X, columns):
        return self.xp.take(X, self.xp.asarray(list(columns)), axis=-1)

    def join_columns(self, X, Y):
        leading = max((X.shape[:-2], Y.shape[:-2]), key=len)
        return self.xp.concat([self.xp.broadcast_to(Z, (*leading, *Z.shape[-2:])) for Z in (X, Y)], axis=-1)

    def exp(self, X):
        return self.xp.exp(X)

    def log(self, X):
        return self.xp.log(X)

    def reciprocal(self, X):
        return 1.0 / X

    def sqrt(self, X):
        return self.xp.sqrt(X)

    def arctan(self, X):
        return self.xp.atan(X)

    def normal_cdf(self, X):
        return accurate.normal_cdf(self, X, self.xp.round)

    def normal_pdf(self, X):
        return accurate.normal_pdf(self, X, self.xp.round)

    def less(self, X, Y):
        return self.xp.astype(X < Y, self.type)

    def family(self, *Xs):
        return self.xp.stack(Xs)

    def member(self, F, k):
        return F[k, ...] if F.ndim == 3 else F

    def members(self, F):
        return F.shape[0] if F.ndim == 3 else 1

    # In a form that neither overflows nor cancels.

    def abs(self, X):
        return self.xp.abs(X)

    def maximum(self, X, Y):
        return self.xp.maximum(X, Y)

    def minimum(self, X, Y):
        return self.xp.minimum(X, Y)

    def where(self, C, X, Y):
        return self.xp.where(C != 0, X, Y)

    def sort_rows(self, X):
        return self.xp.sort(X, axis=-1)

    def expm1(self, X):
        return self.xp.expm1(X)

    def log1p(self, X):
        return self.xp.log1p(X)

    def tanh(self, X):
        return self.xp.tanh(X)

    def sigmoid(self, X):
        E = self.xp.exp(-self.xp.abs(X))
        return self.xp.where(X < 0, E, self.xp.ones_like(E)) / (1.0 + E)

    def softplus(self, X):
        return self.xp.maximum(X, self.xp.zeros_like(X)) + self.xp.log1p(self.xp.exp(-self.xp.abs(X)))

    def log_sigmoid(self, X):
        return -self.softplus(-X)

    def xlogy(self, X, Y):
        zero = X == 0
        return self.xp.where(zero & ~self.xp.isnan(Y), self.xp.zeros_like(X), X * self.xp.log(self.xp.where(zero, self.xp.ones_like(Y), Y)))

    def quotient(self, X, Y):
        return X / self.xp.where(X == 0, self.xp.ones_like(Y), Y)

    def step_function(self, X, s, T):
        m, n = self.shape(X)
        values = self.xp.broadcast_to(T[:1, :], (m, n))
        for j, point in enumerate(s, start=1):
            values = self.xp.where(float(point) < X, T[j, ...][None, :], values)
        return values
