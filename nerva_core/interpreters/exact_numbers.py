"""Numbers that keep as many digits as are asked for: of mpmath, rounded, or of python-flint, enclosed."""

from __future__ import annotations

import contextlib
import functools
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from nerva_core.algebra.numeric_backend import require

Number = Any
"""A number of a ``Numbers`` object; it has the operators +, -, *, /, ** and unary -."""


Dyadic = tuple[int, int]
"""m and e of the number m · 2^e."""


class UndeterminedError(ArithmeticError):
    """The precision does not suffice to decide a comparison or a rounding."""


class Numbers(ABC):
    """Real numbers, with a precision of ``bits`` binary digits. Where a function has no real value, its result is ``nan``."""

    extra: ClassVar[str]
    """The optional dependency of this project that installs the library."""

    def __init__(self, bits: int) -> None:
        self.bits = bits
        self.start()

    @abstractmethod
    def start(self) -> None:
        """Import the library and prepare the precision."""

    @abstractmethod
    def __call__(self, c: Any) -> Number:
        """The int or float c exactly; a number of this kind is returned as it is."""

    @abstractmethod
    def exp(self, x: Number) -> Number:
        """e^x."""

    @abstractmethod
    def log(self, x: Number) -> Number:
        """The natural logarithm."""

    @abstractmethod
    def sqrt(self, x: Number) -> Number:
        """√x."""

    @abstractmethod
    def arctan(self, x: Number) -> Number:
        """arctan x."""

    @abstractmethod
    def normal_cdf(self, x: Number) -> Number:
        """Φ(x)."""

    @abstractmethod
    def pi(self) -> Number:
        """π."""

    @abstractmethod
    def less(self, x: Number, y: Number) -> bool:
        """x < y; UndeterminedError if the precision does not suffice. False if one is nan."""

    @abstractmethod
    def is_zero(self, x: Number) -> bool:
        """Whether x is certainly 0."""

    @abstractmethod
    def bounds(self, x: Number) -> tuple[Dyadic, Dyadic] | None:
        """Numbers between which x lies; None for nan."""

    @contextlib.contextmanager
    def precision(self) -> Iterator[None]:
        """What is computed inside has the precision of this object."""
        yield

    def normal_pdf(self, x: Number) -> Number:
        """φ(x) = e^(-x²/2) / √(2π)."""
        return self.exp(-(x * x) / self(2)) / self.sqrt(self(2) * self.pi())

    def reciprocal(self, x: Number) -> Number:
        """1 / x."""
        return self(1) / x

    def maximum(self, items: Sequence[Number]) -> Number:
        """The largest."""
        return functools.reduce(lambda x, y: y if self.less(x, y) else x, items)

    def dot(self, xs: Sequence[Number], ys: Sequence[Number]) -> Number:
        """Σ x y."""
        return functools.reduce(lambda total, pair: total + pair[0] * pair[1], zip(xs, ys, strict=True), self(0))


class Decimals(Numbers):
    """Numbers of mpmath: rounded after every operation, by default to 60 decimal digits. Fast to try things with; they bound no error."""

    extra = "proofs"

    def __init__(self, bits: int = 200) -> None:
        super().__init__(bits)

    def start(self) -> None:
        self.context = require("mpmath", self.extra).mp.clone()
        self.context.prec = self.bits

    def __call__(self, c: Any) -> Number:
        return c if isinstance(c, self.context.mpf) else self.context.mpf(c if isinstance(c, int) else float(c))

    def exp(self, x: Number) -> Number:
        if not self.context.isint(x):
            return self.context.exp(x)
        with self.context.extraprec(max(0, self.context.mag(x)) + 10):  # mpmath takes powers of e for whole x: slow for large ones
            result = self.context.exp(x - 0.5) * self.context.exp(0.5)
        return +result

    def log(self, x: Number) -> Number:
        return self.context.log(x) if x > 0 else self.context.nan

    def sqrt(self, x: Number) -> Number:
        return self.context.sqrt(x) if x >= 0 else self.context.nan

    def reciprocal(self, x: Number) -> Number:
        return 1 / x if x != 0 else self.context.nan

    def arctan(self, x: Number) -> Number:
        return self.context.atan(x)

    def normal_cdf(self, x: Number) -> Number:
        return self.context.erfc(-x / self.context.sqrt(2)) / 2

    def pi(self) -> Number:
        return +self.context.pi

    def less(self, x: Number, y: Number) -> bool:
        return bool(x < y)

    def is_zero(self, x: Number) -> bool:
        return bool(x == 0)

    def bounds(self, x: Number) -> tuple[Dyadic, Dyadic] | None:
        if not self.context.isfinite(x):
            return None
        bound = _dyadic(x._mpf_)
        return bound, bound


class Balls(Numbers):
    """Enclosures of python-flint: midpoint and radius, rigorous."""

    extra = "enclosures"

    def start(self) -> None:
        self.flint = require("flint", self.extra)

    @contextlib.contextmanager
    def precision(self) -> Iterator[None]:
        with self.flint.ctx.workprec(self.bits):
            yield

    def __call__(self, c: Any) -> Number:
        return c if isinstance(c, self.flint.arb) else self.flint.arb(c if isinstance(c, int) else float(c))

    def exp(self, x: Number) -> Number:
        return x.exp()

    def log(self, x: Number) -> Number:
        return x.log()

    def sqrt(self, x: Number) -> Number:
        return x.sqrt()

    def arctan(self, x: Number) -> Number:
        return x.atan()

    def normal_cdf(self, x: Number) -> Number:
        return (-x / self(2).sqrt()).erfc() / 2

    def pi(self) -> Number:
        return self.flint.arb.pi()

    def less(self, x: Number, y: Number) -> bool:
        if x < y:
            return True
        if x >= y or x.is_nan() or y.is_nan():
            return False
        raise UndeterminedError(f"{x} < {y}")

    def maximum(self, items: Sequence[Number]) -> Number:
        """The largest, which is enclosed also where it cannot be told which one it is."""
        return functools.reduce(lambda x, y: x.max(y), items)

    def is_zero(self, x: Number) -> bool:
        return bool(x.is_zero())

    def bounds(self, x: Number) -> tuple[Dyadic, Dyadic] | None:
        if not x.is_finite():
            return None
        low, high = x.lower().man_exp(), x.upper().man_exp()
        return (int(low[0]), int(low[1])), (int(high[0]), int(high[1]))


def _dyadic(value: tuple[int, int, int, int]) -> Dyadic:
    sign, mantissa, exponent, _ = value
    return (-int(mantissa) if sign else int(mantissa)), exponent
