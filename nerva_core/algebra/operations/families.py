"""Families of matrices: the blocks of one matrix, on each of which every operation acts.

Between layers every value is a matrix, whose sizes may be products: N sequences of L positions are N·L rows. Inside a layer ``split``
makes of such a matrix the family of its blocks, and ``join`` puts them back. A matrix beside a family stands for every member.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from nerva_core.algebra.matrix import M, Shape, Size
from nerva_core.algebra.operation import BY_ROWS, fit, operation
from nerva_core.algebra.operations.step_functions import StepFunctionOps
from nerva_core.algebra.trees import Tree


def _split(X: Shape, m: Size, n: Size) -> tuple[Size, ...]:
    return m, n, X.rows // m * (X.columns // n)


def _join(F: Shape, k: Size) -> tuple[Size, ...]:
    return k * F.rows, F.members // k * F.columns, 1


def _family(*matrices: Shape) -> tuple[Size, ...]:
    fit(all(matrices[0] == X for X in matrices), f"shapes {' and '.join(map(str, dict.fromkeys(matrices)))} differ")
    return (*matrices[0][:2], len(matrices))


def _parts(*parts: Shape) -> tuple[Size, Size]:
    first, *others = parts
    fit(all(X.rows == first.rows for X in others), f"the rows of {' and '.join(map(str, dict.fromkeys(parts)))} differ")
    if all(X.columns == first.columns for X in others):
        return first.rows, len(parts) * first.columns
    return first.rows, sum((X.columns for X in others), first.columns)


class FamilyOps(StepFunctionOps[M]):
    """Making families, taking them apart, and the rearrangements that they need."""

    @abstractmethod
    def members(self, F: M) -> Size:
        """The number of members of a family; 1 of a matrix."""

    @abstractmethod
    @operation(shape=_family, work="free", by={"rows", "columns"})
    def family(self, *matrices: M) -> M:
        """The family of these matrices of one shape."""

    @abstractmethod
    @operation(shape=lambda F, k: (*F[:2], 1), work="free", by={"rows", "columns"})
    def member(self, F: M, k: int) -> M:
        """The member k = 0, 1, ... of F."""

    @operation(shape=_split, work="free", by=())
    def split(self, X: M, m: Size, n: Size) -> M:
        """The family of the m x n blocks of X, row of blocks by row of blocks."""
        rows, columns = self.shape(X)
        return self.family(*(self._block(X, i, j, m, n) for i in range(0, rows, m) for j in range(0, columns, n)))

    @operation(shape=_join, work="free", by=())
    def join(self, F: M, k: Size) -> M:
        """The matrix of k rows of blocks that are the members of F: the inverse of ``split``."""
        per_row = self.members(F) // k
        rows = [self.join_column_parts(*(self.member(F, i * per_row + j) for j in range(per_row))) for i in range(k)]
        return self.transpose(self.join_column_parts(*map(self.transpose, rows)))

    @operation(shape=lambda F: (*F[:2], 1), by={"rows", "columns"}, adds={"members"})
    def members_sum(self, F: M) -> M:
        """The sum of the members of F."""
        (m, n), k = self.shape(F), self.members(F)
        return self.reshape(self.columns_sum(self.reshape(self.join(F, k), k, m * n)), m, n)

    @operation(shape=lambda X, k, count: (X.rows, X.columns // count), work="free", by=BY_ROWS)
    def column_part(self, X: M, k: int, count: int) -> M:
        """The part k = 0, 1, ... of the columns of X, which are cut into ``count`` parts of one size."""
        _, n = self.shape(X)
        width = n // count
        return self.take_columns(X, range(k * width, (k + 1) * width))

    @operation(shape=lambda X, first, count: (X.rows, count), work="free", by=BY_ROWS)
    def column_range(self, X: M, first: Size, count: Size) -> M:
        """The ``count`` columns of X from ``first`` on: of ``join_columns(A, B)`` with A of ``first`` columns, B."""
        return self.take_columns(X, range(first, first + count))

    @operation(shape=_parts, work="free", by=BY_ROWS)
    def join_column_parts(self, *parts: M) -> M:
        """[X_0 X_1 ...]: the inverse of ``column_part``."""
        joined = parts[0]
        for part in parts[1:]:
            joined = self.join_columns(joined, part)
        return joined

    @operation(shape=lambda X, m: X[:2], work="free", by=BY_ROWS)
    def transpose_columns(self, X: M, m: Size) -> M:
        """Each row of X, read as an m x n matrix, transposed, and read as a row."""
        _, columns = self.shape(X)
        n = columns // m
        return self.take_columns(X, [i * n + j for j in range(n) for i in range(m)])

    def scan(
        self,
        body: Callable[..., tuple[Any, Any]],
        state: Tree,
        given: tuple[M, ...],
        length: Size,
        reverse: bool = False,
        names: tuple[str, ...] = (),
    ) -> tuple[Any, Any]:
        """``state, outputs = body(state, members k of the given families)`` for k = 0, ..., length - 1, or in reverse.

        Gives the last state, and the outputs of all k as families. ``names`` are those of the state where the loop is shown.
        """
        found: list[Any] = [None] * length
        for k in reversed(range(length)) if reverse else range(length):
            state, found[k] = body(state, *(self.member(F, k) for F in given))
        return state, tuple(self.family(*each) for each in zip(*found, strict=True))

    def _block(self, X: M, i: int, j: int, m: int, n: int) -> M:
        """The m x n block of X whose first element is in row i and column j."""
        columns = self.take_columns(X, range(j, j + n))
        return self.transpose(self.take_columns(self.transpose(columns), range(i, i + m)))
