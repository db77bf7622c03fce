"""Both kinds of numbers: what cannot be decided is not, and where a function is not defined there is no value."""

from __future__ import annotations

import numpy as np
import pytest

from nerva_core.interpreters.exact_numbers import Balls, Decimals, UndeterminedError

KINDS = [Decimals(200), Balls(200)]


def test_what_cannot_be_decided_is_not_decided():
    balls = Balls(100)
    with balls.precision():
        third = balls(1) / balls(3)
        assert not balls.less(third, balls(0))
        with pytest.raises(UndeterminedError):
            balls.less(third, third)


@pytest.mark.parametrize("numbers", KINDS, ids=lambda numbers: type(numbers).__name__)
@pytest.mark.parametrize(("name", "x"), [("log", -1.0), ("log", 0.0), ("sqrt", -1.0), ("reciprocal", 0.0)])
def test_no_value_where_a_function_is_not_defined(numbers, name, x):
    with numbers.precision():
        assert numbers.bounds(getattr(numbers, name)(numbers(x))) is None


@pytest.mark.parametrize("bits", [60, 1500])
def test_powers_of_e_of_whole_numbers(bits):
    """Of the largest, too: at high precision mpmath raises e to them, for minutes."""
    numbers = Decimals(bits)
    for x in (0, 1, -700, 12345678):
        sharp = Decimals(bits + 100).context.exp(x)
        assert abs(numbers.exp(numbers(x)) - sharp) <= abs(sharp) * numbers.context.mpf(2) ** (1 - bits)
    assert 0 < numbers.exp(numbers(-1e308)) < 1e-300
    assert numbers.exp(numbers(-np.inf)) == 0
