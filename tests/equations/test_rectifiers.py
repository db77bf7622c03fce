"""Rectifiers at their kinks; all else of them is tested as of every activation."""

from __future__ import annotations

import numpy as np
import pytest

from nerva_core.algebra.numeric_backend import Backend
from nerva_core.equations.activations import ELU, Activation, AllReLU, LeakyReLU, ReLU, SReLU


@pytest.mark.parametrize(
    ("activation", "at", "expected"),
    [
        (ReLU(), 0.0, 1.0),
        (ReLU(), -0.0, 1.0),
        (LeakyReLU(0.3), 0.0, 1.0),
        (AllReLU(0.3), 0.0, 1.0),
        (SReLU(0.2, -1.0, 0.3, 2.0), -1.0, 0.2),
        (SReLU(0.2, -1.0, 0.3, 2.0), 2.0, 0.3),
        (SReLU(0.2, 1.0, 0.3, -1.0), 0.0, 0.2),
        (ELU(3), 0.0, 1.0),
    ],
)
def test_the_derivative_at_a_kink_is_the_printed_one(ops: Backend, activation: Activation, at: float, expected: float) -> None:
    assert ops.to_numpy(activation.gradient(ops, ops.matrix(at))).item() == expected


def test_leaky_relu_above_one_is_steep_on_the_right(ops: Backend) -> None:
    """max(αx, x) as printed: for α > 1 the slope α is on the side x > 0."""
    x = ops.matrix([[-1.0, 2.0]])
    np.testing.assert_array_equal(ops.to_numpy(LeakyReLU(3.0).value(ops, x)), [[-1.0, 6.0]])
    np.testing.assert_array_equal(ops.to_numpy(LeakyReLU(3.0).gradient(ops, x)), [[1.0, 3.0]])
