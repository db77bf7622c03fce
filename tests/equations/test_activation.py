"""What every activation has, and what one that states no second derivative says."""

from dataclasses import dataclass

import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import backend
from nerva_core.equations.activation import ACTIVATIONS, Activation


@dataclass(frozen=True)
class Cube(Activation):
    def value(self, ops, X):
        return ops.hadamard(X, ops.hadamard(X, X))

    def gradient(self, ops, X):
        return 3 * ops.hadamard(X, X)


def test_an_activation_is_called_for_its_value():
    ops = backend("numpy", "float64")
    assert ops.to_numpy(Cube()(ops, ops.matrix([[2, -3]]))).tolist() == [[8, -27]]


def test_a_second_derivative_that_is_not_stated():
    ops = backend("numpy", "float64")
    with pytest.raises(NervaError, match=r"define Cube\.second_derivative, or use its q-activation"):
        Cube().second_derivative(ops, ops.ones(1, 1))


def test_names_of_other_frameworks_are_explained():
    with pytest.raises(NervaError, match=r"it is Hardtanh\(0, 6\)"):
        ACTIVATIONS.parse("ReLU6")
