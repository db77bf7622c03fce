"""The symbols of which normal forms speak: sizes, indices, variables and functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from nerva_core.algebra.errors import NervaError

if TYPE_CHECKING:
    from sympy_validation.all_sizes.terms import Polynomial

Number: TypeAlias = int | Fraction
"""A rational number: an int where possible, because ints are fast to hash."""


def number(c: Number) -> Number:
    """c, as an int if it is one."""
    return c.numerator if c.denominator == 1 else c


# Sizes and indices ----------------------------------------------------------------------------------------------------


class Factor:
    """What sizes have in common: they have sums and products, and quotients by their first or last factors."""

    def __add__(self, other: Any) -> Any:
        return sum_of(self, other) if is_size(other) else NotImplemented

    def __radd__(self, other: Any) -> Any:
        return sum_of(other, self) if is_size(other) else NotImplemented

    def __mul__(self, other: Any) -> Any:
        return product_of(self, other) if is_size(other) else NotImplemented

    def __rmul__(self, other: Any) -> Any:
        return product_of(other, self) if is_size(other) else NotImplemented

    def __floordiv__(self, other: Any) -> Any:
        return quotient_of(self, other) if is_size(other) else NotImplemented

    def __rfloordiv__(self, other: Any) -> Any:
        return quotient_of(other, self) if is_size(other) else NotImplemented


@dataclass(frozen=True)
class Size(Factor):
    """A positive integer of which nothing else is known than what is the least: the N of N rows. Equal if and only if these are."""

    name: str
    least: int = field(default=1, kw_only=True)

    def __str__(self) -> str:
        """Text that is the same if and only if the size is."""
        return self.name if self.least == 1 else f"{self.name}>{self.least - 1}"


@dataclass(frozen=True)
class SizeSum(Size):
    """A size that is a sum, as the columns of [A B]. Only the number of its indices is known, not which of them are those of A."""

    terms: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Product(Factor):
    """A size that is a product, as the N·L rows of N sequences of L positions. It is a numbering: N·L and L·N are different sizes."""

    factors: tuple[Any, ...]
    """Sizes and ints above 1, at least two."""

    def __str__(self) -> str:
        return "·".join(map(str, self.factors))


Dimension: TypeAlias = Size | Product | int
"""A number of rows or columns: a symbol, a product, or a positive int such as the 1 of vectors."""


def is_size(value: Any) -> bool:
    """Whether the value can be a number of rows or columns."""
    return isinstance(value, Factor) or (isinstance(value, int) and not isinstance(value, bool) and value >= 1)


def factors_of(size: Dimension) -> tuple[Any, ...]:
    """The sizes of which it is the product, in their order; none of 1."""
    return size.factors if isinstance(size, Product) else () if isinstance(size, int) and size == 1 else (size,)


def product_of(*sizes: Any) -> Any:
    """The product of sizes, numbered like the rows of a matrix: the last factor changes first."""
    factors = tuple(factor for size in sizes for factor in factors_of(size))
    return factors[0] if len(factors) == 1 else Product(factors) if factors else 1


def sum_of(a: Any, b: Any) -> Any:
    """The size of a matrix of the one size beside one of the other."""
    return a + b if isinstance(a, int) and isinstance(b, int) else SizeSum(f"({a}+{b})", (a, b))


def quotient_of(size: Any, other: Any) -> Any:
    """The size without its last factors, or without its first, whose product is the other; NervaError if they are not there."""
    whole, part = factors_of(size), factors_of(other)
    if whole[len(whole) - len(part) :] == part:
        return product_of(*whole[: len(whole) - len(part)])
    if whole[: len(part)] == part:
        return product_of(*whole[len(part) :])
    raise NervaError(f"the size {size} neither begins nor ends with the factor {other}, so it is not shown to be a multiple of it")


class Index(NamedTuple):
    """A row or column number of a dimension of this size. An index in an expression is always within its bounds."""

    name: str
    size: Dimension

    def __str__(self) -> str:
        return f"{self.name}:{self.size}"


class Lookup(Index):
    """The index y(i) that an integer input, such as the labels of examples, has at indices: any index within its bounds."""

    table: str
    arguments: tuple[Index, ...]

    def __new__(cls, table: str, arguments: Sequence[Index], size: Dimension) -> Lookup:
        self = super().__new__(cls, f"@{table}({','.join(map(str, arguments))})", size)
        self.table, self.arguments = table, tuple(arguments)
        return self

    def renamed(self, rename: Callable[[Index], Index]) -> Lookup:
        """The index at other indices."""
        return Lookup(self.table, [renamed_index(index, rename) for index in self.arguments], self.size)


class Sorted(Lookup):
    """The index π(i, ..., j) of the j-th smallest of a row; for the same i, ... another one for each j."""

    def renamed(self, rename: Callable[[Index], Index]) -> Index:  # type: ignore[override]
        arguments = [renamed_index(index, rename) for index in self.arguments]
        last = arguments[-1]
        if isinstance(last, Unsorted) and (last.table, last.arguments[:-1]) == (inverse(self.table), tuple(arguments[:-1])):
            return last.arguments[-1]
        return Sorted(self.table, arguments, self.size)


def inverse(table: str) -> str:
    """The table of the inverse."""
    return f"inverse of {table}"


class Unsorted(Lookup):
    """The j for which π(i, ..., j) is the last argument, with the table ``inverse`` of that of π."""


def inside(index: Index) -> frozenset[Index]:
    """The indices on which an index depends: itself, if it is neither a number nor looked up."""
    if isinstance(index, Lookup):
        return frozenset().union(*map(inside, index.arguments))
    return frozenset() if index == UNIT or is_number(index) else frozenset([index])


def renamed_index(index: Index, rename: Callable[[Index], Index]) -> Index:
    """The index that a renaming makes of it: of one that is looked up, the arguments are renamed."""
    return index.renamed(rename) if isinstance(index, Lookup) else rename(index)


class Indices(tuple[Index, ...]):
    """The index of a product: one index for each factor."""

    __slots__ = ()

    @property
    def size(self) -> Any:
        """The product."""
        return product_of(*(index.size for index in self))

    def __str__(self) -> str:
        return f"({','.join(map(str, self))})"


Place: TypeAlias = Index | Indices
"""The number of a row or column."""

UNIT = Index("0", 1)
"""The one index of a dimension of size 1."""

Renaming: TypeAlias = Mapping[Index, Index]

_numbers = count(1)


def flat(*places: Place) -> list[Index]:
    """The indices of the factors, without those of size 1."""
    indices = (index for place in places for index in (place if isinstance(place, Indices) else (place,)))
    return [index for index in indices if index != UNIT]


def place_of(indices: Sequence[Index]) -> Place:
    """The place with these indices of factors."""
    return indices[0] if len(indices) == 1 else Indices(indices) if indices else UNIT


def renaming(old: Sequence[Index], new: Sequence[Index]) -> dict[Index, Index]:
    """New indices in the place of old ones of the same sizes; NervaError for others."""
    if [index.size for index in old] != [index.size for index in new]:
        raise NervaError(f"the sizes {place_of(old).size} and {place_of(new).size} have other factors, or in another order")
    return {i: k for i, k in zip(old, new, strict=True) if i != k}


def number_index(k: int, size: int) -> Index:
    """The number k of a dimension of a known size."""
    return UNIT if size == 1 else Index(f"#{k}", size)


def is_number(index: Index) -> bool:
    """Whether the index is a known number."""
    return index.name[0] == "#"


def _place(size: Dimension, name: Callable[[int], str]) -> Any:
    """The place of a dimension with indices of these names, by the number of the factor."""
    return place_of([Index(name(k), factor) for k, factor in enumerate(factors_of(size))])


def fresh(size: Dimension) -> Any:
    """An index that occurs nowhere else."""
    return _place(size, lambda k: f"~{next(_numbers)}")


def row_index(rows: Dimension) -> Any:
    """The index by which the rows of every matrix with so many rows are numbered."""
    return _named("i", rows)


def column_index(columns: Dimension) -> Any:
    """The index by which the columns of every matrix with so many columns are numbered."""
    return _named("j", columns)


def member_index(members: Dimension) -> Any:
    """The index by which the members of every family with so many members are numbered."""
    return _named("h", members)


def _named(letter: str, size: Dimension) -> Any:
    return _place(size, lambda k: f"{letter}{k + 1}" if isinstance(size, Product) else letter)


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
