from __future__ import annotations

import operator

import numpy as np
import pytest

from nerva_core.algebra.matrix_ops import MatrixOps
from nerva_core.equations.activations import ACTIVATIONS
from nerva_core.equations.optimizers import Adam, WeightDecay
from nerva_core.interpreters.exact import ExactOps, exactly
from nerva_core.interpreters.exact_numbers import Balls, Decimals
from nerva_core.interpreters.examples import describe, examples

KINDS = [Decimals(200), Balls(200)]


@pytest.mark.parametrize("numbers", KINDS, ids=lambda numbers: type(numbers).__name__)
def test_sixty_digits_of_the_sigmoid(numbers):
    # e / (1 + e), from the digits of e
    expected = "0.7310585786300048792511592418218362743651446401650565192763659"
    with numbers.precision():
        value = ExactOps(numbers).sigmoid(ExactOps(numbers).ones(1, 1)).rows[0][0]
        low, high = numbers.bounds(value)
    import mpmath

    with mpmath.workdps(80):
        for mantissa, exponent in (low, high):
            assert abs(mpmath.mpf(mantissa) * mpmath.mpf(2) ** exponent - mpmath.mpf(expected)) < mpmath.mpf(10) ** -58


@pytest.mark.parametrize("activation", list(examples(ACTIVATIONS, variants=True)), ids=describe)
def test_decimals_lie_in_the_balls(activation):
    X = np.array([[-30.5, -1.0, -0.25, 0.0, 0.125, 1.0, 2.5, 30.0]])
    balls, decimals = Balls(400), Decimals(600)
    for function in (activation.value, activation.gradient):
        name = function.__name__
        with balls.precision():
            ball = getattr(exactly(activation, balls), name)(ExactOps(balls), ExactOps(balls).matrix(X)).rows[0]
            ends = [balls.bounds(x) for x in ball]
        points = getattr(exactly(activation, decimals), name)(ExactOps(decimals), ExactOps(decimals).matrix(X)).rows[0]
        for (low, high), point in zip(ends, points, strict=True):
            (m, e), _ = decimals.bounds(point)
            assert compare(low, (m, e)) <= 2**-300
            assert compare((m, e), high) <= 2**-300


def compare(a, b):
    """a - b as a float."""
    exponent = min(a[1], b[1])
    difference = (a[0] << (a[1] - exponent)) - (b[0] << (b[1] - exponent))
    return float(np.ldexp(float(difference >> max(difference.bit_length() - 60, 0)), exponent + max(difference.bit_length() - 60, 0)))


def test_a_choice_is_what_its_definition_adds_up_to():
    ops = ExactOps(Decimals(200))
    X, Y, T = (ops.matrix(np.random.default_rng(k).integers(-8, 9, (m, 3)) / 4) for k, m in enumerate((7, 7, 4)))
    s = (-1.0, 0.25, 1.5)
    for found, expected in (
        (ops.step_function(X, s, T), MatrixOps.step_function(ops, X, s, T)),
        (ops.interval_sums(Y, X, s), MatrixOps.interval_sums(ops, Y, X, s)),
    ):
        assert found.rows == expected.rows


def test_nothing_broadcasts():
    ops = ExactOps()
    with pytest.raises(ValueError, match="broadcast"):
        operator.add(ops.ones(2, 3), ops.ones(1, 3))
    with pytest.raises(ValueError, match="no product"):
        operator.matmul(ops.ones(2, 3), ops.ones(2, 3))


def test_parameters_become_exact_within_entries():
    numbers = Decimals()
    exact = exactly(WeightDecay(Adam(), 0.1), numbers)
    assert isinstance(exact.decay, type(numbers(1)))
    difference = 1 - exact.optimizer.beta2**3
    assert difference != 1 - 0.999**3  # the floating-point difference is rounded
    assert abs(difference - (1 - 0.999**3)) < 1e-16
