"""Exact derivatives, by forward mode: numbers with their partial derivatives with respect to the elements of the variables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from nerva_core.algebra.matrix_ops import Scalar
from sympy_validation.spaces.grids import Domain
from sympy_validation.spaces.numbers import Interval, OutsideDomain, Real, RealDomain, Undecided, is_exact_zero, sign, square


class Dual:
    """A real number with its partial derivatives, of which those that are not listed are 0."""

    __slots__ = ("partials", "value")

    def __init__(self, value: Real, partials: dict[Any, Real] | None = None) -> None:
        self.value = value
        self.partials = partials or {}

    def chain(self, value: Real, slope: Real) -> Dual:
        """f(self), given f and f' there."""
        return Dual(value, {key: slope * d for key, d in self.partials.items()})

    def __add__(self, other: Any) -> Any:
        return _combine(self, other, lambda x, y: x + y, lambda x, y: (1, 1))

    def __sub__(self, other: Any) -> Any:
        return _combine(self, other, lambda x, y: x - y, lambda x, y: (1, -1))

    def __mul__(self, other: Any) -> Any:
        return _combine(self, other, lambda x, y: x * y, lambda x, y: (y, x))

    def __truediv__(self, other: Any) -> Any:
        def quotient(x: Real, y: Real) -> Real:
            if isinstance(y, Fraction) and y == 0:
                raise OutsideDomain("division by 0")
            return x / y

        return _combine(self, other, quotient, lambda x, y: (1 / y, -quotient(quotient(x, y), y)))

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __rtruediv__(self, other: Any) -> Any:
        return Dual(Fraction(other)) / self

    __radd__ = __add__
    __rmul__ = __mul__

    def __neg__(self) -> Dual:
        return self.chain(-self.value, Fraction(-1))


def _combine(a: Dual, b: Any, f: Callable[[Any, Any], Any], slopes: Callable[[Any, Any], tuple[Any, Any]]) -> Any:
    if isinstance(b, (int, Fraction, Interval)):
        b = Dual(b if isinstance(b, Interval) else Fraction(b))
    if not isinstance(b, Dual):
        return NotImplemented
    value = f(a.value, b.value)
    if not a.partials and not b.partials:
        return Dual(value)
    by_a, by_b = slopes(a.value, b.value)
    partials = {key: by_a * d for key, d in a.partials.items()}
    for key, d in b.partials.items():
        partials[key] = partials[key] + by_b * d if key in partials else by_b * d
    return Dual(value, partials)


class DualDomain(Domain):
    """Real numbers with their derivatives. Comparisons have derivative 0: a statement holds off the kinks."""

    def __init__(self) -> None:
        self.real = RealDomain()

    def number(self, c: Scalar) -> Dual:
        return c if isinstance(c, Dual) else Dual(self.real.number(c))

    def constant(self, x: Dual) -> Dual:
        return Dual(x.value)

    def exp(self, x: Dual) -> Dual:
        value = self.real.exp(x.value)
        return x.chain(value, value)

    def log(self, x: Dual) -> Dual:
        return x.chain(self.real.log(x.value), 1 / x.value)

    def sqrt(self, x: Dual) -> Dual:
        root = self.real.sqrt(x.value)
        if not x.partials:
            return Dual(root)
        if sign(root) == 0:
            raise Undecided("derivative of the root at 0")
        return x.chain(root, 1 / (2 * root))

    def arctan(self, x: Dual) -> Dual:
        return x.chain(self.real.arctan(x.value), 1 / (1 + square(x.value)))

    def normal_cdf(self, x: Dual) -> Dual:
        return x.chain(self.real.normal_cdf(x.value), self.real.normal_pdf(x.value))

    def normal_pdf(self, x: Dual) -> Dual:
        value = self.real.normal_pdf(x.value)
        return x.chain(value, -x.value * value)

    def less(self, x: Dual, y: Dual) -> Dual:
        difference = x - y
        if sign(difference.value) == 0 and any(not is_exact_zero(d) for d in difference.partials.values()):
            raise Undecided("a point at a kink")
        return Dual(Fraction(int(sign(difference.value) < 0)))

    def maximum(self, row: Sequence[Dual]) -> Dual:
        """The largest of the elements. At a tie between elements with different derivatives it has none."""
        largest = row[0]
        for x in row[1:]:
            if sign(largest.value - x.value) < 0:
                largest = x
        for x in row:
            if x is not largest and sign(largest.value - x.value) == 0:
                self.less(x, largest)
        return largest

    def quotient(self, x: Dual, y: Dual) -> Dual:
        """x / y, and 0 for x = 0 (``MatrixOps.quotient``); there it has no derivative unless x is 0 nearby too."""
        if not (is_exact_zero(x.value) and is_exact_zero(y.value)):
            result: Dual = x / y
            return result
        if any(not is_exact_zero(d) for d in (x.partials | y.partials).values()):
            raise Undecided("a quotient of numbers that are both 0")
        return Dual(Fraction(0))

    def unknown(self, name: str, order: int, x: Dual) -> Dual:
        return x.chain(self.real.unknown(name, order, x.value), self.real.unknown(name, order + 1, x.value))
