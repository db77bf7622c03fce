"""Families on interpretations of single matrices are those of NumPy."""

import numpy as np
import pytest

from nerva_core.algebra.numeric_backend import backend
from nerva_core.interpreters.exact import ExactOps
from nerva_core.interpreters.memberwise import Family
from tests.algebra.operations.test_families import code
from tests.reference import ReferenceOps

NUMPY = backend("numpy", dtype="float64")


def numbers(F):
    return np.array([[[float(x) for x in row] for row in getattr(X, "rows", X)] for X in F])


@pytest.mark.parametrize("ops", [ExactOps(), ReferenceOps()], ids=["exact", "reference"])
def test_operations_on_families(ops):
    rng = np.random.default_rng(1)
    F, X = rng.normal(size=(4, 2, 3)), rng.normal(size=(2, 3))
    found = code(ops, ops.family(*map(ops.matrix, F)), ops.matrix(X))
    assert isinstance(found, Family)
    np.testing.assert_allclose(numbers(found), code(NUMPY, F, X), rtol=1e-12)


@pytest.mark.parametrize("ops", [ExactOps(), ReferenceOps()], ids=["exact", "reference"])
def test_a_matrix_on_either_side_of_an_operator(ops):
    rng = np.random.default_rng(2)
    F, X = rng.normal(size=(3, 2, 2)), rng.normal(size=(2, 2))
    f, x = ops.family(*map(ops.matrix, F)), ops.matrix(X)
    for found, expected in ((x + f, X + F), (f + x, F + X), (x - f, X - F), (f - x, F - X), (x @ f, X @ F), (f @ x, F @ X)):
        np.testing.assert_allclose(numbers(found), expected, rtol=1e-12)
    np.testing.assert_allclose(numbers(-(2 * f) / 4), -F / 2, rtol=1e-12)


def test_families_of_different_sizes_are_refused():
    ops = ExactOps()
    X = ops.ones(1, 1)
    with pytest.raises(ValueError, match="families of different numbers of members: 2, 3"):
        ops.family(X, X) + ops.family(X, X, X)
