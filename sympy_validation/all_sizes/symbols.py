"""The symbols of which normal forms speak: sizes, indices, variables and functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import count
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from sympy_validation.all_sizes.terms import Polynomial

Number: TypeAlias = int | Fraction
"""A rational number: an int where possible, because ints are fast to hash."""


def number(c: Number) -> Number:
    """c, as an int if it is one."""
    return c.numerator if c.denominator == 1 else c


# Sizes and indices ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Size:
    """A positive integer of which nothing else is known: the N of N rows. Equal if and only if the names are."""

    name: str

    def __str__(self) -> str:
        return self.name


Dimension: TypeAlias = Size | int
"""A number of rows or columns: a symbol, or a positive int such as the 1 of vectors."""


class Index(NamedTuple):
    """A row or column number of a dimension of this size. An index in an expression is always within its bounds."""

    name: str
    size: Dimension

    def __str__(self) -> str:
        return f"{self.name}:{self.size}"


UNIT = Index("0", 1)
"""The one index of a dimension of size 1."""

Renaming: TypeAlias = Mapping[Index, Index]

_numbers = count(1)


def fresh(size: Dimension) -> Index:
    """An index that occurs nowhere else."""
    return UNIT if size == 1 else Index(f"~{next(_numbers)}", size)


def row_index(rows: Dimension) -> Index:
    """The index by which the rows of every matrix with so many rows are numbered."""
    return UNIT if rows == 1 else Index("i", rows)


def column_index(columns: Dimension) -> Index:
    """The index by which the columns of every matrix with so many columns are numbered."""
    return UNIT if columns == 1 else Index("j", columns)


# What the user declares -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Variable:
    """A matrix whose elements are arbitrary real numbers, but for what is declared here."""

    name: str
    rows: Dimension
    columns: Dimension
    positive: bool = False
    row_stochastic: bool = False
    fixed: bool = False
    """An element of a mask, or a constant: a statement holds for each of its values, and not for almost all."""

    def __str__(self) -> str:
        return self.name + "+" * self.positive + "~" * self.row_stochastic + "°" * self.fixed


@dataclass(frozen=True)
class Argument:
    """A matrix that is handed to an abstract layer, given by its entry at ``row_index`` and ``column_index``."""

    rows: Dimension
    columns: Dimension
    entry: Polynomial

    def __str__(self) -> str:
        return f"{self.rows}×{self.columns}:{self.entry.key}"


@dataclass(frozen=True)
class Output(Variable):
    """What an abstract layer makes of its arguments: a matrix whose elements are arbitrary differentiable functions of all theirs."""

    arguments: tuple[Argument, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}<{','.join(map(str, self.arguments))}>"


@dataclass(frozen=True)
class Function:
    """A function from the reals to the reals: arbitrary and differentiable, or a step function, whose derivative is 0 off its jumps."""

    name: str
    step: bool = False

    def __str__(self) -> str:
        return self.name + "'0" * self.step


NORMAL_CDF = Function("Φ")
NORMAL_PDF = Function("φ")
ARCTAN = Function("arctan")
STOPPED = Function("stop_gradient", step=True)
"""The identity, with the derivative 0 everywhere."""
