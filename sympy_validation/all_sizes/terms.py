"""Terms of the normal form: atoms, monomials and polynomials.

The entry of a matrix at row i and column j is a polynomial: a sum of monomials with rational coefficients. A monomial is a product of
atoms with exponents. Atoms are interned: two atoms are equal if and only if they are the same object, so comparing normal forms is
cheap. This module only holds the data; the rules that keep it normal are in ``products``, ``powers`` and ``sums``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod

from sympy_validation.all_sizes.atoms import Atom, Binder, Monomial, NormalForm, free_indices, key_of, marked
from sympy_validation.all_sizes.symbols import (
    Dimension,
    Function,
    Index,
    Number,
    Output,
    Place,
    Size,
    SizeSum,
    Variable,
    factors_of,
    number,
)

CACHE_SIZE = 30_000
"""The number of results that each cached rule keeps."""


class Undefined(ArithmeticError):  # noqa: N818
    """An operation that has no value, such as a division by 0, or that the rules cannot show to have one."""


# Atoms ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Entry(Atom):
    """An entry of a variable."""

    variable: Variable
    row: Place
    column: Place


@dataclass(frozen=True, eq=False)
class Sensitivity(Atom):
    """The derivative of the output of an abstract layer at (row, column) with respect to one of its arguments at (p, q)."""

    output: Output
    argument: int
    row: Place
    column: Place
    p: Place
    q: Place


@dataclass(frozen=True, eq=False)
class Count(Atom):
    """A size, as a number."""

    size: Size


@dataclass(frozen=True, eq=False)
class Delta(Atom):
    """Kronecker's delta: 1 where the indices are equal, 0 elsewhere. Made by ``sums.delta``."""

    i: Index
    j: Index


@dataclass(frozen=True, eq=False)
class Indicator(Atom):
    """1 where the argument is negative, 0 elsewhere. Made by ``powers.indicator``."""

    argument: Polynomial


@dataclass(frozen=True, eq=False)
class Application(Atom):
    """The value of a function, or of its derivative of this order. Made by ``powers.apply``."""

    function: Function
    order: int
    argument: Polynomial


@dataclass(frozen=True, eq=False)
class Exponential(Atom):
    """e to the power of a monomial. Made by ``powers.exponential``."""

    exponent: Monomial


@dataclass(frozen=True, eq=False)
class Logarithm(Atom):
    """The logarithm of something positive. Made by ``powers.logarithm``."""

    argument: Polynomial


@dataclass(frozen=True, eq=False)
class Base(Atom):
    """A sum of several terms that is not 0. It only occurs to negative integer powers: all others are expanded."""

    argument: Polynomial


@dataclass(frozen=True, eq=False)
class Root(Atom):
    """Something positive. It only occurs to powers between 0 and 1."""

    argument: Polynomial


@dataclass(frozen=True, eq=False)
class Sum(Binder):
    """The sum of a monomial over indices, each of which occurs in it. Made by ``sums.sum_over``."""

    indices: tuple[Index, ...]
    body: Monomial

    @property
    def bound(self) -> frozenset[Index]:
        return frozenset(self.indices)


@dataclass(frozen=True, eq=False)
class Maximum(Binder):
    """The largest value over an index. Made by ``sums.maximum``."""

    index: Index
    body: Polynomial

    @property
    def bound(self) -> frozenset[Index]:
        return frozenset([self.index])


@dataclass(frozen=True, eq=False)
class Selected(Atom):
    """1 at the one index where the maximum is taken, or the first of them, and 0 elsewhere. Made by ``sums.selected``."""

    index: Index
    maximum: Maximum


ZERO_ONE = (Delta, Indicator, Selected)
"""The atoms whose value is 0 or 1."""

# Monomials and polynomials --------------------------------------------------------------------------------------------


class Polynomial(NormalForm):
    """A sum of monomials with rational coefficients. The empty sum is 0."""

    def __init__(self, terms: Mapping[Monomial, Number]) -> None:
        self.terms = {m: c for m, c in terms.items() if c}

    @cached_property
    def key(self) -> str:
        return "{" + "+".join(sorted(f"{c}·{key_of(m)}" for m, c in self.terms.items())) + "}"

    @cached_property
    def free(self) -> frozenset[Index]:
        return frozenset().union(*(free_indices(m) for m in self.terms))

    @cached_property
    def level(self) -> int:
        return max((atom.level for atom in self.atoms), default=0)

    def marked(self, marks: Mapping[Index, str]) -> str:
        return "{" + "+".join(sorted(f"{c}·{marked(m, marks)}" for m, c in self.terms.items())) + "}"

    @cached_property
    def atoms(self) -> frozenset[Atom]:
        """The factors of the terms."""
        return frozenset(atom for m in self.terms for atom, _ in m)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Polynomial) and self.terms == other.terms

    def __hash__(self) -> int:
        return hash(self.key)

    def __add__(self, other: Polynomial) -> Polynomial:
        return combination([(self, 1), (other, 1)])

    def __sub__(self, other: Polynomial) -> Polynomial:
        return combination([(self, 1), (other, -1)])

    def __neg__(self) -> Polynomial:
        return self.times(-1)

    def times(self, c: Number) -> Polynomial:
        """The product with a rational number."""
        return Polynomial({m: number(c * d) for m, d in self.terms.items()})

    @property
    def single(self) -> tuple[Monomial, Number] | None:
        """The one monomial and its coefficient, or None if there are more or none."""
        return next(iter(self.terms.items())) if len(self.terms) == 1 else None


def combination(summands: Iterable[tuple[Polynomial, Number]]) -> Polynomial:
    """The sum of polynomials, each times its coefficient."""
    terms: dict[Monomial, Number] = {}
    for P, c in summands:
        for m, d in P.terms.items():
            terms[m] = number(terms.get(m, 0) + c * d)
    return Polynomial(terms)


def constant(c: Number) -> Polynomial:
    """A rational number."""
    return Polynomial({(): number(c)})


def monomial(*factors: tuple[Atom, Number]) -> Polynomial:
    """A monomial that is known to be normal, with coefficient 1."""
    return Polynomial({factors: 1})


def only(atom: Atom) -> Polynomial:
    """An atom."""
    return monomial((atom, 1))


def count_of(size: Dimension) -> Polynomial:
    """A size, as a number."""
    if isinstance(size, SizeSum):
        return sum(map(count_of, size.terms), ZERO)
    factors = factors_of(size)
    symbols = Counter(Count(factor) for factor in factors if isinstance(factor, Size))
    powers = sorted(symbols.items(), key=lambda power: power[0].key)
    return monomial(*powers).times(prod(factor for factor in factors if not isinstance(factor, Size)))


ZERO = Polynomial({})
ONE = constant(1)
