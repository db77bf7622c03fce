"""Sums: no index is captured, and neither names nor the order of summation matter."""

from __future__ import annotations

from itertools import permutations

import pytest

from sympy_validation.all_sizes.generic import is_generic, orient
from sympy_validation.all_sizes.powers import power
from sympy_validation.all_sizes.products import multiply
from sympy_validation.all_sizes.sums import delta, maximum, substitute, sum_over
from sympy_validation.all_sizes.symbols import UNIT, Index, Lookup, Size, Variable, fresh
from sympy_validation.all_sizes.terms import ONE, ZERO, Entry, Polynomial, Sum, count_of, only

N, D = Size("N"), Size("D")
i, j, k, m = (Index(name, N) for name in "ijkm")
X = Variable("X", N, N)
T = Variable("T", N, N, row_stochastic=True)


def x(row: Index, column: Index = UNIT) -> Polynomial:
    return only(Entry(X if column != UNIT else Variable("x", N, 1), row, column))


def test_substitution_does_not_capture() -> None:
    total = sum_over(x(i, k), [k])
    assert substitute(total, {i: j}) == sum_over(x(j, k), [k])
    for name in (k, m, Index("~1.0", N), Index("~2.0", N)):  # names that are also used in between
        inner = substitute(total, {i: name})
        assert inner.free == {name}
        assert sum_over(multiply(inner, x(name)), [name]) == sum_over(multiply(x(i, j), x(i)), [i, j])


def test_a_name_that_would_be_captured_is_refused() -> None:
    """Bound names only occur in sums. Were one to escape, that must not give a wrong sum."""
    (total,) = sum_over(x(i, k), [k]).atoms
    assert isinstance(total, Sum)
    with pytest.raises(AssertionError, match="captured"):
        substitute(only(total), {i: total.indices[0]})
    with pytest.raises(AssertionError, match="captured"):
        maximum(x(Index("^1.0", N), k), k)


def test_substitution_is_simultaneous() -> None:
    assert substitute(x(i, j), {i: j, j: i}) == x(j, i)
    swapped = substitute(sum_over(multiply(x(i, k), x(k, j)), [k]), {i: j, j: i})
    assert swapped == sum_over(multiply(x(j, k), x(k, i)), [k])


def test_deltas() -> None:
    assert delta(i, i) == ONE
    assert delta(i, j) == delta(j, i)
    assert sum_over(multiply(delta(i, j), x(i, k)), [i]) == x(j, k)
    assert sum_over(multiply(delta(i, j), x(i, j)), [i, j]) == sum_over(x(i, i), [i])
    assert sum_over(delta(i, j), [i]) == ONE
    with pytest.raises(ValueError, match="different sizes"):
        delta(i, Index("i", D))


def test_the_order_of_summation_does_not_matter() -> None:
    body = multiply(x(i, j), x(j, k), x(k, m), x(m))
    sums = {sum_over(body, order).key for order in permutations((i, j, k, m))}
    nested = sum_over(multiply(x(i, j), sum_over(multiply(x(j, k), sum_over(multiply(x(k, m), x(m)), [m])), [k])), [i, j])
    assert sums == {nested.key}


def test_a_sum_is_split_into_what_is_connected() -> None:
    assert sum_over(multiply(x(i), x(j)), [i, j]) == multiply(sum_over(x(i), [i]), sum_over(x(i), [i]))
    assert sum_over(x(i), [i, j]) == multiply(count_of(N), sum_over(x(i), [i]))
    assert sum_over(multiply(x(i), x(j, k)), [i]) == multiply(x(j, k), sum_over(x(k), [k]))
    assert sum_over(ONE, [Index("a", 3)]) == count_of(3)


def test_powers_of_sums_under_a_sum() -> None:
    square = multiply(sum_over(x(i, j), [j]), sum_over(x(i, j), [j]))
    assert sum_over(square, [i]) == sum_over(multiply(x(i, j), x(i, k)), [i, j, k])
    assert sum_over(square, [i]) != sum_over(multiply(x(i, j), x(i, j)), [i, j])
    assert sum_over(square, [i]) != multiply(sum_over(x(i, j), [i, j]), sum_over(x(i, j), [i, j]))


def test_fractions_that_merging_hides() -> None:
    """Σ_{i,j,k} F(i,j,k) S(i,j)⁻¹ is the sum of 1 over i and j, if S(i,j) = Σ_k F(i,j,k)."""
    F = multiply(x(i, k), x(k, j))
    S = sum_over(F, [k])
    number_of_entries = multiply(count_of(N), count_of(N))
    assert sum_over(multiply(F, power(S, -1)), [i, j, k]) == number_of_entries
    P = S + ONE
    assert sum_over(multiply(F, power(P, -1)), [i, j, k]) + sum_over(power(P, -1), [i, j]) == number_of_entries
    assert sum_over(multiply(F, F, power(S, -1)), [i, j, k]) != number_of_entries


def test_rows_that_sum_to_one() -> None:
    def t(row: Index, column: Index) -> Polynomial:
        return only(Entry(T, row, column))

    assert sum_over(t(i, j), [j]) == ONE
    assert sum_over(multiply(t(i, j), x(i)), [i, j]) == sum_over(x(i), [i])
    assert sum_over(t(i, j), [i]) != ONE
    assert sum_over(multiply(t(i, j), t(i, j)), [j]) != ONE
    assert sum_over(multiply(t(i, j), x(j)), [j]) != x(j)
    assert sum_over(t(i, i), [i]) != ONE


def test_maxima() -> None:
    assert maximum(x(i), k) == x(i)
    assert maximum(x(i, k), k).free == {i}
    assert maximum(x(i, k), k) == maximum(x(i, m), m)
    assert maximum(x(i, k), k) != maximum(x(k, i), k)
    assert substitute(maximum(x(i, k), k), {i: k}) == maximum(x(k, j), j)


def test_many_equivalent_indices_are_still_a_sum() -> None:
    body = ONE
    indices = [fresh(N) for _ in range(7)]
    for index in indices:
        body = multiply(body, x(i, index))
    assert substitute(sum_over(body, indices), {i: j}) != ZERO


def test_nothing_to_orient() -> None:
    kinks: list[Polynomial] = []
    P = sum_over(multiply(x(i, j), x(j)), [j])
    assert orient(P, kinks, is_generic) == P
    assert kinks == []


def test_labels_are_indices_that_are_renamed_and_collapsed() -> None:
    K = Size("K")
    n, k = fresh(N), fresh(K)
    label, table = Lookup("y", [i], K), Variable("A", N, K)
    assert sum_over(delta(label, k), [k]) == ONE
    assert sum_over(multiply(delta(label, k), only(Entry(table, i, k))), [k]) == only(Entry(table, i, label))
    assert substitute(only(Entry(table, i, label)), {i: n}) == only(Entry(table, n, Lookup("y", [n], K)))
    count = sum_over(delta(Lookup("y", [n], K), Index("j", K)), [n])  # how many have the label j: any number
    assert count.free == frozenset([Index("j", K)])
    assert count not in (ONE, count_of(N))
