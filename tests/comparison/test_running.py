from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from nerva_core.comparison.running import RunningNumbers, RunningOps, error_of
from nerva_core.equations.optimizers import Adam
from nerva_core.interpreters.exact import exactly
from nerva_core.interpreters.exact_numbers import Balls

EPS = float(np.finfo("float32").eps)


@pytest.fixture
def running():
    numbers = Balls(400)
    with numbers.precision():
        yield RunningOps(RunningNumbers(numbers, "float32"))


def errors(X):
    return np.array([[error_of(x) for x in row] for row in X.rows])


def test_a_product_has_the_classical_bound(running, rng):
    X, Z = rng.normal(size=(3, 7)).astype("float32"), rng.normal(size=(7, 2)).astype("float32")
    expected = 7 * EPS * (abs(X.astype(float)) @ abs(Z.astype(float)))
    assert errors(running.matrix(X) @ running.matrix(Z)) == pytest.approx(expected, rel=1e-12)


def test_what_is_not_rounded_has_no_error(running, rng):
    X = running.matrix(rng.normal(size=(3, 4)).astype("float32"))
    row = running.matrix(rng.normal(size=(1, 4)).astype("float32"))
    for value in (X, -X, running.transpose(X), running.row_repeat(row, 3), running.maximum(X, -X), running.less(X, -X), X - X):
        assert errors(value).max() == 0


def test_a_difference_keeps_the_error_of_its_terms(running):
    X = running.exp(running.matrix([[1.0]]))
    difference = X - running.full(2.71828182845904523536, 1, 1)
    assert EPS < errors(difference)[0, 0] < 4 * 2.72 * EPS


def test_the_error_of_an_argument_is_multiplied_by_the_derivative(running):
    X = running.matrix([[3.0]]) / 7 + running.matrix([[10.0]])  # two roundings
    before = errors(X)[0, 0]
    value = float(np.exp(10 + 3 / 7))
    assert errors(running.exp(X))[0, 0] == pytest.approx(value * (before + EPS), rel=1e-6)
    sigmoid = 1 / (1 + np.exp(-10 - 3 / 7))
    assert errors(running.sigmoid(X))[0, 0] == pytest.approx(sigmoid * ((1 - sigmoid) * before + EPS), rel=1e-6)


def test_a_parameter_that_is_not_representable_is_rounded(running):
    adam = exactly(Adam(beta1=0.5, beta2=0.999), running.numbers)
    assert error_of(adam.beta1) == 0
    assert error_of(adam.beta2) > 0
    assert error_of(1 - adam.beta2) > 0.9 * EPS  # the error of 0.999, not of 0.001


@pytest.mark.parametrize("seed", range(40))
def test_random_programs_in_float32_stay_within_the_running_error(seed, running):
    """Correctly rounded arithmetic contributes half a unit an operation, so the error is at most half of the running error."""
    rng = np.random.default_rng(seed)
    single = [rng.normal(size=(3, 3)).astype("float32") for _ in range(3)]
    exact = [running.matrix(X) for X in single]
    for _ in range(8):
        i, j = rng.integers(0, len(single), 2)
        match rng.integers(0, 5):
            case 0:
                single.append(single[i] + single[j]), exact.append(exact[i] + exact[j])
            case 1:
                single.append(single[i] - single[j]), exact.append(exact[i] - exact[j])
            case 2:
                single.append(single[i] * single[j]), exact.append(running.hadamard(exact[i], exact[j]))
            case 3:
                single.append(single[i] @ single[j]), exact.append(exact[i] @ exact[j])
            case _:
                single.append(single[i] / np.float32(3)), exact.append(exact[i] / 3)
    for X, Y in zip(single, exact, strict=True):
        for x, y in zip(X.ravel(), (y for row in Y.rows for y in row), strict=True):
            (m, e), _ = running.numbers.bounds(y)
            error = abs(Fraction(float(x)) - Fraction(m) * Fraction(2) ** e)
            assert error <= Fraction(0.51) * Fraction(error_of(y))


def test_the_error_of_a_number_near_the_largest_is_not_cut():
    """It was at most 2^960, so that an error of half a unit in the last place of 2^1022 counted as 925."""
    numbers = Balls(400)
    with numbers.precision():
        running = RunningOps(RunningNumbers(numbers, "float64"))
        product = running.hadamard(running.matrix([[2.0**1021]]), running.full(1.5, 1, 1))
        assert errors(product)[0, 0] == 1.5 * 2.0**1021 * float(np.finfo("float64").eps)
