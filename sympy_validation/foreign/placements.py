"""Maps between axes by counting: element j of one is element start + step j of another. Products of such maps are such maps.

In a proof they are fixed matrices of 0 and 1. Slices, padding and windows of axes of any length are made of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sympy_validation.all_sizes import sums
from sympy_validation.all_sizes.atoms import Monomial
from sympy_validation.all_sizes.products import multiply
from sympy_validation.all_sizes.symbols import Index, Size, Variable
from sympy_validation.all_sizes.terms import Entry, Polynomial, Sum, combination, monomial, only
from sympy_validation.foreign.run import PLACED
from sympy_validation.foreign.sizes import dim, least_of


@dataclass(frozen=True)
class Placement:
    """Element j of the part is element start + step j of the whole, if there is one."""

    start: Any
    step: int
    part: Size
    whole: Size

    @property
    def variable(self) -> Variable:
        """The matrix, of a row for each element of the part."""
        name = f"from{self.start}" + (f"by{self.step}" if self.step != 1 else "") + f"_{self.part}_{self.whole}"
        KNOWN[name] = self
        PLACED[name] = self._values
        return Variable(name, self.part, self.whole, fixed=True)

    def _values(self, number: Any, m: int, n: int) -> Any:
        found = np.zeros((m, n))
        first = number(self.start)
        for j, k in enumerate(range(first, first + m * self.step, self.step)):
            if 0 <= k < n:
                found[j, k] = 1
        return found

    @property
    def is_total(self) -> bool:
        """Whether every element of the part has its place in the whole."""
        room = dim(self.whole) - self.start - self.step * (dim(self.part) - 1) - 1
        return least_of(self.start) >= 0 and least_of(room) >= 0

    @property
    def turned(self) -> Placement:
        """The same pairs, counted from the whole; for step 1."""
        return Placement(opposite(self.start), 1, self.whole, self.part)

    def at(self, j: Index, k: Index) -> Polynomial:
        """1 where k = start + step j: of the two ways to write it the first by its text."""
        if self.step == 1:
            if self.start == 0 and isinstance(self.start, int) and self.part == self.whole:
                return sums.delta(j, k)
            first, second = ((str(p.part), str(p.whole), str(p.start)) for p in (self, self.turned))
            if second < first:
                return only(Entry(self.turned.variable, k, j))
        return only(Entry(self.variable, j, k))


KNOWN: dict[str, Placement] = {}
"""The placements, by the names of their matrices, which state all that they are."""


def opposite(n: Any) -> Any:
    """-n of a size or a number."""
    return -n if isinstance(n, int) else dim(0) - n


def plus(a: Any, b: Any) -> Any:
    """The sum of sizes or numbers, which may be negative."""
    return a + b if isinstance(a, int) and isinstance(b, int) else dim(a) + b


def times(n: int, a: Any) -> Any:
    """A positive multiple."""
    total: Any = 0
    for _ in range(n):
        total = plus(total, a)
    return total


@dataclass(frozen=True)
class Relation:
    """One factor of a product: k = start + step j for its other index j or, if it is counted from k, the other one = start + step k."""

    entry: Entry
    k: Index

    @property
    def placement(self) -> Placement:
        """Its matrix."""
        return KNOWN[self.entry.variable.name]

    @property
    def to_k(self) -> bool:
        """Whether k is the index of the whole."""
        return self.entry.column == self.k

    @property
    def other(self) -> Any:
        """Its other index."""
        return self.entry.row if self.to_k else self.entry.column

    def into(self) -> Placement | None:
        """The placement of the other axis in that of k."""
        if self.to_k:
            return self.placement
        return self.placement.turned if self.placement.step == 1 else None


def product_at(a: Relation, b: Relation) -> Polynomial | None:
    """Σ_k of two factors in which k occurs, and in no others; None if it is no such map."""
    for x, y in ((a, b), (b, a)):
        into = x.into()
        if into is None or not into.is_total:
            continue  # k = start + step j has a value for every j
        back = y.into()
        if back is not None and back.step == 1:  # k = start' + l, so that l = start - start' + step j
            return Placement(plus(into.start, opposite(back.start)), into.step, into.part, back.part).at(x.other, y.other)
        if not y.to_k and into.step == 1:  # l = start' + step' k
            p = y.placement
            return Placement(plus(p.start, times(p.step, into.start)), p.step, into.part, p.whole).at(x.other, y.other)
        if back is not None and back.step == into.step and isinstance(gap := plus(into.start, opposite(back.start)), int):
            if gap % into.step:
                return Polynomial({})
            return Placement(gap // into.step, 1, into.part, back.part).at(x.other, y.other)
    return None


def is_placement(atom: Any) -> bool:
    """Whether it is an element of such a map."""
    return isinstance(atom, Entry) and atom.variable.name in KNOWN


def _lonely(m: Monomial, indices: Sequence[Index]) -> Iterator[tuple[Index, list[Any]]]:
    """The indices that only placements have, with these."""
    for k in indices:
        having = [(atom, e) for atom, e in m if k in atom.free]
        if having and all(is_placement(atom) and e == 1 for atom, e in having) and len(having) <= 2:
            yield k, [atom for atom, _ in having]


def summed(m: Monomial, indices: Sequence[Index]) -> Polynomial:
    """The sum of a product over indices, where the sums over indices that only placements have are done."""
    for k, atoms in _lonely(m, indices):
        rest = monomial(*(factor for factor in m if factor[0] not in atoms))
        others = [i for i in indices if i != k]
        relations = [Relation(atom, k) for atom in atoms]
        if len(relations) == 1:
            into = relations[0].into()
            if into is None or not into.is_total:
                continue
            found: Polynomial | None = monomial()
        else:
            found = product_at(*relations)
        if found is not None:
            return combination((summed(n, others), c) for n, c in multiply(rest, found).terms.items())
    return sums.sum_over(monomial(*m), list(indices))


def normal_sum(atom: Sum, normal: Any) -> Polynomial:
    """A sum whose body is made normal by the function, with the products of placements done."""
    indices, body = sums.opened(atom)
    return combination((summed(m, indices), c) for m, c in normal(monomial(*body)).terms.items())


def placement(start: Any, part: Size, whole: Size, step: int = 1) -> Variable:
    """The map from a part of an axis to the axis."""
    return Placement(start, step, part, whole).variable
