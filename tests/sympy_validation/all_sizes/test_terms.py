"""Polynomials are sums without zeros, and sizes are numbers."""

from __future__ import annotations

from sympy_validation.all_sizes.symbols import Index, Size, Variable
from sympy_validation.all_sizes.terms import ONE, ZERO, Count, Entry, Polynomial, combination, constant, count_of, only

N = Size("N")
i, j, k = (Index(name, N) for name in "ijk")
X = Variable("X", N, N)


def entry(row: Index, column: Index) -> Polynomial:
    return only(Entry(X, row, column))


def test_polynomials_are_sums_without_zeros() -> None:
    P = entry(i, j)
    assert P - P == ZERO
    assert P.times(2) == P + P
    assert combination([(P, 3), (P, -2)]) == P
    assert (P - P).terms == {}
    assert P.single == (((Entry(X, i, j), 1),), 1)
    assert (P + ONE).single is None


def test_sizes_as_numbers() -> None:
    assert count_of(3) == constant(3)
    assert count_of(N) == only(Count(N))
