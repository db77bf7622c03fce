import numpy as np
import pytest

from sympy_validation.foreign.errors import NotCaptured
from tests.sympy_validation.foreign.points import agree, both


def test_operators() -> None:
    agree(lambda x, y: x * y - x / (2 + y * y) + 3 * x**2 - 1, "x: N D, y: D")
    agree(lambda x, y: (x < y) * x + (x >= 1) * y + (x == y) * 5, "x: N D, y: D")
    agree(lambda x, y: (x > -9) & ~(y > 9), "x: N D, y: N D")


def test_functions() -> None:
    agree(lambda x: x.exp() + x.tanh() + x.sin() * x.cos(), "x: N D", lambda x: np.exp(x) + np.tanh(x) + np.sin(x) * np.cos(x))
    agree(lambda x: x.log() + x.sqrt() + x**-1.5, "x > 0: N D", lambda x: np.log(x) + np.sqrt(x) + x**-1.5)


def test_where_and_minus_infinity() -> None:
    def masked(x, m):
        return m.where(x, -float("inf")).exp()

    agree(masked, "x: N D, m: N D bool", lambda x, m: np.exp(np.where(m, x, -np.inf)))


def test_values_decide_nothing() -> None:
    with pytest.raises(NotCaptured, match="decision"):
        both(lambda x: x if x > 0 else -x, "x: N D")
