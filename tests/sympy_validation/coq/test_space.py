"""The space of the exporter: gradients and Jacobians."""

from __future__ import annotations

from sympy_validation.all_sizes.symbols import Size
from sympy_validation.coq.space import CoqSpace, Differentiated

N, K = Size("N"), Size("K")


def test_two_gradients_with_respect_to_one_variable_are_one() -> None:
    space = CoqSpace()
    X, DY = space.matrix("X", N, K), space.constant("DY", N, K)
    total = space.gradient(DY, X, "X") + space.gradient(DY, X @ space.ops.identity(K), "X")
    assert isinstance(total, Differentiated)
    assert not space.used


def test_a_gradient_beside_a_matrix_is_written_down() -> None:
    space = CoqSpace()
    X, DY = space.matrix("X", N, K), space.constant("DY", N, K)
    total = space.gradient(DY, X, "X") + X
    assert not isinstance(total, Differentiated)
    assert [g.variable for g in space.used.values()] == ["X"]


def test_a_jacobian_has_a_row_for_each_element_of_the_vector() -> None:
    space = CoqSpace()
    x = space.matrix("x", N, 1)
    J = space.jacobian(space.matrix("A", K, N) @ x, "x")
    assert (J.rows, J.columns) == (K, N)
