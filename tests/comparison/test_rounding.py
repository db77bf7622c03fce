from __future__ import annotations

import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nerva_core.comparison.rounding import correctly_rounded, nearest
from nerva_core.interpreters.exact import ExactOps
from nerva_core.interpreters.exact_numbers import UndeterminedError


@given(st.integers(-(2**130), 2**130), st.integers(-1300, 1000))
def test_nearest_float64_is_what_python_divides_to(mantissa, exponent):
    value = Fraction(mantissa) * Fraction(2) ** exponent
    try:
        expected = value.numerator / value.denominator
    except OverflowError:
        expected = math.copysign(math.inf, mantissa)
    assert nearest((mantissa, exponent), "float64") == expected


@given(st.integers(-(2**60), 2**60), st.integers(-220, 100))
def test_nearest_float32_has_no_nearer_neighbour(mantissa, exponent):
    value = Fraction(mantissa) * Fraction(2) ** exponent
    result = nearest((mantissa, exponent), "float32")
    assert float(np.float32(result)) == result
    largest = Fraction(float(np.finfo(np.float32).max))
    if abs(value) >= largest + Fraction(2) ** 103:
        assert abs(result) == math.inf
        return
    with np.errstate(over="ignore"):
        around = [float(np.nextafter(np.float32(result), np.float32(side))) for side in (-np.inf, np.inf)]
    for neighbour in filter(math.isfinite, around):
        assert abs(value - Fraction(result)) <= abs(value - Fraction(neighbour))


@pytest.mark.parametrize(
    ("value", "expected"), [((2**54 + 2, 0), 2.0**54), ((2**54 + 6, 0), 2.0**54 + 8), ((1, -1075), 0.0), ((3, -1075), 1e-323)]
)
def test_ties_go_to_the_even_neighbour(value, expected):
    assert nearest(value, "float64") == expected


def test_one_more_than_the_largest_rounds_down():
    assert nearest((2**53 - 1, 971), "float64") == np.finfo(float).max
    assert nearest((2**54 - 1, 970), "float64") == math.inf


@pytest.mark.parametrize("x", [-745.0, -700.5, -40.0, 1e-300, 5e-324, 36.5, 1e4])
def test_the_precision_is_raised_until_the_definition_is_rounded_correctly(x):
    # log(1 + e^x) needs 1 + e^x to a thousand bits for x = -700.
    (value,) = correctly_rounded(lambda ops: [ops.softplus(ops.matrix([[x]]))], "float64")
    with mpmath.workprec(4000):
        expected = mpmath.log1p(mpmath.exp(mpmath.mpf(x)))
        assert value.rounded[0, 0] == float(expected)
        rest = float(expected - mpmath.mpf(value.rounded[0, 0]))
    assert value.rest[0, 0] == pytest.approx(rest, rel=1e-6, abs=1e-40 * abs(value.rounded[0, 0]) + 5e-324)


def test_no_value_and_overflow_are_not_representable():
    (value,) = correctly_rounded(lambda ops: [ops.exp(ops.matrix([[1e4, 1.0]]))], "float64")
    assert value.representable.tolist() == [[False, True]]
    (value,) = correctly_rounded(lambda ops: [ops.log(ops.matrix([[-1.0, 2.0]]))], "float64")
    assert value.representable.tolist() == [[False, True]]


def test_a_comparison_that_no_ball_decides_is_left_to_decimals_or_refused(monkeypatch):
    from nerva_core.comparison import rounding

    def third(ops: ExactOps):
        X = ops.matrix([[1.0]]) / 3
        return [ops.less(X, X)]

    monkeypatch.setattr(rounding, "kinds_of_numbers", lambda: iter([rounding.Balls(100)]))
    with pytest.raises(UndeterminedError):
        correctly_rounded(third, "float64")


def test_without_python_flint_decimals_do(monkeypatch):
    import sys

    from nerva_core.comparison import measure
    from nerva_core.comparison.subjects import subjects

    (subject,) = [subject for subject in subjects() if (subject.kind, subject.name) == ("activation", "Tanh")]
    given = {"X": subject.inputs(0, "float64")["row"]["X"][:, ::8]}
    rigorous = measure.expect(subject, given, "float64")
    monkeypatch.setitem(sys.modules, "flint", None)
    decimal = measure.expect(subject, given, "float64")
    for name, value in rigorous.values.items():
        assert np.array_equal(decimal.values[name].rounded, value.rounded)
        assert decimal.running[name] == pytest.approx(rigorous.running[name], rel=1e-6)
