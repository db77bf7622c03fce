"""One element of a normal form at a point, as an exact number."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from sympy_validation.all_sizes import sums
from sympy_validation.all_sizes.evaluate import evaluate
from sympy_validation.all_sizes.matrices import SymbolicMatrix
from sympy_validation.all_sizes.scalars import Conditions
from sympy_validation.all_sizes.symbols import Index
from sympy_validation.all_sizes.terms import Polynomial, Sum
from sympy_validation.all_sizes.text import inner_atoms
from sympy_validation.foreign.values import FloatPoint
from sympy_validation.spaces.numbers import IV, Interval, Real, RealDomain, Undecided, sign

COSTLY = 60_000
"""The number of products up to which an element is computed exactly."""


class ExactDomain:
    """Rationals, and intervals of sixty digits."""

    def __init__(self) -> None:
        self.real = RealDomain()

    def constant(self, c: Fraction) -> Real:
        """A rational number."""
        return c

    def power(self, x: Real, exponent: Fraction) -> Real:
        """x to a rational power."""
        if exponent.denominator == 1:
            n = exponent.numerator
            if n >= 0:
                return x**n
            if sign(x) == 0:
                raise Undecided("a division by 0")
            return 1 / x**-n
        if exponent.denominator == 2:
            root: Real = self.power(self.real.sqrt(x), Fraction(exponent.numerator))
            return root
        return self.real.exp(exponent * self.real.log(x))

    def exp(self, x: Real) -> Real:
        """e^x."""
        return self.real.exp(x)

    def log(self, x: Real) -> Real:
        """The natural logarithm."""
        return self.real.log(x)

    def less(self, x: Real, y: Real) -> bool:
        """x < y."""
        return bool(self.real.less(x, y))

    def arctan(self, x: Real) -> Real:
        """arctan x."""
        return self.real.arctan(x)

    def normal_cdf(self, x: Real) -> Real:
        """Φ(x)."""
        return self.real.normal_cdf(x)

    def normal_pdf(self, x: Real) -> Real:
        """φ(x)."""
        return self.real.normal_pdf(x)


class _Numbers(dict[str, int]):
    """The numbers of sizes, sums of sizes included."""

    def __init__(self, point: FloatPoint) -> None:
        super().__init__(point.sizes)
        self.point = point

    def __missing__(self, name: str) -> int:
        return self.point.size(self.point.run.sums[name])


def _sine(order: int, x: Real) -> Real:
    y = Interval.of(x).x
    return Interval((IV.sin(y), IV.cos(y), -IV.sin(y), -IV.cos(y))[order % 4])


def cost(P: Polynomial, point: FloatPoint) -> int:
    """A bound of the number of products that an element takes."""
    total = len(P.terms)
    for atom in inner_atoms(P):
        if isinstance(atom, Sum):
            total += math.prod(point.size(i.size) for i in atom.indices) * len(atom.body)
    return total


def element(P: Polynomial, indices: Sequence[Index], numbers: Sequence[int], point: FloatPoint) -> Real | None:
    """The element at these numbers; None if that takes too long, or if it has no value there."""
    if cost(P, point) ** 1.5 > COSTLY:
        return None
    at = {i: Index(f"#{k}", i.size) for i, k in zip(indices, numbers, strict=True)}
    A = SymbolicMatrix(1, 1, sums.substitute(P, at), Conditions())
    values: dict[str, Any] = {name: [[Fraction(float(x))] for x in array.ravel()] for name, array in point.inputs.items()}
    values |= {name: array.tolist() for name, array in point.tables.items()}
    values |= {"π": Interval(IV.pi), "∞": Fraction(10**30)}
    try:
        value: Real = evaluate(A, _Numbers(point), _with_maps(values, point, A.entry), {"sin": _sine}, domain=ExactDomain())[0][0]
        return value
    except (ArithmeticError, KeyError, ValueError, OverflowError):
        return None


def _with_maps(values: dict[str, Any], point: FloatPoint, P: Polynomial) -> Mapping[str, Any]:
    from sympy_validation.all_sizes.terms import Entry

    for atom in inner_atoms(P):
        if isinstance(atom, Entry) and atom.variable.name in point.run.fixed and atom.variable.name not in values:
            rows, columns = point.size_of(atom.variable.rows), point.size_of(atom.variable.columns)
            matrix = np.asarray(point.run.fixed[atom.variable.name](point.size, rows, columns)).reshape(rows, columns)
            values[atom.variable.name] = [[Fraction(float(x)) for x in row] for row in matrix]
    return values
