"""Products with a weight matrix that is zero but at the places of a pattern.

A pattern has P places, the place p in the row r_p and the column c_p of a K x D matrix; r and c are P x 1 columns of numbers. The places
stand in the order of the rows, and each occurs once. With R = one_hot(r) and C = one_hot(c), the weights w (1 x P) at these places are
the matrix W = Rᵀ · Diag(w) · C. The definitions say so, for any R and C; backends compute the same with P operations a row of X.
"""

from __future__ import annotations

from nerva_core.algebra.matrix import M, Shape, Size
from nerva_core.algebra.operation import BY_MEMBERS, fit, operation
from nerva_core.algebra.operations.rows import RowOps


def _fit(w: Shape, r: Shape, c: Shape) -> None:
    fit(w.columns == r.rows == c.rows, f"there are {w.columns} weights, but {r.rows} rows and {c.rows} columns of places")


def _scattered(w: Shape, r: Shape, c: Shape, K: Size, D: Size) -> tuple[Size, Size]:
    _fit(w, r, c)
    return K, D


def _product(X: Shape, w: Shape, r: Shape, c: Shape, n: Size) -> tuple[Size, Size]:
    _fit(w, r, c)
    return X.rows, n


def _sampled(DY: Shape, X: Shape, r: Shape, c: Shape) -> tuple[Size, Size]:
    fit(DY.rows == X.rows and r.rows == c.rows, f"shapes {DY} and {X}, {r} and {c} do not fit")
    return 1, r.rows


class PatternOps(RowOps[M]):
    """The four operations with a pattern."""

    @operation(shape=_scattered, work="free", by=BY_MEMBERS)
    def scattered(self, w: M, r: M, c: M, K: Size, D: Size) -> M:
        """Rᵀ · Diag(w) · C, K x D: the weights at their places, and zeros elsewhere."""
        result: M = self.transpose(self.one_hot(r, K)) @ self.Diag(w) @ self.one_hot(c, D)
        return result

    @operation(shape=_product, work=lambda X, w, r, c, K: 2 * X.rows * w.columns, by={"rows"}, whole={1, 2, 3})
    def sparse_product(self, X: M, w: M, r: M, c: M, K: Size) -> M:
        """X · Wᵀ, N x K, where W = scattered(w)."""
        _, D = self.shape(X)
        result: M = X @ self.transpose(self.scattered(w, r, c, K, D))
        return result

    @operation(shape=_product, work=lambda DY, w, r, c, D: 2 * DY.rows * w.columns, by={"rows"}, whole={1, 2, 3})
    def sparse_product_t(self, DY: M, w: M, r: M, c: M, D: Size) -> M:
        """DY · W, N x D, where W = scattered(w): the gradient of ⟨DY, sparse_product(X, w)⟩ with respect to X."""
        _, K = self.shape(DY)
        result: M = DY @ self.scattered(w, r, c, K, D)
        return result

    @operation(shape=_sampled, work=lambda DY, X, r, c: 2 * DY.rows * r.rows, by=(), adds={"rows"}, whole={2, 3})
    def sampled_product(self, DY: M, X: M, r: M, c: M) -> M:
        """1ᵀ · ((DY · Rᵀ) ⊙ (X · Cᵀ)), 1 x P: the elements of DYᵀ · X at the places; the gradient with respect to w."""
        (_, K), (_, D) = self.shape(DY), self.shape(X)
        return self.columns_sum(self.hadamard(DY @ self.transpose(self.one_hot(r, K)), X @ self.transpose(self.one_hot(c, D))))
