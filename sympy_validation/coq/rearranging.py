"""Families, parts and windows: the same entries under other indices."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nerva_core.algebra.geometry import AnyGeometry
from nerva_core.algebra.matrix_ops import MatrixOps
from nerva_core.algebra.operations.windows import Windows
from sympy_validation.all_sizes.symbols import (
    UNIT,
    Dimension,
    Index,
    column_index,
    factors_of,
    flat,
    fresh,
    member_index,
    number_index,
    place_of,
    product_of,
    renaming,
    row_index,
)
from sympy_validation.coq.matrices import CoqMatrix, NotExported, summed
from sympy_validation.coq.terms import ZERO, Add, Kronecker, Mul, Term, renamed


@dataclass(frozen=True, eq=False)
class KnownFamily(CoqMatrix):
    """A family that is made of known matrices."""

    parts: tuple[CoqMatrix, ...] = ()


class Rearranging(MatrixOps[CoqMatrix]):
    """Operations that move entries by the factors of their sizes."""

    @abstractmethod
    def any_matrix(self, key: Any, m: Dimension, n: Dimension) -> CoqMatrix:
        """Arbitrary numbers in the place of those with this key: what holds for all of them holds for these."""

    def members(self, F: CoqMatrix) -> Dimension:
        return F.members

    def reshape(self, X: CoqMatrix, m: Dimension, n: Dimension) -> CoqMatrix:
        return CoqMatrix(m, n, moved(X.entry, flat(X.i, X.j), flat(row_index(m), column_index(n))), X.members)

    def split(self, X: CoqMatrix, m: Dimension, n: Dimension) -> CoqMatrix:
        down, across = X.rows // m, X.columns // n
        h = flat(member_index(product_of(down, across)))
        blocks = len(factors_of(down))
        new = [*h[:blocks], *flat(row_index(m)), *h[blocks:], *flat(column_index(n))]
        return CoqMatrix(m, n, moved(X.entry, flat(X.i, X.j), new), product_of(down, across))

    def join(self, F: CoqMatrix, k: Dimension) -> CoqMatrix:
        across = F.members // k
        rows, columns = product_of(k, F.rows), product_of(across, F.columns)
        i, j = flat(row_index(rows)), flat(column_index(columns))
        down, over = len(factors_of(k)), len(factors_of(across))
        return CoqMatrix(rows, columns, moved(F.entry, flat(F.h, F.i, F.j), [*i[:down], *j[:over], *i[down:], *j[over:]]))

    def member(self, F: CoqMatrix, k: int) -> CoqMatrix:
        if isinstance(F, KnownFamily):
            return F.parts[k]
        return CoqMatrix(F.rows, F.columns, moved(F.entry, flat(F.h), numbers(F.members, k)))

    def family(self, *matrices: CoqMatrix) -> CoqMatrix:
        first, count = matrices[0], len(matrices)
        return KnownFamily(first.rows, first.columns, chosen(member_index(count), [X.entry for X in matrices]), count, matrices)

    def column_part(self, X: CoqMatrix, k: int, count: int) -> CoqMatrix:
        n = X.columns // count
        return CoqMatrix(X.rows, n, moved(X.entry, flat(X.j), [*numbers(count, k), *flat(column_index(n))]), X.members)

    def join_column_parts(self, *parts: CoqMatrix) -> CoqMatrix:
        first, count = parts[0], len(parts)
        columns = product_of(count, first.columns)
        number, *rest = flat(column_index(columns)) if count > 1 else (UNIT, *flat(column_index(columns)))
        entries = [moved(part.entry, flat(part.j), rest) for part in parts]
        return CoqMatrix(first.rows, columns, chosen(number, entries), first.members)

    def transpose_columns(self, X: CoqMatrix, m: Dimension) -> CoqMatrix:
        n = X.columns // m
        new, count = flat(column_index(product_of(n, m))), len(factors_of(n))
        return CoqMatrix(X.rows, product_of(n, m), moved(X.entry, flat(X.j), [*new[count:], *new[:count]]), X.members)

    def windows(self, X: CoqMatrix, G: Windows) -> CoqMatrix:
        """Σ_p S_(u,q),p x_(n,p),c at row (n, q) and column (u, c), for any S."""
        N = X.rows // G.positions
        rows, columns = product_of(N, G.places), product_of(G.offsets, X.columns)
        n, q = _cut(flat(row_index(rows)), N)
        u, c = _cut(flat(column_index(columns)), G.offsets)
        p = fresh(G.positions)
        x = moved(X.entry, flat(X.i, X.j), [*n, *flat(p), *c])
        return CoqMatrix(rows, columns, summed(Mul(self._seen(G, u, q, flat(p)), x), p), X.members)

    def fold(self, Z: CoqMatrix, G: Windows) -> CoqMatrix:
        """Σ_(u,q) S_(u,q),p z_(n,q),(u,c) at row (n, p) and column c."""
        N, C = Z.rows // G.places, Z.columns // G.offsets
        rows = product_of(N, G.positions)
        n, p = _cut(flat(row_index(rows)), N)
        u, q = fresh(G.offsets), fresh(G.places)
        z = moved(Z.entry, flat(Z.i, Z.j), [*n, *flat(q, u), *flat(column_index(C))])
        return CoqMatrix(rows, C, summed(Mul(self._seen(G, flat(u), flat(q), p), z), q, u), Z.members)

    def _seen(self, G: Windows, u: list[Index], q: list[Index], p: list[Index]) -> Term:
        key = G.name if isinstance(G, AnyGeometry) else repr(G)
        S = self.any_matrix(("windows", key), product_of(G.offsets, G.places), G.positions)
        return S.at(place_of([*u, *q]), place_of(p))


def moved(entry: Term, old: list[Index], new: list[Index]) -> Term:
    """The entry with new indices in the place of old ones; NervaError unless the sizes have the same factors in the same order."""
    return renamed(entry, renaming(old, new))


def chosen(number: Any, entries: Sequence[Term]) -> Term:
    """The entry of that number."""
    if len(entries) == 1:
        return entries[0]
    total: Term = ZERO
    for k, entry in enumerate(entries):
        summand = Mul(Kronecker(number, number_index(k, len(entries))), entry)
        total = Add(total, summand) if k else summand
    return total


def numbers(size: Dimension, k: int) -> list[Index]:
    """The number k of a dimension of a known size."""
    if not isinstance(size, int):
        raise NotExported("a part by its number, of a number of parts that is a symbol")
    return flat(number_index(k, size))


def _cut(indices: list[Index], first: Dimension) -> tuple[list[Index], list[Index]]:
    count = len(factors_of(first))
    return indices[:count], indices[count:]
