"""Products of placements are placements: for all sizes, and in numbers."""

import numpy as np
import pytest

from sympy_validation.all_sizes import sums
from sympy_validation.all_sizes.products import multiply
from sympy_validation.all_sizes.symbols import Index, Size, fresh
from sympy_validation.all_sizes.terms import Entry, Sum, only
from sympy_validation.foreign.gradients import normal
from sympy_validation.foreign.placements import Placement
from sympy_validation.foreign.run import SymbolicRun
from sympy_validation.foreign.sizes import dim
from sympy_validation.foreign.values import FloatPoint

T = dim(Size("T"))


def size(n):
    (found,) = dim(n).factors
    return found


def chain(first, second, turned):
    """Σ_k of an element of both, in which k is an index of the second's whole, or of its part."""
    i, j = Index("i", first.part), Index("j", second.part if turned else second.whole)
    k = fresh(first.whole)
    other = Entry(second.variable, j, k) if turned else Entry(second.variable, k, j)
    return sums.sum_over(multiply(only(Entry(first.variable, i, k)), only(other)), [k]), i, j


PAIRS = [
    (Placement(1, 1, size(T), size(T + 2)), Placement(0, 1, size(T), size(T + 2)), True),
    (Placement(2, 1, size(T), size(T + 2)), Placement(1, 1, size(T + 1), size(T + 2)), True),
    (Placement(1, 1, size(T), size(T + 2)), Placement(1, 1, size(T + 2), size(T + 4)), False),
    (Placement(1, 2, size((T - 1) // 2 + 1), size(T + 2)), Placement(1, 1, size(T), size(T + 2)), True),
    (Placement(0, 2, size((T - 1) // 2 + 1), size(T + 2)), Placement(1, 2, size((T - 1) // 2 + 1), size(T + 2)), True),
]


@pytest.mark.parametrize(("first", "second", "turned"), PAIRS)
def test_a_product_has_no_sum_and_the_same_numbers(first, second, turned) -> None:
    P, i, j = chain(first, second, turned)
    Q = normal(P)
    assert any(isinstance(atom, Sum) for atom in P.atoms)
    assert not any(isinstance(atom, Sum) for atom in Q.atoms)
    for number in (1, 2, 3, 4, 5):
        point = FloatPoint(SymbolicRun(), {"T": number}, 0)
        np.testing.assert_array_equal(point.polynomial(P, [i, j]), point.polynomial(Q, [i, j]))


def test_a_map_that_is_not_total_is_not_taken_away() -> None:
    part = Placement(1, 1, size(T), size(T))  # element j + 1 of an axis of the same length: the last has none
    P, _, _ = chain(part, part, True)
    assert not part.is_total
    assert any(isinstance(atom, Sum) for atom in normal(P).atoms)


def test_a_map_to_itself_is_equality_and_one_way_of_two_is_written() -> None:
    i, j = Index("i", size(T)), Index("j", size(T))
    assert Placement(0, 1, size(T), size(T)).at(i, j) == sums.delta(i, j)
    there, back = Placement(1, 1, size(T), size(T + 2)), Placement(1, 1, size(T), size(T + 2)).turned
    k = Index("k", size(T + 2))
    assert there.at(i, k) == back.at(k, i)
