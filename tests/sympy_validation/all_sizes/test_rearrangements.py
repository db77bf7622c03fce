"""Families, windows and rearrangements for all sizes have at concrete sizes the values of NumPy; what does not fit is named."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.geometry import AnyGeometry, Geometry
from nerva_core.algebra.numeric_backend import backend
from sympy_validation.all_sizes import AllSizesOps
from sympy_validation.all_sizes.evaluate import evaluate
from sympy_validation.all_sizes.rearrangements import SymbolicRange
from sympy_validation.operands import ComparedError
from tests.sympy_validation.all_sizes.dual_numbers import Intervals

NUMPY = backend("numpy", dtype="float64")
SIZES = {"N": 2, "L": 3, "G": 2, "A": 2, "P": 4, "Q": 3, "U": 2, "C": 2, "D": 3}


class Exact(Intervals):
    """Fractions, of which ties are known."""

    ties = True
    constant = staticmethod(Fraction)

    def less(self, x: Fraction, y: Fraction) -> bool:
        return x < y


def value(ops: AllSizesOps, expression: Any, /, **values: Any) -> Any:
    rows = evaluate(expression, SIZES, {name: V.tolist() for name, V in values.items()}, domain=Exact())
    return np.array(rows, dtype=float)


def whole(m: int, n: int, seed: int = 1) -> Any:
    return np.random.default_rng(seed).integers(-5, 6, size=(m, n)).astype(object) * Fraction(1)


CASES = {
    "split and join": lambda ops, X, N, L, G, A: ops.join(ops.transpose(ops.split(X, L, A)), N),
    "other blocks": lambda ops, X, N, L, G, A: ops.join(ops.split(X, L, A), N * G),
    "column_part": lambda ops, X, N, L, G, A: ops.column_part(X, 1, 2),
    "join_column_parts": lambda ops, X, N, L, G, A: ops.join_column_parts(X, 2 * X, X),
    "part of parts": lambda ops, X, N, L, G, A: ops.column_part(ops.join_column_parts(X, 2 * X), 1, 2),
    "transpose_columns": lambda ops, X, N, L, G, A: ops.transpose_columns(X, G),
    "reshape": lambda ops, X, N, L, G, A: ops.reshape(X, N, L * (G * A)),
    "members_sum": lambda ops, X, N, L, G, A: ops.members_sum(ops.split(X, L, A)),
    "family": lambda ops, X, N, L, G, A: ops.join(ops.family(X, 3 * X), 1),
    "member": lambda ops, X, N, L, G, A: ops.member(ops.family(X, 3 * X), 1),
    "beside": lambda ops, X, N, L, G, A: ops.join(ops.split(X, L, A) + ops.ones(L, A), N),
}


@pytest.mark.parametrize("name", CASES)
def test_values(name: str) -> None:
    code: Any = CASES[name]
    ops = AllSizesOps()
    N, L, G, A = (ops.size(size) for size in "NLGA")
    columns = G * A if name != "column_part" else 2 * A
    X = ops.variable("X", N * L, columns)
    values = whole(6, 4)
    expected = code(NUMPY, values.astype(float), 2, 3, 2, 2)
    np.testing.assert_array_equal(value(ops, code(ops, X, N, L, G, A), X=values), expected)


def test_windows_and_fold_are_the_matrices_and_their_adjoint() -> None:
    G = Geometry.of((4,), 2, padding=0)
    S = np.array([[int(p == G.map[q, u]) for p in range(4)] for u in range(2) for q in range(3)], dtype=object) * Fraction(1)
    ops = AllSizesOps()
    N, C = ops.size("N"), ops.size("C")
    any_windows = AnyGeometry("S", *(ops.size(size) for size in "PQU"))
    X, Z = ops.variable("X", N * any_windows.positions, C), ops.variable("Z", N * any_windows.places, any_windows.offsets * C)
    x, z = whole(8, 2), whole(6, 4, 2)
    np.testing.assert_array_equal(value(ops, ops.windows(X, any_windows), X=x, C1=S), NUMPY.windows(x.astype(float), G))
    np.testing.assert_array_equal(value(ops, ops.fold(Z, any_windows), Z=z, C1=S), NUMPY.fold(z.astype(float), G))


def test_matrices_side_by_side_and_the_columns_of_each() -> None:
    """They are placed by any matrices S and T; for those that place them side by side the values are those of NumPy."""
    ops = AllSizesOps()
    N, C, D = (ops.size(size) for size in "NCD")
    X, Y = ops.variable("X", N, C), ops.variable("Y", N, D)
    both = ops.join_columns(X, Y)
    assert ops.shape(both) == (N, C + D)
    x, y = whole(2, 2), whole(2, 3, 2)
    S, T = (np.eye(5, dtype=object)[rows] * Fraction(1) for rows in (slice(0, 2), slice(2, 5)))
    np.testing.assert_array_equal(value(ops, both, X=x, Y=y, C1=S, C2=T), np.hstack([x, y]).astype(float))
    for first, count, expected in ((0, C, x), (C, D, y)):
        np.testing.assert_array_equal(value(ops, ops.column_range(both, first, count), X=x, Y=y, C1=S, C2=T), expected.astype(float))
    ones = ops.ones(1, C + D) @ ops.ones(C + D, 1)
    np.testing.assert_array_equal(value(ops, ones), [[5]])
    assert ops.is_zero(ones - ops.scale(C, ops.ones(1, 1)) - ops.scale(D, ops.ones(1, 1)))
    assert not ops.is_zero(both - ops.join_columns(2 * X, Y))


def test_the_first_of_the_largest() -> None:
    ops = AllSizesOps()
    X = ops.variable("X", ops.size("N"), ops.size("D"))
    H = ops.maximum(X, ops.zeros(*ops.shape(X)))
    x = np.array([[-1, -2, -3], [2, 1, 2]], dtype=object) * Fraction(1)
    expected = NUMPY.first_maxima(np.maximum(x.astype(float), 0))
    np.testing.assert_array_equal(value(ops, ops.first_maxima(H), X=x), expected)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (lambda ops, X, N, L: ops.split(X, ops.size("K"), 1), "the size N·L neither begins nor ends with the factor K"),
        (lambda ops, X, N, L: ops.reshape(X, L * N, ops.size("D")), "reshape: the sizes N·L·D and L·N·D have other factors, or in another"),
        (lambda ops, X, N, L: X + ops.ones(L * N, ops.size("D")), "expected two matrices of one shape"),
        (lambda ops, X, N, L: ops.split(X, L, ops.size("D")) + ops.family(*[ops.ones(L, ops.size("D"))] * 3), "families of one size"),
        (lambda ops, X, N, L: ops.member(ops.split(X, L, ops.size("D")), 0), "member moves elements by their numbers"),
    ],
)
def test_what_does_not_fit_is_named(code: Any, message: str) -> None:
    ops = AllSizesOps()
    N, L = ops.size("N"), ops.size("L")
    with pytest.raises(NervaError, match=message):
        code(ops, ops.variable("X", N * L, ops.size("D")), N, L)


def sorting() -> tuple[AllSizesOps, Any, Any, Any]:
    ops = AllSizesOps()
    N, D = ops.size("N"), ops.size("D")
    X = ops.variable("X", N, D)
    return ops, X, ops.variable("V", N, D), ops.sort_rows(X)


def test_sums_over_a_sorted_row_are_those_of_the_row() -> None:
    ops, X, V, S = sorting()
    D = ops.shape(X)[1]
    equal = [
        (ops.rows_sum(S), ops.rows_sum(X)),
        (ops.rows_sum(ops.exp(S)), ops.rows_sum(ops.exp(X))),
        (ops.rows_sum(ops.hadamard(S, S)), ops.rows_sum(ops.hadamard(X, X))),
        (ops.gradient(ops.elements_sum(ops.hadamard(S, ops.hadamard(S, S))), X), 3 * ops.hadamard(X, X)),
        (ops.rows_sum(ops.hadamard(S, ops.column_repeat(ops.rows_mean(V), D))), ops.hadamard(ops.rows_mean(V), ops.rows_sum(X))),
        (ops.sort_rows(X + X - X), S),
    ]
    for A, B in equal:
        assert ops.is_zero(A - B)
    assert "almost everywhere: the order of X[i,j] in a row does not jump" in ops.conditions


def test_what_is_sorted_is_another_order() -> None:
    ops, X, V, S = sorting()
    different = [
        (S, X),
        (ops.rows_sum(ops.hadamard(S, V)), ops.rows_sum(ops.hadamard(X, V))),
        (ops.rows_sum(ops.hadamard(S, ops.sort_rows(V))), ops.rows_sum(ops.hadamard(X, V))),
        (ops.rows_sum(ops.hadamard(S, ops.sort_rows(-X))), ops.rows_sum(ops.hadamard(X, -X))),
        (ops.rows_sum(ops.hadamard(S, X)), ops.rows_sum(ops.hadamard(X, X))),
        (ops.columns_sum(S), ops.columns_sum(X)),
        (ops.gradient(ops.elements_sum(ops.hadamard(S, V)), X), V),
    ]
    for A, B in different:
        assert not ops.is_zero(A - B)


def test_columns_that_are_joined_are_taken_apart() -> None:
    ops, X, _, _ = sorting()
    N, D = ops.shape(X)
    own = ops.own_size("D2")
    joined = ops.join_columns(ops.variable("A", N, own), ops.variable("B", N, own))
    assert ops.shape(joined) == (N, 2 * own)
    for columns, name in ((SymbolicRange(0, own), "A"), (SymbolicRange(own, 2 * own), "B")):
        assert ops.is_zero(ops.take_columns(joined, columns) - ops.variable(name, N, own))
    for columns in (SymbolicRange(0, 2 * own), SymbolicRange(0, D), range(2)):
        with pytest.raises(NervaError, match="take_columns moves elements by their numbers"):
            ops.take_columns(joined, columns)
    assert ops.is_zero(ops.column_range(joined, 0, own) - ops.variable("A", N, own))
    assert ops.is_zero(ops.column_range(joined, own, own) - ops.variable("B", N, own))
    assert ops.shape(ops.column_range(joined, own, 1)) == (N, 1)
    other = ops.own_size("K2")
    A, B = ops.variable("A", N, own), ops.variable("C", N, other)
    assert ops.shape(ops.join_columns(A, B)) == (N, own + other)
    DY = ops.variable("DY", N, own + other)
    G = ops.gradient(ops.elements_sum(ops.hadamard(DY, ops.join_columns(A, B))), B)
    assert ops.is_zero(G - ops.column_range(DY, own, other))
    assert not ops.is_zero(G - ops.column_range(DY, 0, other))
    with pytest.raises(ComparedError):
        list(SymbolicRange(0, D))
