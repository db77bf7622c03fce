from __future__ import annotations

import numpy as np
import pytest

from backends.numpy import NumpyBackend
from backends.patterns import KEPT, NotAPattern, PatternIndex, Patterns
from nerva_core.algebra.matrix_ops import MatrixOps


def column(*numbers: int) -> np.ndarray:
    return np.array(numbers, float).reshape(-1, 1)


def test_the_orders_of_a_pattern() -> None:
    index = PatternIndex(np.array([0, 0, 2]), np.array([1, 3, 0]), 4, 5)
    assert index.flat.tolist() == [1, 3, 10]
    assert index.row_starts.tolist() == [0, 2, 2, 3, 3]
    assert index.column_starts.tolist() == [0, 1, 2, 2, 3, 3]
    assert index.by_columns.tolist() == [2, 0, 1]
    assert index.density == 3 / 20


def test_a_pattern_is_made_once_and_again_when_its_arrays_change() -> None:
    patterns, r, c = Patterns(), column(0, 1), column(1, 0)
    index = patterns.index(r, c, 3, 3)
    assert patterns.index(r, c, 3, 3) is index
    c[1, 0] = 2
    assert patterns.index(r, c, 3, 3).columns.tolist() == [1, 2]
    assert patterns.index(r, c, 4, 3).K == 4


def test_not_all_patterns_are_kept() -> None:
    patterns = Patterns()
    arrays = [(column(0), column(k)) for k in range(KEPT + 2)]
    for r, c in arrays:
        patterns.index(r, c, 1, KEPT + 2)
    assert len(patterns._known) == 2


@pytest.mark.parametrize(("r", "c"), [((0, 0), (1, 1)), ((1, 0), (0, 0)), ((0, 3), (0, 0)), ((0, 1), (0, 3)), ((-1, 0), (0, 0))])
def test_of_places_that_are_no_pattern_the_definition_is_computed(r: tuple[int, ...], c: tuple[int, ...]) -> None:
    with pytest.raises(NotAPattern):
        Patterns().index(column(*r), column(*c), 3, 3)
    ops = NumpyBackend("float64")
    given = np.array([[2.0, 3.0]]), column(*r), column(*c), 3, 3
    np.testing.assert_array_equal(ops.scattered(*given), MatrixOps.scattered(ops, *given))
