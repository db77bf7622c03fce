"""Products with a pattern under XLA, in JAX and TensorFlow.

Measured on one core, with 100 rows and matrices of a thousand columns: sums over the places win below a density of 1 %; above it the
weights are scattered in the step, whose products are then dense. What is stored are the weights at the places in both cases.
"""

from __future__ import annotations

from typing import Any

from nerva_core.algebra.matrix_ops import MatrixOps, Size

Array = Any

SUMS_BELOW = 0.01
"""The density below which products are sums over the places."""


def by_places(P: Size, K: Size, D: Size) -> bool:
    """Whether products are sums over the places; not where a size is not known when the step is compiled."""
    return all(isinstance(n, int) for n in (P, K, D)) and P < SUMS_BELOW * K * D


class JaxPatternOps(MatrixOps[Array]):
    """The operations with a pattern in JAX."""

    xp: Any

    def scattered(self, w: Array, r: Array, c: Array, K: Size, D: Size) -> Array:
        known = {"indices_are_sorted": True, "unique_indices": True, "mode": "promise_in_bounds"}
        W = self.xp.zeros(K * D, w.dtype).at[_numbers(r) * D + _numbers(c)].add(w[0], **known)
        return W.reshape(K, D)

    def sparse_product(self, X: Array, w: Array, r: Array, c: Array, K: Size) -> Array:
        D = X.shape[-1]
        if not by_places(w.shape[-1], K, D):
            return X @ self.scattered(w, r, c, K, D).T
        terms = w.T * X.T.take(_numbers(c), 0)
        return self.xp.zeros((K, len(X)), X.dtype).at[_numbers(r)].add(terms, indices_are_sorted=True, mode="promise_in_bounds").T

    def sparse_product_t(self, DY: Array, w: Array, r: Array, c: Array, D: Size) -> Array:
        K = DY.shape[-1]
        if not by_places(w.shape[-1], K, D):
            return DY @ self.scattered(w, r, c, K, D)
        terms = w.T * DY.T.take(_numbers(r), 0)
        return self.xp.zeros((D, len(DY)), DY.dtype).at[_numbers(c)].add(terms, mode="promise_in_bounds").T

    def sampled_product(self, DY: Array, X: Array, r: Array, c: Array) -> Array:
        K, D = DY.shape[-1], X.shape[-1]
        if not by_places(len(r), K, D):
            return (DY.T @ X).reshape(-1).take(_numbers(r) * D + _numbers(c))[None]
        return (DY.T.take(_numbers(r), 0) * X.T.take(_numbers(c), 0)).sum(axis=1)[None]


def _numbers(column: Array) -> Array:
    return column.reshape(-1).astype("int32")


class TensorFlowPatternOps(MatrixOps[Array]):
    """The operations with a pattern in TensorFlow."""

    tf: Any

    def scattered(self, w: Array, r: Array, c: Array, K: Size, D: Size) -> Array:
        return self.tf.scatter_nd(self._places(r, c), w[0], (K, D))

    def sparse_product(self, X: Array, w: Array, r: Array, c: Array, K: Size) -> Array:
        tf, (_, D) = self.tf, self.shape(X)
        if not by_places(w.shape[-1], K, D):
            return tf.matmul(X, self.scattered(w, r, c, K, D), transpose_b=True)
        terms = tf.transpose(w) * tf.gather(tf.transpose(X), self._numbers(c))
        return tf.transpose(tf.math.unsorted_segment_sum(terms, self._numbers(r), K))

    def sparse_product_t(self, DY: Array, w: Array, r: Array, c: Array, D: Size) -> Array:
        tf, (_, K) = self.tf, self.shape(DY)
        if not by_places(w.shape[-1], K, D):
            return DY @ self.scattered(w, r, c, K, D)
        terms = tf.transpose(w) * tf.gather(tf.transpose(DY), self._numbers(r))
        return tf.transpose(tf.math.unsorted_segment_sum(terms, self._numbers(c), D))

    def sampled_product(self, DY: Array, X: Array, r: Array, c: Array) -> Array:
        tf, (_, K), (_, D) = self.tf, self.shape(DY), self.shape(X)
        if not by_places(r.shape[0], K, D):
            return tf.gather_nd(tf.matmul(DY, X, transpose_a=True), self._places(r, c))[None]
        factors = tf.gather(tf.transpose(DY), self._numbers(r)) * tf.gather(tf.transpose(X), self._numbers(c))
        return tf.reduce_sum(factors, axis=1)[None]

    def _places(self, r: Array, c: Array) -> Array:
        """The row and the column of each place, P x 2."""
        return self.tf.cast(self.tf.concat([r, c], axis=1), "int32")

    def _numbers(self, column: Array) -> Array:
        return self.tf.cast(self.tf.reshape(column, [-1]), "int32")
