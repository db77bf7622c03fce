"""Matrices of symbolic size: the normal form of their entry, with operators."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from nerva_core.algebra.errors import NervaError
from sympy_validation.all_sizes import powers, sums
from sympy_validation.all_sizes.products import multiply
from sympy_validation.all_sizes.scalars import Conditions, exact
from sympy_validation.all_sizes.symbols import (
    UNIT,
    Dimension,
    Index,
    Place,
    column_index,
    flat,
    fresh,
    member_index,
    renaming,
    row_index,
)
from sympy_validation.all_sizes.terms import Polynomial
from sympy_validation.all_sizes.text import text
from sympy_validation.operands import Opaque, Operand
from sympy_validation.ways import unfollowed


@dataclass(frozen=True, eq=False)
class SymbolicMatrix(Opaque, Operand):
    """A matrix given by the normal form of its entry at row i and column j."""

    rows: Dimension
    columns: Dimension
    entry: Polynomial
    conditions: Conditions
    members: Dimension = 1
    """Of a family the number of its members; the entry is that of member h."""

    @property
    def i(self) -> Any:
        """The index of the rows in ``entry``."""
        return row_index(self.rows)

    @property
    def j(self) -> Any:
        """The index of the columns in ``entry``."""
        return column_index(self.columns)

    @property
    def h(self) -> Any:
        """The index of the members in ``entry``."""
        return member_index(self.members)

    def at(self, row: Place, column: Place) -> Polynomial:
        """The entry at other indices."""
        return sums.substitute(self.entry, renaming(flat(self.i, self.j), flat(row, column)))

    def with_entry(self, entry: Polynomial) -> SymbolicMatrix:
        """A matrix of the same shape."""
        return replace(self, entry=entry)

    def beside(self, other: SymbolicMatrix) -> SymbolicMatrix:
        """Of the two the one that is a family: a matrix beside it stands for every member. NervaError for families of two sizes."""
        if self.members == 1 or other.members == self.members:
            return other if self.members == 1 else self
        if other.members != 1:
            raise NervaError(f"expected families of one size, got {self.members} and {other.members} members")
        return self

    def text(self) -> str:
        """The normal form of the entry as readable text."""
        return text(self.entry)

    def __repr__(self) -> str:
        self._no_text()
        family = f"{self.members} of " if self.members != 1 else ""
        return f"<{family}{self.rows} x {self.columns}: {self.text()}>"

    def check_shape(self, other: SymbolicMatrix) -> None:
        """NervaError unless both matrices have the same shape."""
        if (self.rows, self.columns) != (other.rows, other.columns):
            raise NervaError(f"expected two matrices of one shape, got {self.rows} x {self.columns} and {other.rows} x {other.columns}")

    @unfollowed
    def __add__(self, other: Any) -> SymbolicMatrix:
        """X + Y; X + c adds the number to every entry, as the backends do."""
        if not isinstance(other, SymbolicMatrix):
            c = exact(other)
            return NotImplemented if c is None else self.with_entry(self.entry + c)
        self.check_shape(other)
        return self.beside(other).with_entry(self.entry + other.entry)

    __radd__ = __add__

    @unfollowed
    def __sub__(self, other: Any) -> SymbolicMatrix:
        if isinstance(other, SymbolicMatrix):
            return self + -other
        c = exact(other)
        return NotImplemented if c is None else self.with_entry(self.entry + -c)

    @unfollowed
    def __rsub__(self, other: Any) -> SymbolicMatrix:
        return (-self).__add__(other)

    @unfollowed
    def __neg__(self) -> SymbolicMatrix:
        return self.with_entry(-self.entry)

    @unfollowed
    def __matmul__(self, other: Any) -> SymbolicMatrix:
        if not isinstance(other, SymbolicMatrix):
            return NotImplemented
        if self.columns != other.rows:
            raise NervaError(f"a product needs equal inner sizes, got {self.rows} x {self.columns} and {other.rows} x {other.columns}")
        k = fresh(self.columns)
        entry = sums.sum_over(multiply(self.at(self.i, k), other.at(k, other.j)), [k])
        return replace(self.beside(other), rows=self.rows, columns=other.columns, entry=entry)

    @unfollowed
    def __mul__(self, other: Any) -> SymbolicMatrix:
        if isinstance(other, SymbolicMatrix):
            raise NervaError("X * Y between matrices has no meaning here: use ops.hadamard(X, Y) or X @ Y")
        c = exact(other)
        return NotImplemented if c is None else self.with_entry(multiply(c, self.entry))

    __rmul__ = __mul__

    @unfollowed
    def __truediv__(self, other: Any) -> SymbolicMatrix:
        c = exact(other)
        if c is None:
            return NotImplemented
        self.conditions.nonzero(c)
        return self.with_entry(multiply(powers.power(c, -1), self.entry))


@dataclass(frozen=True, eq=False)
class SymbolicIntervals:
    """Any number of intervals (l_j, r_j], as two columns of arbitrary numbers.

    A grid s_1 < ... < s_p is l = (-∞, s_1, ..., s_p) and r = (s_1, ..., s_p, ∞), where for -∞ and ∞ any numbers do that are below and
    above the elements it is applied to. What is proved for all l and r is proved for all grids with any number of points.
    """

    left: SymbolicMatrix
    right: SymbolicMatrix

    def contains(self, j: Index, x: Polynomial) -> Polynomial:
        """[l_j < x] - [r_j < x], the indicator of x in the interval j."""
        left, right = (powers.indicator(ends.at(j, UNIT) - x) for ends in (self.left, self.right))
        return left - right
