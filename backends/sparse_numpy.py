"""Products with a pattern in NumPy and SciPy.

Measured on one core, with 100 rows and matrices of a thousand columns: SciPy's products with compressed rows win below a density of 12 %,
and above it the dense product with the scattered matrix does. Of the gradient, the elements of the dense product are taken above
4 %; below, the products of the rows of places, block by block, are quicker.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from backends.patterns import PatternIndex, Patterns, or_definition
from nerva_core.algebra.matrix_ops import MatrixOps, Size

Array = Any

PRODUCT_BELOW = 0.12
"""The density below which products go through compressed rows."""
GRADIENT_BELOW = 0.04
"""The density below which gradients are computed place by place."""
BLOCK = 256
"""So many places at a time: their rows stay in the cache."""


class NumpyPatternOps(MatrixOps[Array]):
    """The operations with a pattern, by SciPy's sparse matrices."""

    _patterns: Patterns

    @or_definition
    def scattered(self, w: Array, r: Array, c: Array, K: Size, D: Size) -> Array:
        return _scattered(w, self._patterns.index(r, c, K, D))

    @or_definition
    def sparse_product(self, X: Array, w: Array, r: Array, c: Array, K: Size) -> Array:
        index = self._patterns.index(r, c, K, X.shape[-1])
        if index.density >= PRODUCT_BELOW:
            return X @ _scattered(w, index).T
        return (_compressed(index, "csr_array", (K, index.D), w) @ X.T).T

    @or_definition
    def sparse_product_t(self, DY: Array, w: Array, r: Array, c: Array, D: Size) -> Array:
        index = self._patterns.index(r, c, DY.shape[-1], D)
        if index.density >= PRODUCT_BELOW:
            return DY @ _scattered(w, index)
        # The compressed rows of W are the compressed columns of Wᵀ.
        return (_compressed(index, "csc_array", (D, index.K), w) @ DY.T).T

    @or_definition
    def sampled_product(self, DY: Array, X: Array, r: Array, c: Array) -> Array:
        index = self._patterns.index(r, c, DY.shape[-1], X.shape[-1])
        if index.density >= GRADIENT_BELOW:
            return (DY.T @ X).reshape(-1).take(index.flat)[None]
        return _by_places(np.ascontiguousarray(DY.T), np.ascontiguousarray(X.T), index)[None]


def _scattered(w: Array, index: PatternIndex) -> Array:
    W = np.zeros(index.K * index.D, w.dtype)
    W[index.flat] = w[0]
    return W.reshape(index.K, index.D)


def _compressed(index: PatternIndex, form: str, shape: tuple[int, int], w: Array) -> Any:
    """SciPy's matrix with these weights. Its indices are made once."""
    key = form, w.dtype
    if key not in index.made:
        from scipy import sparse

        made = getattr(sparse, form)(shape, dtype=w.dtype)
        made.indices, made.indptr = index.columns, index.row_starts
        index.made[key] = made
    matrix = index.made[key]
    matrix.data = w.reshape(-1)
    return matrix


def _by_places(DY: Array, X: Array, index: PatternIndex) -> Array:
    """Σ_n DY[r, n] X[c, n] for each place (r, c)."""
    P, (_, N) = len(index.rows), X.shape
    result, of_rows, of_columns = np.empty(P, X.dtype), *np.empty((2, BLOCK, N), X.dtype)
    for start in range(0, P, BLOCK):
        block = slice(start, min(start + BLOCK, P))
        left, right = of_rows[: block.stop - start], of_columns[: block.stop - start]
        DY.take(index.rows[block], 0, left, "clip")
        X.take(index.columns[block], 0, right, "clip")
        np.vecdot(left, right, out=result[block])
    return result
