"""Functions of hyper-parameters and sizes have the values of Python's, wherever these have one."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from sympy_validation.all_sizes import AllSizesOps, evaluate
from sympy_validation.all_sizes.elementary import ELEMENTARY
from sympy_validation.operands import ComparedError


class Floats:
    """Plain arithmetic."""

    exp, log, arctan = staticmethod(math.exp), staticmethod(math.log), staticmethod(math.atan)

    def constant(self, c: Fraction) -> float:
        return float(c)

    def power(self, x: float, exponent: Fraction) -> float:
        return x ** float(exponent)

    def less(self, x: float, y: float) -> bool:
        return x < y

    def normal_cdf(self, x: float) -> float:
        return math.erfc(-x / math.sqrt(2)) / 2

    def normal_pdf(self, x: float) -> float:
        return math.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def value(ops: AllSizesOps, c: Any, number: float) -> float:
    """The value of a scalar where the hyper-parameter c and the size D are this number."""
    functions = {f"math.{name}": lambda _, x, name=name: getattr(math, name)(x) for name in vars(math)}
    ((found,),) = evaluate(ops.full(c, 1, 1), {"D": int(number)}, {"c": number}, functions, domain=Floats())
    return found


def python(name: str) -> Any:
    return getattr(math, name, None) or getattr(np, name)


@pytest.mark.parametrize("name", ELEMENTARY)
@pytest.mark.parametrize("number", [-1.25, 0.75, 3.0])
def test_values(name: str, number: float) -> None:
    ops = AllSizesOps()
    c = ops.scalar("c").function(name)
    if number < 0 and name in ("sqrt", "log", "log1p", "log2", "log10"):
        assert any("> 0" in condition for condition in ops.conditions)
        return
    assert value(ops, c, number) == pytest.approx(float(python(name)(number)), rel=1e-12)


@pytest.mark.parametrize("name", sorted({"sqrt", "exp", "log", "tanh", "cos"}))
def test_of_a_size(name: str) -> None:
    ops = AllSizesOps()
    assert value(ops, ops.own_size("D").function(name), 5) == pytest.approx(python(name)(5))
    assert value(ops, getattr(np, name)(ops.own_size("D")), 5) == pytest.approx(python(name)(5))
    assert ops.conditions == ()


def test_what_is_not_equal_is_not_proved_equal() -> None:
    ops = AllSizesOps()
    c, d = ops.scalar("c"), ops.scalar("d")
    for a, b in ((np.cos(c), np.sin(c)), (np.cos(c), np.cos(d)), (np.sqrt(c * c), c), (np.log(c * c), 2 * np.log(c)), (abs(c), c)):
        assert not ops.is_zero(ops.full(a - b, 1, 1))
    for a, b in ((np.cos(2 * c), np.cos(c + c)), (np.exp(c + d), np.exp(c) * np.exp(d)), (abs(c) ** 2, c**2)):
        assert ops.is_zero(ops.full(a - b, 1, 1))


def test_a_function_that_is_not_known_is_refused() -> None:
    c = AllSizesOps().scalar("c")
    with pytest.raises(ComparedError, match="gamma of a hyper-parameter is not known to the prover; known are exp, "):
        c.function("gamma")
    with pytest.raises(ComparedError, match="floor of a hyper-parameter is not known"):
        np.floor(c)
