"""Polynomials in named sizes: what is counted for all N, D, K at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, Union

from nerva_core.algebra.errors import NervaError

Monomial: TypeAlias = tuple[tuple[str, int], ...]
"""Sizes with their exponents, sorted; the empty one is 1."""

Count: TypeAlias = Union["Polynomial", int]

SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
ORDER = "NDK"
"""The sizes that come first, in this order: a batch has N rows, D columns before a layer and K after it."""


def _order(name: str) -> tuple[int, str]:
    return (ORDER.index(name) if name in ORDER else len(ORDER), name)


@dataclass(frozen=True, eq=False)
class Polynomial:
    """A sum of integer multiples of monomials. Equal to a number if it is that constant."""

    terms: tuple[tuple[Monomial, int], ...]

    @staticmethod
    def of(value: Count) -> Polynomial:
        """A number as a polynomial."""
        return value if isinstance(value, Polynomial) else _collected([((), value)])

    def __add__(self, other: Count) -> Polynomial:
        if not isinstance(other, (Polynomial, int)):
            return NotImplemented
        return _collected([*self.terms, *Polynomial.of(other).terms])

    def __mul__(self, other: Count) -> Polynomial:
        if not isinstance(other, (Polynomial, int)):
            return NotImplemented
        return _collected([(_times(m, n), c * d) for m, c in self.terms for n, d in Polynomial.of(other).terms])

    def __neg__(self) -> Polynomial:
        return self * -1

    def __sub__(self, other: Count) -> Polynomial:
        return self + -Polynomial.of(other)

    def __rsub__(self, other: Count) -> Polynomial:
        return -self + other

    def __radd__(self, other: Count) -> Polynomial:
        return self + other

    def __rmul__(self, other: Count) -> Polynomial:
        return self * other

    def __floordiv__(self, other: Count) -> Polynomial:
        """The quotient; NervaError unless the other is one product of sizes that divides every term."""
        if not isinstance(other, (Polynomial, int)):
            return NotImplemented
        divisor = Polynomial.of(other)
        if len(divisor.terms) != 1:
            raise NervaError(f"{self} is not divided by {other}: only by a product of sizes")
        ((factors, number),) = divisor.terms
        inverse = tuple((name, -exponent) for name, exponent in factors)
        terms = [(_times(monomial, inverse), coefficient) for monomial, coefficient in self.terms]
        if any(exponent < 0 for monomial, _ in terms for _, exponent in monomial) or any(c % number for _, c in terms):
            raise NervaError(f"{self} is not a multiple of {other}")
        return _collected([(monomial, coefficient // number) for monomial, coefficient in terms])

    def __rfloordiv__(self, other: Count) -> Polynomial:
        return Polynomial.of(other) // self

    def __truediv__(self, other: object) -> Polynomial:
        raise NervaError(f"the size {self} is not a number: use it in ops.scale(size, X) and ops.divide(X, size)")

    def __rtruediv__(self, other: object) -> Polynomial:
        return self / other

    def __eq__(self, other: object) -> bool:
        return isinstance(other, (Polynomial, int)) and self.terms == Polynomial.of(other).terms

    def __hash__(self) -> int:
        constant = self.terms[0][1] if self.terms else 0
        return hash(self.terms) if self.terms and self.terms[0][0] else hash(constant)

    def __call__(self, **sizes: int) -> int:
        """The value for given sizes: ``(4 * N * D)(N=2, D=3) == 24``."""
        total = 0
        for monomial, coefficient in self.terms:
            for name, exponent in monomial:
                coefficient *= sizes[name] ** exponent
            total += coefficient
        return total

    def __str__(self) -> str:
        text = ""
        for monomial, coefficient in self.terms:
            sign = " - " if coefficient < 0 else " + "
            factors = "".join(name + (str(exponent).translate(SUPERSCRIPTS) if exponent > 1 else "") for name, exponent in monomial)
            number = str(abs(coefficient)) if abs(coefficient) != 1 or not factors else ""
            text += sign + number + factors
        return text.removeprefix(" + ").replace(" - ", "-", 1) if text.startswith(" - ") else text.removeprefix(" + ") or "0"

    __repr__ = __str__


def size(name: str) -> Polynomial:
    """The size called ``name``."""
    return Polynomial(((((name, 1),), 1),))


def _times(one: Monomial, other: Monomial) -> Monomial:
    exponents = dict(one)
    for name, exponent in other:
        exponents[name] = exponents.get(name, 0) + exponent
    return tuple(sorted(((name, e) for name, e in exponents.items() if e), key=lambda factor: _order(factor[0])))


def _collected(terms: list[tuple[Monomial, int]]) -> Polynomial:
    total: dict[Monomial, int] = {}
    for monomial, coefficient in terms:
        total[monomial] = total.get(monomial, 0) + coefficient
    kept = [(monomial, coefficient) for monomial, coefficient in total.items() if coefficient]
    return Polynomial(tuple(sorted(kept, key=lambda term: _degree_first(term[0]))))


def _degree_first(monomial: Monomial) -> tuple[int, list[tuple[tuple[int, str], int]]]:
    return (-sum(exponent for _, exponent in monomial), [(_order(name), -exponent) for name, exponent in monomial])
