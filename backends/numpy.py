"""NumPy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from backends import accurate
from backends import grid_lookup as steps
from backends.patterns import Patterns
from backends.plan.numpy_kernels import NumpyKernels
from backends.plan.planned import Planned
from backends.sparse_numpy import NumpyPatternOps
from backends.windows_numpy import ShiftedProducts
from nerva_core.algebra.matrix_ops import Scalar, Size
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.algebra.trees import Tree

Array = Any
"""An array of ``self.xp``: numpy.ndarray, or jax.Array in the subclass."""


class NumpyBackend(ShiftedProducts, NumpyPatternOps, Backend[Array]):
    """Matrix operations on NumPy arrays, written against ``self.xp`` so that JAX, which has the same functions, shares them."""

    name = "numpy"
    requires = "numpy"
    xp: Any
    special: Any

    def start(self) -> None:
        from scipy import special

        self.xp, self.special = np, special
        self._patterns = Patterns()
        if self.joins:
            from backends.mpi import MPIWorkers

            self.workers = MPIWorkers()
        if self.device not in self.devices():
            raise self._device_missing()

    def devices(self) -> list[str]:
        return ["cpu"]

    def matrix(self, values: Any) -> Array:
        return self._array(values)

    def to_numpy(self, X: Array) -> np.ndarray[Any, Any]:
        return np.asarray(X)

    def scalar(self, c: float) -> Any:
        return float(c)

    def run_steps(self, step: Callable[..., tuple[Any, Any]], state: Tree, data: Any, inputs: Any) -> tuple[Any, np.ndarray[Any, Any]]:
        if step not in self._compiled:
            self._compiled[step] = Planned(step, NumpyKernels(self))
        planned: Planned = self._compiled[step]
        return planned.run(state, data, inputs)

    def take_rows(self, X: Array, indices: Any) -> Array:
        return self.xp.take(X, indices, axis=-2)

    def segment(self, X: Array, offset: int, m: int, n: int) -> Array:
        return X.reshape(-1)[offset : offset + m * n].reshape(m, n)

    # The primitives.

    def shape(self, X: Array) -> tuple[Size, Size]:
        return X.shape[-2], X.shape[-1]

    def full(self, c: Scalar, m: Size, n: Size) -> Array:
        return self.xp.full((m, n), c, dtype=self.dtype)

    def identity(self, n: Size) -> Array:
        return self.xp.eye(n, dtype=self.dtype)

    def transpose(self, X: Array) -> Array:
        return X.swapaxes(-1, -2)

    def hadamard(self, X: Array, Y: Array) -> Array:
        return X * Y

    def diag(self, X: Array) -> Array:
        return self.xp.diagonal(X, axis1=-2, axis2=-1)[..., None]

    def Diag(self, x: Array) -> Array:
        return self.xp.diag(x.reshape(-1))

    def rows_max(self, X: Array) -> Array:
        return X.max(axis=-1, keepdims=True)

    def reshape(self, X: Array, m: Size, n: Size) -> Array:
        return X.reshape(*X.shape[:-2], m, n)

    def take_columns(self, X: Array, columns: Sequence[int]) -> Array:
        return X[..., np.asarray(columns)]

    def join_columns(self, X: Array, Y: Array) -> Array:
        return self.xp.concatenate(self._beside(X, Y), axis=-1)

    def members(self, F: Array) -> Size:
        return F.shape[0] if F.ndim == 3 else 1

    def family(self, *matrices: Array) -> Array:
        return self.xp.stack(matrices)

    def member(self, F: Array, k: int) -> Array:
        return F[k] if F.ndim == 3 else F

    def exp(self, X: Array) -> Array:
        return self.xp.exp(X)

    def log(self, X: Array) -> Array:
        return self.xp.log(X)

    def reciprocal(self, X: Array) -> Array:
        return 1 / X

    def sqrt(self, X: Array) -> Array:
        return self.xp.sqrt(X)

    def arctan(self, X: Array) -> Array:
        return self.xp.arctan(X)

    def normal_cdf(self, X: Array) -> Array:
        return accurate.normal_cdf(self, X, self.xp.round)

    def normal_pdf(self, X: Array) -> Array:
        return accurate.normal_pdf(self, X, self.xp.round)

    def less(self, X: Array, Y: Array) -> Array:
        return (X < Y).astype(self.dtype)

    # Overrides: the same functions, fused or in a form that neither overflows nor cancels.

    def inv_lengths(self, X: Array, epsilon: Scalar) -> Array:
        return accurate.inv_lengths(self, X, epsilon)

    def norm(self, X: Array) -> Array:
        return accurate.norm(self, X)

    def column_repeat(self, x: Array, n: Size) -> Array:
        return self.xp.broadcast_to(x, (*x.shape[:-1], n))

    def row_repeat(self, x: Array, m: Size) -> Array:
        return self.xp.broadcast_to(x, (*x.shape[:-2], m, x.shape[-1]))

    def columns_sum(self, X: Array) -> Array:
        return X.sum(axis=-2, keepdims=True)

    def rows_sum(self, X: Array) -> Array:
        return X.sum(axis=-1, keepdims=True)

    def split(self, X: Array, m: Size, n: Size) -> Array:
        rows, columns = X.shape
        return X.reshape(rows // m, m, columns // n, n).swapaxes(1, 2).reshape(-1, m, n)

    def join(self, F: Array, k: Size) -> Array:
        m, n = F.shape[-2:]
        return F.reshape(k, -1, m, n).swapaxes(1, 2).reshape(k * m, -1)

    def members_sum(self, F: Array) -> Array:
        return F.sum(axis=0) if F.ndim == 3 else F

    def column_part(self, X: Array, k: int, count: int) -> Array:
        width = X.shape[-1] // count
        return X[..., k * width : (k + 1) * width]

    def column_range(self, X: Array, first: Size, count: Size) -> Array:
        return X[..., first : first + count]

    def join_column_parts(self, *parts: Array) -> Array:
        return self.xp.concatenate(parts, axis=-1)

    def transpose_columns(self, X: Array, m: Size) -> Array:
        return X.reshape(*X.shape[:-1], m, -1).swapaxes(-1, -2).reshape(X.shape)

    def first_maxima(self, X: Array) -> Array:
        first = X.argmax(axis=-1)[..., None]
        return (self.xp.arange(X.shape[-1]) == first).astype(self.dtype)

    def one_hot(self, x: Array, n: Size) -> Array:
        return (x == self.xp.arange(n)).astype(self.dtype)

    def rows_at(self, E: Array, x: Array) -> Array:
        return self.xp.take(E, x.reshape(-1).astype("int32"), axis=0)

    def sort_rows(self, X: Array) -> Array:
        return self.xp.sort(X, axis=-1)

    def expm1(self, X: Array) -> Array:
        return self.xp.expm1(X)

    def log1p(self, X: Array) -> Array:
        return self.xp.log1p(X)

    def sigmoid(self, X: Array) -> Array:
        E = self.xp.exp(-self.xp.abs(X))
        return self.xp.where(X < 0, E, self.xp.ones_like(E)) / (1 + E)

    def log_sigmoid(self, X: Array) -> Array:
        return self.xp.minimum(X, 0) - self.xp.log1p(self.xp.exp(-self.xp.abs(X)))

    def softplus(self, X: Array) -> Array:
        return self.xp.maximum(X, 0) + self.xp.log1p(self.xp.exp(-self.xp.abs(X)))

    def tanh(self, X: Array) -> Array:
        return self.xp.tanh(X)

    def xlogy(self, X: Array, Y: Array) -> Array:
        return self.special.xlogy(X, Y)

    def quotient(self, X: Array, Y: Array) -> Array:
        zero = X == 0
        return X / self.xp.where(zero, self.xp.ones_like(Y), Y)

    def less_equal(self, X: Array, Y: Array) -> Array:
        return (X <= Y).astype(self.dtype)

    def equal(self, X: Array, Y: Array) -> Array:
        return (X == Y).astype(self.dtype)

    def where(self, C: Array, X: Array, Y: Array) -> Array:
        return self.xp.where(C != 0, X, Y)

    def maximum(self, X: Array, Y: Array) -> Array:
        return self.xp.maximum(X, Y)

    def minimum(self, X: Array, Y: Array) -> Array:
        return self.xp.minimum(X, Y)

    def abs(self, X: Array) -> Array:
        return self.xp.abs(X)

    def sign(self, X: Array) -> Array:
        return self.xp.sign(X)

    def again(self, X: Array) -> Array:
        return X  # which a plan records, as every operation that is overridden

    def shift_columns(self, X: Array, o: int) -> Array:
        n = X.shape[-1]
        if abs(o) >= n:
            return self.xp.zeros_like(X)
        edge = self.xp.zeros_like(X[..., : abs(o)])
        parts = [edge, X[..., : n - o]] if o > 0 else [X[..., -o:], edge]
        return self.xp.concatenate(parts, axis=-1) if o else X

    def step_function(self, X: Array, s: Sequence[Scalar], T: Array) -> Array:
        return self.xp.take(T.reshape(-1), self._cell_index(X, s), mode="clip")

    def interval_sums(self, Y: Array, X: Array, s: Sequence[Scalar]) -> Array:
        cells, n = len(s) + 1, X.shape[-1]
        sums = self.xp.bincount(self._cell_index(X, s).reshape(-1), weights=Y.reshape(-1), minlength=cells * n)
        return sums.reshape(cells, n).astype(self.dtype)

    def _beside(self, *matrices: Array) -> list[Array]:
        """The matrices, each as often as a family among them has members."""
        leading = max((X.shape[:-2] for X in matrices), key=len)
        return [self.xp.broadcast_to(X, (*leading, *X.shape[-2:])) for X in matrices]

    def _cell_index(self, X: Array, s: Sequence[Scalar]) -> Array:
        """The place, in a matrix with one row an interval, of the interval and column of each element."""
        n = X.shape[-1]
        return self._intervals(X, steps.points(s, self.dtype)) * n + self.xp.arange(n)

    def _intervals(self, X: Array, points: steps.GridPoints) -> Array:
        """The number of grid points below each element."""
        if not points.even:
            return self.xp.searchsorted(points.values, self.xp.fmax(X, points.first))  # which takes NaN to the first interval
        inside = self.xp.fmin(self.xp.fmax(X, points.first), points.last)
        nearest = self.xp.rint((inside - points.first) * points.per_unit).astype("int32")
        return nearest + (self.xp.take(points.values, nearest, mode="clip") < X)
