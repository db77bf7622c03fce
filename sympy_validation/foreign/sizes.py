"""Sizes as a user's code computes with them: products, sums such as T + 2, and quotients by factors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import inf, prod
from typing import Any, ClassVar, TypeAlias

from sympy_validation.all_sizes.products import multiply
from sympy_validation.all_sizes.symbols import Size
from sympy_validation.all_sizes.terms import ONE, Polynomial, combination, count_of
from sympy_validation.foreign.errors import NotCaptured, SizeNeeded

Factor: TypeAlias = Any
"""A size or an int above 1."""
Factors: TypeAlias = tuple[Factor, ...]
"""An axis: its length is the product, and it is numbered such that the last factor changes first."""
Form: TypeAlias = dict[tuple[Size, ...], int]
"""A polynomial in sizes: products of sizes with their coefficients."""


@dataclass(frozen=True)
class SumSize(Size):
    """A size that is a sum, such as T + 2 or A + B."""

    terms: tuple[tuple[tuple[Size, ...], int], ...]


@dataclass(frozen=True)
class FloorSize(Size):
    """A size that is a rounded quotient, such as (T - 1) // 2; it may be 0."""

    terms: tuple[tuple[tuple[Size, ...], int], ...]
    divisor: int


def form_of(factors: Iterable[Factor]) -> Form:
    """The product of the factors as a polynomial."""
    result: Form = {(): 1}
    for factor in factors:
        terms: Form = (
            dict(factor.terms) if isinstance(factor, SumSize) else {(factor,): 1} if isinstance(factor, Size) else {(): int(factor)}
        )
        total: Counter[tuple[Size, ...]] = Counter()
        for m, c in result.items():
            for n, d in terms.items():
                total[tuple(sorted((*m, *n), key=str))] += c * d
        result = dict(total)
    return {m: c for m, c in result.items() if c}


def factors_of_form(form: Form) -> Factors | int:
    """The axis of this length; an int for a constant."""
    form = {m: c for m, c in form.items() if c}
    if form.keys() <= {()}:
        return form.get((), 0)
    if len(form) == 1:
        ((m, c),) = form.items()
        if c > 0:
            return (c, *m) if c > 1 else m
    return (sum_size(form),)


def sum_size(form: Form) -> SumSize:
    """The sum as a size of its own."""
    ordered = sorted(form.items(), key=lambda term: (not term[0], [str(size) for size in term[0]]))
    name = ""
    for m, c in ordered:
        letters = "·".join(map(str, m))
        number = str(abs(c)) if abs(c) != 1 or not m else ""
        name += ("-" if c < 0 else "+" * bool(name)) + "·".join(filter(None, (number, letters)))
    return SumSize(name, tuple(ordered))


def merged(factors: Iterable[Factor]) -> Factors:
    """Factors without 1, and with one int in the place of several neighbours."""
    result: list[Factor] = []
    for factor in factors:
        if isinstance(factor, int) and result and isinstance(result[-1], int):
            result[-1] *= factor
        elif not (isinstance(factor, int) and factor == 1):
            result.append(factor)
    return tuple(result)


def count(factors: Iterable[Factor]) -> Polynomial:
    """The length of an axis, as a number of the prover."""
    return combination((multiply(ONE, *(count_of(size) for size in m)), c) for m, c in form_of(factors).items())


