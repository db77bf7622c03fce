"""The reference interpreter: exact numbers with their derivatives, written apart from the prover."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import floor
from typing import Any

from mpmath import iv, mp

from nerva_core.interpreters.memberwise import MemberwiseOps


class Undecided(ArithmeticError):  # noqa: N818
    """An interval is too wide to decide a comparison or holds points where a function is not defined."""


class Intervals:
    """Rigorous enclosures of real numbers: if 0 is not in the difference, the numbers are different."""

    ties = False
    """Whether numbers that are known exactly may be found equal: there functions have values, but not all have derivatives."""

    @cache  # noqa: B019
    def constant(self, c: Fraction) -> Any:
        c = Fraction(c)
        return iv.mpf(c.numerator) / c.denominator

    def exp(self, x: Any) -> Any:
        if x.b > 50:
            raise Undecided("too large")
        return iv.exp(x)

    def log(self, x: Any) -> Any:
        if not x.a > 0:
            raise Undecided("the logarithm of something that may be negative")
        return iv.log(x)

    def power(self, x: Any, exponent: Fraction) -> Any:
        if exponent.denominator > 1:
            return iv.exp(self.log(x) * self.constant(exponent))
        if exponent < 0 and x.a <= 0 <= x.b:
            raise Undecided("division by something that may be 0")
        return x ** int(exponent) if exponent >= 0 else 1 / x ** int(-exponent)

    def less(self, x: Any, y: Any) -> bool:
        difference = x - y
        if self.ties and difference.a == 0 == difference.b:
            return False  # the numbers are equal
        if difference.a <= 0 <= difference.b:
            raise Undecided("a comparison")
        return bool(difference.b < 0)

    def arctan(self, x: Any) -> Any:
        error = mp.mpf(2) ** -100
        return iv.mpf([mp.atan(mp.mpf(x.a)) - error, mp.atan(mp.mpf(x.b)) + error])

    def normal_cdf(self, x: Any) -> Any:
        error = mp.mpf(2) ** -100
        return iv.mpf([mp.ncdf(mp.mpf(x.a)) - error, mp.ncdf(mp.mpf(x.b)) + error])

    def normal_pdf(self, x: Any) -> Any:
        return iv.exp(-x * x / 2) / iv.sqrt(2 * iv.pi)

    def floor(self, x: Any) -> int:
        low, high = floor(mp.mpf(x.a)), floor(mp.mpf(x.b))
        if low != high:
            raise Undecided("a jump")
        return low


INTERVALS = Intervals()


@dataclass(frozen=True)
class Dual:
    """value + slope ε with ε² = 0."""

    value: Any
    slope: Any

    def __add__(self, other: Dual) -> Dual:
        return Dual(self.value + other.value, self.slope + other.slope)

    def __mul__(self, other: Dual) -> Dual:
        return Dual(self.value * other.value, self.value * other.slope + self.slope * other.value)

    def __neg__(self) -> Dual:
        return Dual(-self.value, -self.slope)


class Functions:
    """What the unknown functions are at the point of the test: f is a cubic, alpha a step function."""

    @staticmethod
    def f(order: int, x: Any) -> Any:
        coefficients = [Fraction(-3, 7), Fraction(5, 4), Fraction(-2, 3), Fraction(1, 5)]
        for _ in range(order):
            coefficients = [k * c for k, c in enumerate(coefficients)][1:]
        result = INTERVALS.constant(0)
        for c in reversed(coefficients):
            result = result * x + INTERVALS.constant(c)
        return result

    @staticmethod
    def alpha(order: int, x: Any) -> Any:
        return INTERVALS.constant(0 if order else Fraction(random.Random(INTERVALS.floor(3 * x)).randint(-9, 9), 7))


FUNCTIONS: dict[str, Callable[[int, Any], Any]] = {"f": Functions.f, "alpha": Functions.alpha}


class Numbers:
    """A matrix of dual numbers."""

    def __init__(self, elements: list[list[Dual]]) -> None:
        self.elements = elements
        self.shape = len(elements), len(elements[0])

    def map(self, f: Callable[[Dual], Dual]) -> Numbers:
        return Numbers([[f(x) for x in row] for row in self.elements])

    def zip(self, other: Numbers, f: Callable[[Dual, Dual], Dual]) -> Numbers:
        assert self.shape == other.shape
        return Numbers([[f(x, y) for x, y in zip(a, b, strict=True)] for a, b in zip(self.elements, other.elements, strict=True)])

    def __add__(self, other: Numbers) -> Numbers:
        return self.zip(other, lambda x, y: x + y)

    def __sub__(self, other: Numbers) -> Numbers:
        return self.zip(other, lambda x, y: x + -y)

    def __neg__(self) -> Numbers:
        return self.map(lambda x: -x)

    def __rmul__(self, c: int) -> Numbers:
        return self.map(lambda x: number(c) * x)

    def __truediv__(self, c: int) -> Numbers:
        return Fraction(1, c) * self

    def __matmul__(self, other: Numbers) -> Numbers:
        m, n, k = self.shape[0], other.shape[1], other.shape[0]
        assert self.shape[1] == k
        return Numbers([[total([self.elements[i][a] * other.elements[a][j] for a in range(k)]) for j in range(n)] for i in range(m)])


def number(c: Any) -> Dual:
    return Dual(INTERVALS.constant(c), INTERVALS.constant(0))


def total(summands: list[Dual]) -> Dual:
    result = number(0)
    for summand in summands:
        result = result + summand
    return result


class NumberOps(MemberwiseOps[Numbers]):
    """The primitives on dual numbers; everything else by its definition."""

    def shape(self, X: Numbers) -> tuple[int, int]:
        return self.of_first(X).shape

    def full(self, c: Any, m: int, n: int) -> Numbers:
        return Numbers([[number(c)] * n for _ in range(m)])

    def identity(self, n: int) -> Numbers:
        return Numbers([[number(int(i == j)) for j in range(n)] for i in range(n)])

    def constant(self, rows: Any) -> Numbers:
        return Numbers([[number(c) for c in row] for row in rows])

    def transpose(self, X: Numbers) -> Numbers:
        return Numbers([list(column) for column in zip(*X.elements, strict=True)])

    def hadamard(self, X: Numbers, Y: Numbers) -> Numbers:
        return X.zip(Y, lambda x, y: x * y)

    def diag(self, X: Numbers) -> Numbers:
        return Numbers([[row[i]] for i, row in enumerate(X.elements)])

    def Diag(self, x: Numbers) -> Numbers:
        entries = [entry for row in x.elements for entry in row]
        return Numbers([[entry if i == j else number(0) for j in range(len(entries))] for i, entry in enumerate(entries)])

    def rows_max(self, X: Numbers) -> Numbers:
        def largest(row: list[Dual]) -> Dual:
            best = row[0]
            for x in row[1:]:
                best = x if INTERVALS.less(best.value, x.value) else best
            return best

        return Numbers([[largest(row)] for row in X.elements])

    def reshape(self, X: Numbers, m: int, n: int) -> Numbers:
        entries = [entry for row in X.elements for entry in row]
        return Numbers([entries[i * n : (i + 1) * n] for i in range(m)])

    def take_columns(self, X: Numbers, columns: Any) -> Numbers:
        return Numbers([[row[j] for j in columns] for row in X.elements])

    def join_columns(self, X: Numbers, Y: Numbers) -> Numbers:
        return Numbers([a + b for a, b in zip(X.elements, Y.elements, strict=True)])

    def exp(self, X: Numbers) -> Numbers:
        return X.map(lambda x: Dual(y := INTERVALS.exp(x.value), y * x.slope))

    def log(self, X: Numbers) -> Numbers:
        return X.map(lambda x: Dual(INTERVALS.log(x.value), x.slope / x.value))

    def reciprocal(self, X: Numbers) -> Numbers:
        return X.map(lambda x: Dual(y := INTERVALS.power(x.value, Fraction(-1)), -y * y * x.slope))

    def sqrt(self, X: Numbers) -> Numbers:
        return X.map(lambda x: Dual(y := INTERVALS.power(x.value, Fraction(1, 2)), x.slope / (2 * y)))

    def arctan(self, X: Numbers) -> Numbers:
        return X.map(lambda x: Dual(INTERVALS.arctan(x.value), x.slope * INTERVALS.power(1 + x.value * x.value, Fraction(-1))))

    def normal_cdf(self, X: Numbers) -> Numbers:
        return X.map(lambda x: Dual(INTERVALS.normal_cdf(x.value), INTERVALS.normal_pdf(x.value) * x.slope))

    def normal_pdf(self, X: Numbers) -> Numbers:
        return X.map(lambda x: Dual(y := INTERVALS.normal_pdf(x.value), -x.value * y * x.slope))

    def less(self, X: Numbers, Y: Numbers) -> Numbers:
        return X.zip(Y, lambda x, y: number(int(x is not y and INTERVALS.less(x.value, y.value))))

    def unknown(self, function: Any, X: Numbers, order: int = 0) -> Numbers:
        f = FUNCTIONS[function.name]
        return X.map(lambda x: Dual(f(order, x.value), f(order + 1, x.value) * x.slope))
