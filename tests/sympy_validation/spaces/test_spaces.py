"""The three spaces agree: an expression and its derivative, computed in each, have the same value at a point."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sympy_validation.certificates import POINTS
from sympy_validation.spaces.entries import EntriesSpace
from sympy_validation.spaces.points import SIZES, PointSpace
from sympy_validation.spaces.spaces import ExampleLayer, Kind
from sympy_validation.spaces.symbolic_sizes import SymbolicSizesSpace

EXPRESSIONS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "product": lambda ops, X, Y: X @ ops.transpose(Y),
    "rational": lambda ops, X, Y: ops.hadamard(X, ops.reciprocal(ops.ones(*ops.shape(Y)) + ops.hadamard(Y, Y))),
    "piecewise": lambda ops, X, Y: ops.where(ops.less(X, Y), ops.hadamard(X, X), Y),
    "maximum of rows": lambda ops, X, Y: ops.hadamard(ops.column_repeat(ops.rows_max(Y), ops.shape(X)[1]), X),
}


@pytest.mark.parametrize("name", [name for name in EXPRESSIONS if "maximum" not in name])
def test_sympy_and_points_agree(name: str) -> None:
    f, sizes = EXPRESSIONS[name], SIZES[0]
    point, entries = PointSpace(4), EntriesSpace(sizes)
    results = []
    for space in (point, entries):
        X, Y = (space.matrix(v, space.size("N"), space.size("D")) for v in "XY")
        Z = f(space.ops, X, Y)
        DZ = space.constant("DZ", *space.ops.shape(Z))
        results.append((Z, space.gradient(DZ, Z, "X")))
    values: dict[Any, Any] = {}
    for v, shape in (("X", (3, 2)), ("Y", (3, 2)), ("DZ", results[0][0].shape)):
        M = point.constant(v, *shape)
        symbols = entries.constant(v, *shape) if v == "DZ" else entries.matrix(v, *shape)
        values |= {symbols[i, j]: M[i, j].value for i in range(shape[0]) for j in range(shape[1])}
    for numeric, symbolic in zip(*results, strict=True):
        assert numeric.shape == symbolic.shape
        for i in range(numeric.shape[0]):
            for j in range(numeric.shape[1]):
                assert symbolic[i, j].subs(values) == numeric[i, j].value


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_a_right_and_a_wrong_gradient_in_every_space(name: str) -> None:
    f = EXPRESSIONS[name]
    for space in (EntriesSpace(SIZES[0]), SymbolicSizesSpace()):
        X, Y = (space.matrix(v, space.size("N"), space.size("D")) for v in "XY")
        Z = f(space.ops, X, Y)
        DZ = space.constant("DZ", *space.ops.shape(Z))
        D = space.gradient(DZ, Z, "X")
        assert space.proves(D, D)[0]
        assert not space.proves(D, 2 * D)[0]


def test_an_unknown_function_has_a_derivative() -> None:
    for space in (EntriesSpace(SIZES[0]), SymbolicSizesSpace()):
        act, other = space.unknown_function("act"), space.unknown_function("other")
        X = space.matrix("X", space.size("N"), space.size("D"))
        D = space.gradient(space.ops.ones(*space.ops.shape(X)), act.value(space.ops, X), "X")
        assert space.proves(D, act.gradient(space.ops, X))[0]
        assert not space.proves(D, other.gradient(space.ops, X))[0]


def test_rows_sum_to_1() -> None:
    for space in (EntriesSpace(SIZES[0]), SymbolicSizesSpace()):
        T = space.matrix("T", space.size("N"), space.size("K"), Kind.ROW_STOCHASTIC)
        U = space.matrix("U", space.size("N"), space.size("K"))
        one = space.ops.ones(space.size("N"), 1)
        assert space.proves(one, space.ops.rows_sum(T))[0]
        assert not space.proves(one, space.ops.rows_sum(U))[0]


def test_at_a_point_nothing_is_proved() -> None:
    space = PointSpace(0)
    X = space.matrix("X", 2, 2)
    assert space.proves(X, X) == (False, ())


def test_jacobians_and_vectors() -> None:
    for space in (EntriesSpace(SIZES[0]), SymbolicSizesSpace()):
        x = space.matrix("x", space.size("D"), 1)
        A = space.matrix("A", space.size("K"), space.size("D"))
        f = space.unknown_vector("f", space.size("N"), True, x)
        assert space.ops.shape(f) == (1, space.size("N"))
        assert space.proves(A, space.jacobian(A @ x, "x"))[0]
        assert space.proves(space.jacobian(f, "x"), space.jacobian(space.ops.transpose(f), "x"))[0]


def test_columnwise_and_rowwise() -> None:
    for space in (EntriesSpace(SIZES[0]), SymbolicSizesSpace()):
        X = space.matrix("X", space.size("N"), space.size("D"))
        assert space.proves(2 * X, space.columnwise(lambda x: x + x, X))[0]
        assert space.proves(2 * X, space.rowwise(lambda x: x + x, X))[0]
        assert not space.proves(X, space.rowwise(lambda x: x + x, X))[0]


def test_the_example_of_any_layer_has_parameters_without_names() -> None:
    assert ExampleLayer(3).shapes(2) == ((3, 2), (1, 3))


def test_not_all_positions_are_the_memory() -> None:
    """So that the positions that ask it are not none: at points and for entries, CrossAttention would be 0 whatever it computes."""
    for space in (*map(PointSpace, range(POINTS)), *map(EntriesSpace, SIZES)):
        assert space.size("S") < space.size("L")