class Dim:
    """A size in the hands of a user's code, which can compute with it but not decide by it."""

    _tensor: ClassVar[Callable[[Any], Any]]

    def __init__(self, factors: Iterable[Factor]) -> None:
        self.factors = merged(factors)

    @property
    def form(self) -> Form:
        """The size as a polynomial."""
        return form_of(self.factors)

    def names(self) -> list[str]:
        """The sizes of which it is made."""
        return sorted({name for m in self.form for size in m for name in letters_of(size)})

    @property
    def is_rounded(self) -> bool:
        """Whether a rounded quotient is a part of it."""
        return any(isinstance(size, FloorSize) for m in self.form for size in m)

    def _needed(self, what: str) -> SizeNeeded:
        return SizeNeeded(self.names(), f"{what} {self}")

    def __repr__(self) -> str:
        return "·".join(f"({f})" if isinstance(f, SumSize) and len(self.factors) > 1 else str(f) for f in self.factors)

    def __hash__(self) -> int:
        return hash(frozenset(self.form.items()))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (Dim, int)):
            return NotImplemented
        difference = _difference(self, other)
        if difference and (self.is_rounded or dim(other).is_rounded):
            raise SizeNeeded({*self.names(), *dim(other).names()}, f"a comparison of the sizes {self} and {other}")
        if (difference and all(c > 0 for c in difference.values())) or (difference and all(c < 0 for c in difference.values())):
            return False
        if difference and isinstance(other, int):
            raise self._needed(f"a comparison with {other} of the size")
        return not difference

    def __lt__(self, other: Any) -> bool:
        low = _least(_difference(other, self))
        if low is not None and low > 0:
            return True
        low = _least(_difference(self, other))
        if low is not None and low >= 0:
            return False
        raise SizeNeeded({*self.names(), *dim(other).names()}, f"a comparison of the sizes {self} and {other}")

    def __ge__(self, other: Any) -> bool:
        return not self < other

    def __gt__(self, other: Any) -> bool:
        return dim(other) < self

    def __le__(self, other: Any) -> bool:
        return not dim(other) < self

    def __index__(self) -> int:
        raise self._needed("a loop over, or an element or a list by, the size")

    __int__ = __index__

    def __float__(self) -> float:
        raise self._needed("a float of the size")

    def __bool__(self) -> bool:
        return True

    def _sum(self, other: Any, sign: int) -> Any:
        if not isinstance(other, (Dim, int)):
            return NotImplemented
        total = Counter(self.form)
        for m, c in form_of(dim(other).factors).items() if not isinstance(other, int) else {(): other}.items():
            total[m] += sign * c
        found = factors_of_form(dict(total))
        return found if isinstance(found, int) else Dim(found)

    def __add__(self, other: Any) -> Any:
        found = self._sum(other, 1)
        return self.number + other if found is NotImplemented else found

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        found = self._sum(other, -1)
        return self.number - other if found is NotImplemented else found

    def __rsub__(self, other: Any) -> Any:
        return other - self.number

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, (Dim, int)) and not isinstance(other, bool) and not (isinstance(other, int) and other < 1):
            return Dim((*self.factors, *dim(other).factors))
        return 0 if isinstance(other, int) and other == 0 else self.number * other

    def __rmul__(self, other: Any) -> Any:
        if isinstance(other, int) and other > 0:
            return Dim((other, *self.factors))
        return self * other

    def __floordiv__(self, other: Any) -> Any:
        rest = _without(list(self.factors), list(dim(other).factors))
        if rest is not None:
            return undim(rest)
        if isinstance(other, int) and (len(self.form) > 1 or self.is_rounded):
            return rounded_quotient(self.form, other)
        if isinstance(other, Dim):
            raise NotCaptured(f"{self} // {other}: state the size as a product, ({other} A) in the place of {self}")
        raise SizeNeeded(self.names(), f"{self} // {other}: state the size as a product, ({other} A) in the place of {self}")

    def __mod__(self, other: Any) -> int:
        if isinstance(self // other, Dim) and (self // other).is_rounded:
            raise self._needed(f"a remainder by {other} of the size")
        return 0

    def __rfloordiv__(self, other: Any) -> Any:
        raise self._needed("a quotient by the size")

    @classmethod
    def is_made_a_tensor_by(cls, make: Callable[[Any], Any]) -> None:
        """Say how a size becomes a tensor without axes, which the module of tensors knows."""
        cls._tensor = make

    @property
    def number(self) -> Any:
        """The size as a number in a formula."""
        return Dim._tensor(self)

    def __truediv__(self, other: Any) -> Any:
        return self.number / other

    def __rtruediv__(self, other: Any) -> Any:
        return other / self.number

    def __pow__(self, e: Any) -> Any:
        return self.number**e

    def __neg__(self) -> Any:
        return -self.number

    def sqrt(self) -> Any:
        """Its root."""
        return self.number.sqrt()

    def item(self) -> Dim:
        """Itself, as a number of PyTorch has it."""
        return self


def _difference(a: Any, b: Any) -> Form:
    found = Counter(form_of(dim(a).factors) if not isinstance(a, int) else {(): a})
    for m, c in (form_of(dim(b).factors) if not isinstance(b, int) else {(): b}).items():
        found[m] -= c
    return {m: c for m, c in found.items() if c}


def as_one(n: Any) -> Factors:
    """The axis of this length that is numbered as a whole."""
    factors = dim(n).factors
    return (sum_size(dim(n).form),) if len(factors) > 1 else factors


def letters_of(size: Size) -> set[str]:
    """The names of the sizes of which a size is made."""
    if isinstance(size, (SumSize, FloorSize)):
        return {name for m, _ in size.terms for part in m for name in letters_of(part)}
    return {str(size)}


def rounded_quotient(form: Form, n: int) -> Any:
    """A sum over a number; what of it can be divided is, so that (2T + 3) // 2 is T + 1."""
    whole = {m: c // n for m, c in form.items() if not m or c % n == 0}
    rest = {m: c for m, c in form.items() if m and c % n} | ({(): form[()] % n} if form.get((), 0) % n else {})
    if any(rest):
        terms = sum_size(rest).terms
        whole[(FloorSize(f"({sum_size(rest).name})//{n}", terms, n),)] = 1
    found = factors_of_form(whole)
    return found if isinstance(found, int) else Dim(found)


def _least(form: Form) -> int | None:
    """A lower bound, since sizes are at least 1, and rounded quotients at least 0; none where a term is negative."""
    if any(c < 0 for m, c in form.items() if m):
        return None
    return sum(c for m, c in form.items() if not any(isinstance(size, FloorSize) for size in m))


def _without(whole: list[Factor], part: list[Factor]) -> list[Factor] | None:
    for factor in part:
        if factor in whole:
            whole.remove(factor)
            continue
        at = next((k for k, f in enumerate(whole) if isinstance(f, int) and isinstance(factor, int) and f % factor == 0), None)
        if at is None:
            return None
        whole[at] //= factor
    return whole


def least_of(n: Any) -> float:
    """The least value of a size or a number; -∞ where a size is taken away."""
    low = n if isinstance(n, int) else _least(_above(dim(n).form))
    return -inf if low is None else low


def _above(form: Form) -> Form:
    """A form that is not larger: -n (a // n) is at least -a."""
    found: Counter[tuple[Size, ...]] = Counter()
    for m, c in form.items():
        if c < 0 and len(m) == 1 and isinstance(m[0], FloorSize) and c % m[0].divisor == 0:
            for k, d in m[0].terms:
                found[k] += c // m[0].divisor * d
        else:
            found[m] += c
    return {m: c for m, c in found.items() if c}


def dim(value: Any) -> Dim:
    """A size of any kind."""
    if isinstance(value, Dim):
        return value
    if isinstance(value, Size):
        return Dim((value,))
    return Dim((int(value),))


def undim(factors: Iterable[Factor]) -> Any:
    """The size as the user's code has it: an int where it is one."""
    factors = merged(factors)
    return prod(factors) if all(isinstance(f, int) for f in factors) else Dim(factors)
