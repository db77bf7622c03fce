"""Products with a pattern in PyTorch.

Measured on one core, with 100 rows and matrices of a thousand columns: PyTorch's products with compressed rows win below a density of
20 %, its gradient at the places below 10 %. For DY · W the product takes a copy of the weights in the order of the columns.
"""

from __future__ import annotations

import warnings
from typing import Any

from backends.patterns import PatternIndex, Patterns, or_definition
from nerva_core.algebra.matrix_ops import MatrixOps, Size

Tensor = Any

PRODUCT_BELOW = 0.2
"""The density below which products go through compressed rows."""
GRADIENT_BELOW = 0.1
"""The density below which gradients are computed place by place."""


class TorchPatternOps(MatrixOps[Tensor]):
    """The operations with a pattern, by PyTorch's sparse matrices."""

    torch: Any
    device: str
    _patterns: Patterns

    @or_definition
    def scattered(self, w: Tensor, r: Tensor, c: Tensor, K: Size, D: Size) -> Tensor:
        return self._scattered(w, self._pattern(r, c, K, D))

    @or_definition
    def sparse_product(self, X: Tensor, w: Tensor, r: Tensor, c: Tensor, K: Size) -> Tensor:
        index = self._pattern(r, c, K, X.shape[-1])
        if not self._by_rows(index, PRODUCT_BELOW, X, w):
            return X @ self._scattered(w, index).mT
        return self._product(self._compressed(index, w), X)

    @or_definition
    def sparse_product_t(self, DY: Tensor, w: Tensor, r: Tensor, c: Tensor, D: Size) -> Tensor:
        index = self._pattern(r, c, DY.shape[-1], D)
        if not self._by_rows(index, PRODUCT_BELOW, DY, w):
            return DY @ self._scattered(w, index)
        return self._product(self._compressed_columns(index, w), DY)

    @or_definition
    def sampled_product(self, DY: Tensor, X: Tensor, r: Tensor, c: Tensor) -> Tensor:
        index = self._pattern(r, c, DY.shape[-1], X.shape[-1])
        if not self._by_rows(index, GRADIENT_BELOW, DY, X):
            return (DY.mT @ X).reshape(-1).index_select(0, self._made(index, "flat"))[None]
        zeros = self._compressed(index, DY.new_zeros(1, len(index.rows)))
        return self.torch.sparse.sampled_addmm(zeros, DY.mT, X, beta=0.0).values()[None]

    def _pattern(self, r: Tensor, c: Tensor, K: int, D: int) -> PatternIndex:
        return self._patterns.index(r.detach().cpu().numpy(), c.detach().cpu().numpy(), K, D, (r, c))

    def _by_rows(self, index: PatternIndex, below: float, *operands: Tensor) -> bool:
        """Whether a product goes through compressed rows: where PyTorch differentiates by itself, it does not."""
        watched = self.torch.is_grad_enabled() and any(X.requires_grad for X in operands)
        return index.density < below and operands[0].device.type == "cpu" and not watched

    def _made(self, index: PatternIndex, name: str) -> Tensor:
        """An array of the index as a tensor, made once."""
        key = name, self.device
        if key not in index.made:
            with self.torch.inference_mode(False):
                index.made[key] = self.torch.as_tensor(getattr(index, name), device=self.device)
        return index.made[key]

    def _scattered(self, w: Tensor, index: PatternIndex) -> Tensor:
        W = w.new_zeros(index.K * index.D).index_copy_(0, self._made(index, "flat"), w.reshape(-1))
        return W.reshape(index.K, index.D)

    def _compressed(self, index: PatternIndex, w: Tensor) -> Tensor:
        starts, columns = self._made(index, "row_starts"), self._made(index, "columns")
        return self._matrix(starts, columns, w.reshape(-1), (index.K, index.D))

    def _compressed_columns(self, index: PatternIndex, w: Tensor) -> Tensor:
        """Wᵀ, by its rows."""
        order = self._made(index, "by_columns")
        if "rows by columns" not in index.made:
            index.made["rows by columns"] = self._made(index, "rows").index_select(0, order)
        values = w.reshape(-1).index_select(0, order)
        return self._matrix(self._made(index, "column_starts"), index.made["rows by columns"], values, (index.D, index.K))

    def _matrix(self, starts: Tensor, numbers: Tensor, values: Tensor, shape: tuple[int, int]) -> Tensor:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # that compressed rows are new in PyTorch
            return self.torch.sparse_csr_tensor(starts, numbers, values, shape, check_invariants=False)

    def _product(self, W: Tensor, X: Tensor) -> Tensor:
        """X · Wᵀ."""
        return self.torch.sparse.mm(W, X.mT.contiguous(), "sum").mT
