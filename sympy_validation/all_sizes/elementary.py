"""The functions of Python's ``math`` and of NumPy, of hyper-parameters and sizes: each by the rules of the operation of its name."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Protocol

from sympy_validation.all_sizes import powers
from sympy_validation.all_sizes.products import multiply
from sympy_validation.all_sizes.symbols import ARCTAN, NORMAL_CDF, Function
from sympy_validation.all_sizes.terms import ONE, Polynomial, constant


class Domain(Protocol):
    """Where a function has a value is recorded."""

    def nonzero(self, P: Polynomial) -> None:
        """P != 0."""

    def positive(self, P: Polynomial) -> None:
        """P > 0."""


Elementary = Callable[[Polynomial, Domain], Polynomial]


def _log(P: Polynomial, domain: Domain) -> Polynomial:
    domain.positive(P)
    return powers.logarithm(P)


def _sqrt(P: Polynomial, domain: Domain) -> Polynomial:
    if not P.terms:
        return P
    domain.positive(P)
    return powers.power(P, Fraction(1, 2))


def _over(P: Polynomial, Q: Polynomial, domain: Domain) -> Polynomial:
    domain.nonzero(Q)
    return multiply(P, powers.power(Q, -1))


def _sinh(P: Polynomial, _: Domain) -> Polynomial:
    return (powers.exponential(P) - powers.exponential(-P)).times(Fraction(1, 2))


def _cosh(P: Polynomial, _: Domain) -> Polynomial:
    return (powers.exponential(P) + powers.exponential(-P)).times(Fraction(1, 2))


def _erf(P: Polynomial, _: Domain) -> Polynomial:
    """2 Φ(√2 x) - 1."""
    return powers.apply(NORMAL_CDF, multiply(powers.power(constant(2), Fraction(1, 2)), P)).times(2) - ONE


def _abs(P: Polynomial, _: Domain) -> Polynomial:
    return P - multiply(powers.indicator(P), P).times(2)


def _opaque(function: Function) -> Elementary:
    """A function of which nothing is used but that it has a value everywhere, and the same one for the same argument."""
    return lambda P, _: powers.apply(function, P)


ELEMENTARY: dict[str, Elementary] = {
    "exp": lambda P, _: powers.exponential(P),
    "exp2": lambda P, domain: powers.exponential(multiply(P, _log(constant(2), domain))),
    "expm1": lambda P, _: powers.exponential(P) - ONE,
    "log": _log,
    "log1p": lambda P, domain: _log(ONE + P, domain),
    "log2": lambda P, domain: _over(_log(P, domain), _log(constant(2), domain), domain),
    "log10": lambda P, domain: _over(_log(P, domain), _log(constant(10), domain), domain),
    "sqrt": _sqrt,
    "tanh": lambda P, domain: _over(_sinh(P, domain), _cosh(P, domain), domain),
    "sinh": _sinh,
    "cosh": _cosh,
    "erf": _erf,
    "erfc": lambda P, domain: ONE - _erf(P, domain),
    "atan": _opaque(ARCTAN),
    "arctan": _opaque(ARCTAN),
    "fabs": _abs,
    "absolute": _abs,
    "negative": lambda P, _: -P,
    "square": lambda P, _: multiply(P, P),
    "reciprocal": lambda P, domain: _over(ONE, P, domain),
    **{name: _opaque(Function(f"math.{name}")) for name in ("sin", "cos", "cbrt", "asinh", "radians", "degrees")},
}
"""By the name that the function has there. What has values for some arguments only, and no rules here, is missing: tan, acos, ..."""
