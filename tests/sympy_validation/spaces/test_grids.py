"""Matrices of elements: shapes are checked, products are the right ones."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.matrix_ops import MatrixOps
from nerva_core.algebra.numeric_backend import backend
from sympy_validation.spaces.grids import Grid, GridOps, ShapeError, exact, rowwise
from sympy_validation.spaces.numbers import RealDomain
from sympy_validation.spaces.points import PointSpace

OPS = GridOps(RealDomain())


def grid(values: Any) -> Grid:
    rows = np.asarray(values).tolist()
    return Grid([[Fraction(x).limit_denominator(1000) for x in row] for row in rows], (len(rows), len(rows[0])))


def as_floats(X: Grid) -> Any:
    return np.array([[float(x) for x in row] for row in X.elements])


RNG = np.random.default_rng(0)
A, B, C = (np.round(RNG.normal(size=shape), 2) for shape in ((3, 4), (3, 4), (4, 2)))
EXPRESSIONS: dict[str, Any] = {
    "add": lambda ops, a, b, c: a + b,
    "subtract": lambda ops, a, b, c: a - b,
    "negate": lambda ops, a, b, c: -a,
    "matmul": lambda ops, a, b, c: a @ c,
    "scale": lambda ops, a, b, c: ops.scale(3, 0.5 * a),
    "divide": lambda ops, a, b, c: ops.divide(a / 2, 4),
    "transpose": lambda ops, a, b, c: ops.transpose(a),
    "hadamard": lambda ops, a, b, c: ops.hadamard(a, b),
    "diag": lambda ops, a, b, c: ops.diag(a @ ops.transpose(b)),
    "Diag of a column": lambda ops, a, b, c: ops.Diag(ops.rows_sum(a)),
    "Diag of a row": lambda ops, a, b, c: ops.Diag(ops.columns_sum(a)),
    "identity": lambda ops, a, b, c: ops.identity(3),
    "full": lambda ops, a, b, c: ops.full(0.25, 2, 3),
    "rows_max": lambda ops, a, b, c: ops.rows_max(a),
    "columns_max": lambda ops, a, b, c: ops.columns_max(a),
    "columns_mean": lambda ops, a, b, c: ops.columns_mean(a),
    "where": lambda ops, a, b, c: ops.where(ops.less(a, b), a, b),
    "clip": lambda ops, a, b, c: ops.clip(a, -0.5, 0.5),
    "reciprocal": lambda ops, a, b, c: ops.reciprocal(a),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_like_numpy(name: str) -> None:
    f, numpy = EXPRESSIONS[name], backend("numpy", "float64")
    expected = f(numpy, *(numpy.matrix(x) for x in (A, B, C)))
    np.testing.assert_allclose(as_floats(f(OPS, grid(A), grid(B), grid(C))), expected, rtol=1e-12)


def wrong_shapes(ops: MatrixOps[Grid], a: Grid, b: Grid, c: Grid) -> list[Any]:
    return [lambda: a + c, lambda: ops.hadamard(a, c), lambda: a @ b, lambda: ops.diag(a), lambda: ops.Diag(a)]


@pytest.mark.parametrize("case", range(5))
def test_shapes_must_fit(case: int) -> None:
    with pytest.raises(ShapeError):
        wrong_shapes(OPS, grid(A), grid(B), grid(C))[case]()


def test_no_product_of_matrices_with_a_star() -> None:
    with pytest.raises(TypeError):
        grid(A).__rmul__(grid(A))


def test_a_float_is_the_number_that_it_prints_as() -> None:
    assert exact(0.1) == Fraction(1, 10)
    assert exact(1 / 3) == Fraction(3333333333333333, 10**16)  # and not 1/3: what is printed is what is meant
    assert exact(7) == 7


def test_rowwise() -> None:
    assert as_floats(rowwise(lambda x, y: OPS.dot(x, y), grid(A), grid(B))) == pytest.approx((A * B).sum(axis=1, keepdims=True))


def test_a_small_float_is_not_zero() -> None:
    assert exact(1e-13) == Fraction(1, 10**13)
    assert exact(0.1) == Fraction(1, 10)


def test_the_example_of_any_function_of_matrices_has_the_gradients_it_says() -> None:
    """By dual numbers; every element of every argument has an influence, also where the function has fewer elements."""
    space = PointSpace(0)
    arguments = [space.matrix(name, m, n) for name, m, n in (("A", 3, 4), ("B", 3, 8), ("C", 2, 1))]
    for rows, columns in ((3, 4), (1, 1)):
        DY = space.constant("DY", rows, columns)
        Y = space.ops.output("f", rows, columns, *arguments)
        for k, name in enumerate("ABC"):
            found = space.ops.pullback("f", k, DY, *space.detach(tuple(arguments)))
            expected = space.gradient(DY, Y, name)
            values = [[(found[i, j].value, expected[i, j].value) for j in range(found.shape[1])] for i in range(found.shape[0])]
            assert all(a == b for row in values for a, b in row)
            assert all(a != 0 for row in values for a, _ in row)
