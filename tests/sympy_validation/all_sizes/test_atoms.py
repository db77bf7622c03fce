"""Atoms are interned, and know their free indices and their depth."""

from __future__ import annotations

from sympy_validation.all_sizes.powers import power
from sympy_validation.all_sizes.sums import sum_over
from sympy_validation.all_sizes.symbols import Index, Size, Variable
from sympy_validation.all_sizes.terms import ONE, Base, Entry, Polynomial, only

N = Size("N")
i, j, k = (Index(name, N) for name in "ijk")
X = Variable("X", N, N)


def entry(row: Index, column: Index) -> Polynomial:
    return only(Entry(X, row, column))


def test_equal_atoms_are_one_object() -> None:
    assert Entry(X, i, j) is Entry(Variable("X", N, N), i, j)
    assert Base(entry(i, j) + ONE) is Base(ONE + entry(i, j))
    assert Entry(X, i, j) is not Entry(X, j, i)


def test_declarations_are_part_of_the_atom() -> None:
    assert Entry(X, i, j) is not Entry(Variable("X", N, N, positive=True), i, j)
    assert Entry(X, i, j) is not Entry(Variable("X", N, N, row_stochastic=True), i, j)


def test_free_indices_and_levels() -> None:
    inner = sum_over(entry(i, k), [k])
    (atom,) = inner.atoms
    assert atom.free == {i}
    assert atom.level == 1
    (outer,) = sum_over(power(inner + ONE, -1), [i]).atoms
    assert outer.free == frozenset()
    assert outer.level == 2


def test_shapes_do_not_depend_on_names() -> None:
    assert Entry(X, i, j).shape == Entry(X, k, i).shape
    assert Base(entry(i, j) + ONE).shape == Base(entry(j, i) + ONE).shape
    assert Entry(X, i, j).marked({i: "!"}) != Entry(X, i, j).marked({j: "!"})
