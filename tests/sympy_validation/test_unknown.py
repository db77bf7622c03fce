"""Of an unknown function the gradient is the derivative, and the second derivative that of the gradient, in every interpreter of proofs."""

from __future__ import annotations

from fractions import Fraction

from sympy_validation.all_sizes import AllSizesOps
from sympy_validation.spaces.grids import GridOps
from sympy_validation.spaces.numbers import RealDomain, cubic
from sympy_validation.unknown import UnknownActivation


def test_its_gradient_is_its_derivative_for_all_sizes() -> None:
    ops = AllSizesOps()
    X, f = ops.variable("X", ops.size("N"), ops.size("D")), ops.unknown_activation("f")
    for y, slope in ((f.value, f.gradient), (f.gradient, f.second_derivative)):
        assert ops.is_zero(ops.gradient(ops.elements_sum(y(ops, X)), X) - slope(ops, X))
        assert not ops.is_zero(ops.gradient(ops.elements_sum(y(ops, X)), X) - y(ops, X))


def test_at_a_point_it_is_a_cubic_polynomial() -> None:
    ops = GridOps(RealDomain())
    x, (a, b, c, d), f = Fraction(2, 3), cubic("f"), UnknownActivation("f")
    found = [g(ops, ops.constant([[x]])).elements[0][0] for g in (f.value, f.gradient, f.second_derivative)]
    assert found == [a + b * x + c * x**2 + d * x**3, b + 2 * c * x + 3 * d * x**2, 2 * c + 6 * d * x]
