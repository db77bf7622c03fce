"""Shapes for all sizes are those that NumPy computes, and operands that do not fit are refused with the operation's name."""

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import backend
from nerva_core.interpreters.polynomial import Polynomial, size
from nerva_core.interpreters.shapes import ShapeOps
from nerva_core.interpreters.traced import OPERATIONS
from tests.matrix_cases import example

N, D, K = size("N"), size("D"), size("K")


def number(size):
    return size(N=2, D=3, K=4) if isinstance(size, Polynomial) else size


@pytest.mark.parametrize("name", OPERATIONS)
def test_shapes_are_those_of_numpy(name):
    symbolic, numeric = ShapeOps(), backend("numpy", dtype="float64")
    rng = np.random.default_rng(1)
    arguments = example(name, N, D, lambda *shape: symbolic.matrix(shape))
    result = getattr(symbolic, name)(*arguments)
    expected = getattr(numeric, name)(*example(name, 2, 3, lambda m, n, *k: rng.uniform(size=(*k, m, n))))
    assert tuple(map(number, symbolic.shape(result))) == expected.shape[-2:]
    assert number(symbolic.members(result)) == numeric.members(expected)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (lambda ops, X, W, b: X + b, r"add: shapes \(N, D\) and \(1, K\) differ"),
        (lambda ops, X, W, b: ops.hadamard(X, W), r"hadamard: shapes \(N, D\) and \(K, D\) differ"),
        (lambda ops, X, W, b: X @ W, r"matmul: shapes \(N, D\) and \(K, D\) do not fit: D columns, K rows"),
        (lambda ops, X, W, b: ops.row_repeat(X, 3), r"row_repeat: expected a row vector, got shape \(N, D\)"),
        (lambda ops, X, W, b: ops.column_repeat(b, D), r"column_repeat: expected a column vector, got shape \(1, K\)"),
        (lambda ops, X, W, b: ops.step_function(X, [0.0], W), r"step_function: expected values of shape \(2, D\), .* got \(K, D\)"),
        (lambda ops, X, W, b: ops.fill(b, N, K), "fill: expected a 1 x 1 matrix"),
        (lambda ops, X, W, b: ops.diag(X), "diag: expected a square matrix"),
        (lambda ops, X, W, b: ops.Diag(X), "Diag: expected a row or column vector"),
        (lambda ops, X, W, b: ops.where(X, X, W), r"where: shapes \(N, D\) and \(K, D\) differ"),
        (lambda ops, X, W, b: ops.xlogy(X, W), "xlogy: shapes"),
        (lambda ops, X, W, b: ops.join_columns(X, W), r"join_columns: shapes \(N, D\) and \(K, D\) do not fit: N and K rows"),
    ],
)
def test_what_does_not_fit_is_named(code, message):
    ops = ShapeOps()
    with pytest.raises(NervaError, match=message):
        code(ops, ops.matrix((N, D)), ops.matrix((K, D)), ops.matrix((1, K)))
