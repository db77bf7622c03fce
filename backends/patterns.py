"""Patterns as kernels need them: integers in several orders, made once for a pattern and found again in every step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, wraps
from typing import Any

import numpy as np

from nerva_core.algebra.matrix_ops import MatrixOps

Array = Any

KEPT = 256
"""The patterns that are remembered: more than a network has layers."""


class NotAPattern(ValueError):  # noqa: N818
    """Places that are out of order, outside of the matrix, or given twice."""


def or_definition(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate the kernel of an operation with a pattern: of places that are no pattern its definition is computed."""

    @wraps(kernel)
    def operation(self: Any, *arguments: Any) -> Any:
        try:
            return kernel(self, *arguments)
        except NotAPattern:
            return getattr(MatrixOps, kernel.__name__)(self, *arguments)

    return operation


@dataclass(frozen=True, eq=False)
class PatternIndex:
    """The places of a pattern of a K x D matrix, in the order of the rows."""

    rows: Array
    columns: Array
    K: int
    D: int
    made: dict[Any, Any] = field(default_factory=dict)
    """What a framework made of it."""

    @property
    def density(self) -> float:
        """The part of the elements that are places."""
        return len(self.rows) / (self.K * self.D)

    @cached_property
    def flat(self) -> Array:
        """The number r D + c of each place."""
        return self.rows.astype(np.int64) * self.D + self.columns

    @cached_property
    def row_starts(self) -> Array:
        """How many places are before each row, and after the last."""
        return _starts(self.rows, self.K)

    @cached_property
    def column_starts(self) -> Array:
        """How many places are before each column, and after the last."""
        return _starts(self.columns, self.D)

    @cached_property
    def by_columns(self) -> Array:
        """The numbers of the places in the order of the columns, and of the rows in each of them."""
        return np.argsort(self.columns, kind="stable")


def _starts(numbers: Array, n: int) -> Array:
    starts = np.zeros(n + 1, np.int32)
    np.cumsum(np.bincount(numbers, minlength=n), out=starts[1:])
    return starts


class Patterns:
    """The patterns of the last steps. One is found by the identity of its arrays, and taken only if their content is the same."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, ...], tuple[Array, Array, PatternIndex]] = {}

    def index(self, r: Array, c: Array, K: int, D: int, owners: tuple[Any, ...] = ()) -> PatternIndex:
        """The index of the pattern with rows r and columns c, NumPy arrays; ``owners`` are what they were made of.

        NotAPattern unless the places are in the order of the rows, each of them once.
        """
        key = (*map(id, owners or (r, c)), K, D)
        if key in self._known:
            known_r, known_c, index = self._known[key]
            if np.array_equal(known_r, r) and np.array_equal(known_c, c):
                return index
        if len(self._known) == KEPT:
            self._known.clear()
        rows, columns = (numbers.reshape(-1).astype(np.int32) for numbers in (r, c))
        if not (np.array_equal(rows, r.reshape(-1)) and np.array_equal(columns, c.reshape(-1))):
            raise NotAPattern
        index = PatternIndex(rows, columns, K, D)
        inside = ((rows >= 0) & (rows < K) & (columns >= 0) & (columns < D)).all()
        if not (inside and (np.diff(index.flat) > 0).all()):
            raise NotAPattern
        self._known[key] = np.array(r), np.array(c), index
        return index
