"""The value of a normal form at concrete sizes and elements, to check the rules against plain arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import reduce
from itertools import product as cartesian
from math import prod
from operator import add, mul
from typing import Any, Generic, Protocol, TypeVar, cast

from nerva_core.algebra.errors import NervaError
from sympy_validation.all_sizes.atoms import Atom, Monomial
from sympy_validation.all_sizes.matrices import SymbolicMatrix
from sympy_validation.all_sizes.symbols import (
    ARCTAN,
    NORMAL_CDF,
    NORMAL_PDF,
    UNIT,
    Dimension,
    Index,
    Lookup,
    Number,
    Output,
    Place,
    Size,
    factors_of,
    flat,
    is_number,
)
from sympy_validation.all_sizes.terms import (
    Application,
    Base,
    Count,
    Delta,
    Entry,
    Exponential,
    Indicator,
    Logarithm,
    Maximum,
    Polynomial,
    Root,
    Selected,
    Sensitivity,
    Sum,
)

V = TypeVar("V")


class Domain(Protocol[V]):
    """Scalars with + and *, such as rationals, intervals, or dual numbers over these."""

    def constant(self, c: Fraction) -> V:
        """A rational number."""
        ...

    def power(self, x: V, exponent: Fraction) -> V:
        """x to a rational power."""
        ...

    def exp(self, x: V) -> V:
        """e^x."""
        ...

    def log(self, x: V) -> V:
        """The natural logarithm."""
        ...

    def less(self, x: V, y: V) -> bool:
        """x < y; an exception if it cannot be decided."""
        ...

    def arctan(self, x: V) -> V:
        """arctan x."""
        ...

    def normal_cdf(self, x: V) -> V:
        """Φ(x)."""
        ...

    def normal_pdf(self, x: V) -> V:
        """φ(x)."""
        ...


def evaluate(
    A: SymbolicMatrix,
    sizes: Mapping[str, int],
    values: Mapping[str, Sequence[Sequence[V]] | V],
    functions: Mapping[str, Callable[[int, V], V]] | None = None,
    *,
    domain: Domain[V],
) -> list[list[V]]:
    """The elements of A, where each size has a number, each variable its elements (or a scalar its value), and f is functions["f"].

    ``functions["f"](k, x)`` is the derivative of order k of f at x.
    """
    point = _Point(sizes, values, functions or {}, domain)
    if A.members != 1:
        raise NervaError("a family has no matrix of values: evaluate its members")
    rows, columns = (point.places(tuple(flat(place))) for place in (A.i, A.j))
    return [[point.polynomial(A.entry, {**i, **j, UNIT: 0}) for j in columns] for i in rows]


Places = Mapping[Index, int]


class _Point(Generic[V]):
    """Sizes, elements and functions at which normal forms are evaluated."""

    def __init__(self, sizes: Mapping[str, int], values: Mapping[str, Any], functions: Mapping[str, Any], domain: Domain[V]) -> None:
        self.sizes, self.values, self.functions, self.domain = sizes, values, functions, domain

    def size(self, size: Dimension) -> int:
        return prod(self.sizes[factor.name] if isinstance(factor, Size) else factor for factor in factors_of(size))

    def number(self, place: Place, at: Places) -> int:
        """The number of a row or column, which is counted through the factors of its size."""
        result = 0
        for index in flat(place):
            result = result * self.size(index.size) + self.index(index, at)
        return result

    def index(self, index: Index, at: Places) -> int:
        """The number of an index; one that is looked up stands in a table, which is nested as it has arguments."""
        if isinstance(index, Lookup):
            found: Any = self.values[index.table]
            for argument in index.arguments:
                found = found[self.index(argument, at)]
            return int(found)
        return int(index.name[1:]) if is_number(index) else at[index]

    def constant(self, c: Number) -> V:
        return self.domain.constant(Fraction(c))

    def polynomial(self, P: Polynomial, at: Places) -> V:
        return self.total([self.product([self.constant(c), *self.factors(m, at)]) for m, c in P.terms.items()])

    def monomial(self, m: Monomial, at: Places) -> V:
        return self.product(self.factors(m, at))

    def factors(self, m: Monomial, at: Places) -> list[V]:
        return [self.power(self.atom(atom, at), exponent) for atom, exponent in m]

    def power(self, x: V, exponent: Number) -> V:
        return x if exponent == 1 else self.domain.power(x, Fraction(exponent))

    def product(self, factors: list[V]) -> V:
        return reduce(mul, factors) if factors else self.constant(1)

    def total(self, summands: list[V]) -> V:
        return reduce(add, summands) if summands else self.constant(0)

    def atom(self, atom: Atom, at: Places) -> V:
        match atom:
            case Sensitivity() | Entry(variable=Output()):
                raise NervaError(f"the abstract layer {atom} has no value")
            case Entry():
                elements = self.values[atom.variable.name]
                if not isinstance(elements, Sequence):
                    return cast("V", elements)
                return cast("V", elements[self.number(atom.row, at)][self.number(atom.column, at)])
            case Count():
                return self.constant(self.size(atom.size))
            case Delta():
                return self.constant(int(self.number(atom.i, at) == self.number(atom.j, at)))
            case Selected():
                return self.constant(int(self.number(atom.index, at) == self.first_largest(atom.maximum, at)))
            case Indicator():
                return self.constant(int(self.domain.less(self.polynomial(atom.argument, at), self.constant(0))))
            case Application():
                return self.function(atom, self.polynomial(atom.argument, at))
            case Exponential():
                return self.domain.exp(self.monomial(atom.exponent, at))
            case Logarithm():
                return self.domain.log(self.polynomial(atom.argument, at))
            case Base() | Root():
                return self.polynomial(atom.argument, at)
            case Sum():
                return self.total([self.monomial(atom.body, {**at, **place}) for place in self.places(atom.indices)])
            case Maximum():
                return self.largest([self.polynomial(atom.body, {**at, **place}) for place in self.places((atom.index,))])
        raise TypeError(type(atom).__name__)

    def function(self, atom: Application, x: V) -> V:
        if atom.function == ARCTAN:
            return self.domain.arctan(x)
        if atom.function == NORMAL_CDF:
            return self.domain.normal_cdf(x)
        if atom.function == NORMAL_PDF:
            return self.domain.normal_pdf(x)
        return cast("V", self.functions[atom.function.name](atom.order, x))

    def places(self, indices: tuple[Index, ...]) -> list[dict[Index, int]]:
        ranges = (range(self.size(index.size)) for index in indices)
        return [dict(zip(indices, numbers, strict=True)) for numbers in cartesian(*ranges)]

    def first_largest(self, atom: Maximum, at: Places) -> int:
        values = [self.polynomial(atom.body, {**at, **place}) for place in self.places((atom.index,))]
        return next(k for k, x in enumerate(values) if not any(self.domain.less(x, y) for y in values))

    def largest(self, values: list[V]) -> V:
        result = values[0]
        for value in values[1:]:
            if self.domain.less(result, value):
                result = value
        return result
