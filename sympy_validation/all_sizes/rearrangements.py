"""Families, windows and rows for all sizes: what only renames indices, and what is linear with any matrices in the place of known ones."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.geometry import AnyGeometry
from nerva_core.algebra.matrix_ops import MatrixOps
from nerva_core.algebra.operations.windows import Windows
from sympy_validation.all_sizes import sums, winners
from sympy_validation.all_sizes.matrices import SymbolicMatrix
from sympy_validation.all_sizes.products import multiply
from sympy_validation.all_sizes.scalars import Conditions
from sympy_validation.all_sizes.symbols import (
    Dimension,
    Index,
    SizeSum,
    Sorted,
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
from sympy_validation.all_sizes.terms import Polynomial, combination
from sympy_validation.operands import undecided


@dataclass(frozen=True)
class SymbolicRange:
    """The numbers from one size up to another one: ``range`` in a user's code."""

    start: Dimension
    stop: Dimension

    def __iter__(self) -> NoReturn:
        raise undecided(f"the size {self.stop}")

    def __len__(self) -> NoReturn:
        raise undecided(f"the size {self.stop}")


class RearrangementOps(MatrixOps[SymbolicMatrix]):
    """Operations that move entries by the factors of their sizes."""

    _conditions: Conditions

    @abstractmethod
    def any_matrix(self, name: str, rows: Dimension, columns: Dimension) -> SymbolicMatrix:
        """Arbitrary numbers in the place of what is given: what is proved for all of them is proved for these."""

    @abstractmethod
    def _matrix(self, rows: Dimension, columns: Dimension, entry: Polynomial, members: Dimension = 1) -> SymbolicMatrix:
        """A matrix, or a family, by its entry."""

    # Families.

    def members(self, F: SymbolicMatrix) -> Dimension:
        return F.members

    def reshape(self, X: SymbolicMatrix, m: Dimension, n: Dimension) -> SymbolicMatrix:
        """Row by row both sides run through the same factors."""
        new = flat(row_index(m), column_index(n))
        return self._matrix(m, n, _moved("reshape", X.entry, flat(X.i, X.j), new), X.members)

    def split(self, X: SymbolicMatrix, m: Dimension, n: Dimension) -> SymbolicMatrix:
        down, across = X.rows // m, X.columns // n
        h = flat(member_index(product_of(down, across)))
        blocks = len(factors_of(down))
        new = [*h[:blocks], *flat(row_index(m)), *h[blocks:], *flat(column_index(n))]
        return self._matrix(m, n, _moved("split", X.entry, flat(X.i, X.j), new), product_of(down, across))

    def join(self, F: SymbolicMatrix, k: Dimension) -> SymbolicMatrix:
        across = F.members // k
        rows, columns = product_of(k, F.rows), product_of(across, F.columns)
        i, j = flat(row_index(rows)), flat(column_index(columns))
        down, over = len(factors_of(k)), len(factors_of(across))
        new = [*i[:down], *j[:over], *i[down:], *j[over:]]
        return self._matrix(rows, columns, _moved("join", F.entry, flat(F.h, F.i, F.j), new))

    def member(self, F: SymbolicMatrix, k: int) -> SymbolicMatrix:
        return self._matrix(F.rows, F.columns, _moved("member", F.entry, flat(F.h), _numbers("member", F.members, k)))

    def family(self, *matrices: SymbolicMatrix) -> SymbolicMatrix:
        count = len(matrices)
        for X in matrices:
            matrices[0].check_shape(X)
        selected = ((multiply(sums.delta(member_index(count), number_index(k, count)), X.entry), 1) for k, X in enumerate(matrices))
        return self._matrix(matrices[0].rows, matrices[0].columns, combination(selected), count)

    # Columns.

    def column_part(self, X: SymbolicMatrix, k: int, count: int) -> SymbolicMatrix:
        n = X.columns // count
        new = [*_numbers("column_part", count, k), *flat(column_index(n))]
        return self._matrix(X.rows, n, _moved("column_part", X.entry, flat(X.j), new), X.members)

    def join_column_parts(self, *parts: SymbolicMatrix) -> SymbolicMatrix:
        first, count = parts[0], len(parts)
        columns = product_of(count, first.columns)
        number, *rest = flat(column_index(columns)) if count > 1 else (number_index(0, 1), *flat(column_index(columns)))
        summands = []
        for k, part in enumerate(parts):
            first.check_shape(part)
            entry = _moved("join_column_parts", part.entry, flat(part.j), rest)
            summands.append((multiply(sums.delta(number, number_index(k, count)), entry), 1))
        return self._matrix(first.rows, columns, combination(summands), first.members)

    def transpose_columns(self, X: SymbolicMatrix, m: Dimension) -> SymbolicMatrix:
        n = X.columns // m
        new, count = flat(column_index(product_of(n, m))), len(factors_of(n))
        entry = _moved("transpose_columns", X.entry, flat(X.j), [*new[count:], *new[:count]])
        return self._matrix(X.rows, product_of(n, m), entry, X.members)

    def join_columns(self, X: SymbolicMatrix, Y: SymbolicMatrix) -> SymbolicMatrix:
        """X · S + Y · T, for any S and T in the places of [I 0] and [0 I]; two parts of one width as what they are."""
        total = X.columns + Y.columns
        if isinstance(total, SizeSum) and X.columns == Y.columns:
            return self.join_column_parts(X, Y)
        return X @ self._placed(0, X.columns, total) + Y @ self._placed(X.columns, Y.columns, total)

    def column_range(self, X: SymbolicMatrix, first: Dimension, count: Dimension) -> SymbolicMatrix:
        """X · Sᵀ, for the S with which ``join_columns`` puts so many columns at this place; a part of joined parts of one width."""
        for part, start, _ in self._parts(X):
            if (start, part.columns) == (first, count):
                return part
        return X @ self.transpose(self._placed(first, count, X.columns))

    def _placed(self, first: Dimension, count: Dimension, total: Dimension) -> SymbolicMatrix:
        """In the place of [0 I 0], whose I is in the columns from the first on: where they are put is arbitrary."""
        return self.any_matrix(f"columns {first} and {count} of {total}", count, total)

    # Windows.

    def windows(self, X: SymbolicMatrix, G: Windows) -> SymbolicMatrix:
        """Σ_p S_(u,q),p x_(n,p),c at row (n, q) and column (u, c), for any S."""
        N = X.rows // G.positions
        rows, columns = product_of(N, G.places), product_of(G.offsets, X.columns)
        n, q = _cut(flat(row_index(rows)), N)
        u, c = _cut(flat(column_index(columns)), G.offsets)
        p = fresh(G.positions)
        x = _moved("windows", X.entry, flat(X.i, X.j), [*n, *flat(p), *c])
        return self._matrix(rows, columns, sums.sum_over(multiply(self._seen(G, u, q, flat(p)), x), [p]), X.members)

    def fold(self, Z: SymbolicMatrix, G: Windows) -> SymbolicMatrix:
        """Σ_(u,q) S_(u,q),p z_(n,q),(u,c) at row (n, p) and column c."""
        N, C = Z.rows // G.places, Z.columns // G.offsets
        rows = product_of(N, G.positions)
        n, p = _cut(flat(row_index(rows)), N)
        u, q = fresh(G.offsets), fresh(G.places)
        z = _moved("fold", Z.entry, flat(Z.i, Z.j), [*n, *flat(q, u), *flat(column_index(C))])
        return self._matrix(rows, C, sums.sum_over(multiply(self._seen(G, flat(u), flat(q), p), z), [q, u]), Z.members)

    def _seen(self, G: Windows, u: list[Index], q: list[Index], p: list[Index]) -> Polynomial:
        """The entry of S_u at row q and column p: what the windows see is arbitrary."""
        S = self.any_matrix(G.name if isinstance(G, AnyGeometry) else repr(G), product_of(G.offsets, G.places), G.positions)
        return S.at(place_of([*u, *q]), place_of(p))

    # Rows.

    def lower_ones(self, n: Dimension) -> SymbolicMatrix:
        return self.any_matrix(f"lower_ones_{n}", n, n)

    def first_ones(self, k: Dimension, n: Dimension) -> SymbolicMatrix:
        return self.any_matrix(f"first_ones_{k}_{n}", n, 1)

    def sines(self, m: Dimension, n: Dimension, base: Any) -> SymbolicMatrix:
        return self.any_matrix(f"sines_{m}_{n}_{base!r}", m, n)

    def cosines(self, m: Dimension, n: Dimension, base: Any) -> SymbolicMatrix:
        return self.any_matrix(f"cosines_{m}_{n}_{base!r}", m, n)

    def range_row(self, n: Dimension) -> SymbolicMatrix:
        return self.any_matrix(f"range_{n}", 1, n)

    def one_hot(self, x: SymbolicMatrix, n: Dimension) -> SymbolicMatrix:
        """Any matrix that does not depend on x: the numbers of rows do not vary. As [x = j] it would be 0 almost everywhere."""
        return self.any_matrix(f"one_hot {x.entry.key}", x.rows, n)

    def first_maxima(self, X: SymbolicMatrix) -> SymbolicMatrix:
        k = fresh(X.columns)
        if not isinstance(k, Index):
            raise _rearrangement("first_maxima")
        F = X.at(X.i, k)
        if winners.ties_are_rare(F, k):
            self._conditions.once(F)
        return X.with_entry(sums.substitute(winners.winner(F, k), {k: X.j}) if X.columns != 1 else self.ones(X.rows, 1).entry)

    # What knows the numbers of columns.

    def take_columns(self, X: SymbolicMatrix, columns: Sequence[int]) -> SymbolicMatrix:
        for part, start, stop in self._parts(X):
            if isinstance(columns, SymbolicRange) and (start, stop) == (columns.start, columns.stop):
                return part
        raise _rearrangement("take_columns")

    def _parts(self, X: SymbolicMatrix) -> Iterator[tuple[SymbolicMatrix, Dimension, Dimension]]:
        """The parts of a matrix that is joined of parts of one width n, with their first columns k n, and (k + 1) n."""
        count, *others = factors_of(X.columns) or (1,)
        if others and isinstance(count, int):
            n = X.columns // count
            for k in range(count):
                yield self.column_part(X, k, count), product_of(k, n) if k else 0, product_of(k + 1, n)

    def sort_rows(self, X: SymbolicMatrix) -> SymbolicMatrix:
        """X[i, π(i,j)] with a permutation π, which almost everywhere does not change nearby.

        Where elements are equal in a whole region, almost everywhere their derivatives are, too.
        """
        if not isinstance(X.j, Index):
            raise _rearrangement("sort_rows")
        if X.columns == 1:
            return X
        others = sorted(X.entry.free - {X.j}, key=str)
        place = Sorted(f"sort {X.entry.key}", (*others, X.j), X.columns)
        self._conditions.add(f"almost everywhere: the order of {X.text()} in a row does not jump")
        return X.with_entry(X.at(X.i, place))


def _rearrangement(name: str) -> NervaError:
    return NervaError(f"{name} moves elements by their numbers, which symbolic sizes do not have")


def _moved(name: str, P: Polynomial, old: list[Index], new: list[Index]) -> Polynomial:
    """P with new indices in the place of old ones; NervaError unless the sizes have the same factors in the same order."""
    try:
        return sums.substitute(P, renaming(old, new))
    except NervaError as error:
        raise NervaError(f"{name}: {error}") from None


def _numbers(name: str, size: Dimension, k: int) -> list[Index]:
    if not isinstance(size, int):
        raise _rearrangement(name)
    return flat(number_index(k, size))


def _cut(indices: list[Index], first: Dimension) -> tuple[list[Index], list[Index]]:
    """The indices of the factors of the first size, and the others."""
    count = len(factors_of(first))
    return indices[:count], indices[count:]
