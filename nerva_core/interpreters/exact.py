"""The exact interpretation: the definitions of the library run on numbers that keep as many digits as are asked for.

``ExactOps`` has only the primitives of ``MatrixOps``; every other operation is its definition, so the exact value of a layer is that
of its equations. What a number is, a ``Numbers`` object says: a number of mpmath with many digits, or a ball of python-flint, which
certainly contains the value.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

import numpy as np

from nerva_core.algebra.matrix_ops import Scalar, Size
from nerva_core.algebra.numeric_backend import require
from nerva_core.algebra.registry import Entry
from nerva_core.interpreters.memberwise import MemberwiseOps, beside_families

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

    def is_zero(self, x: Number) -> bool:
        return bool(x.is_zero())

    def bounds(self, x: Number) -> tuple[Dyadic, Dyadic] | None:
        if not x.is_finite():
            return None
        low, high = x.lower().man_exp(), x.upper().man_exp()
        return (int(low[0]), int(low[1])), (int(high[0]), int(high[1]))


@beside_families
@dataclasses.dataclass(frozen=True)
class ExactMatrix:
    """A matrix of numbers of one kind, with the operators that equations use."""

    numbers: Numbers
    rows: tuple[tuple[Number, ...], ...]

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.rows), len(self.rows[0])

    def map(self, f: Callable[..., Number], *others: ExactMatrix) -> ExactMatrix:
        """f of the elements of this matrix and of others of the same shape."""
        for other in others:
            if other.shape != self.shape:
                raise ValueError(f"nothing broadcasts: got the shapes {self.shape} and {other.shape}")
        rows = zip(self.rows, *(other.rows for other in others), strict=True)
        return ExactMatrix(self.numbers, tuple(tuple(map(f, *row)) for row in rows))

    def transpose(self) -> ExactMatrix:
        """The rows as columns."""
        return ExactMatrix(self.numbers, tuple(zip(*self.rows, strict=True)))

    def __add__(self, other: ExactMatrix) -> ExactMatrix:
        return self.map(operator.add, other)

    def __sub__(self, other: ExactMatrix) -> ExactMatrix:
        return self.map(operator.sub, other)

    def __neg__(self) -> ExactMatrix:
        return self.map(operator.neg)

    def __matmul__(self, other: ExactMatrix) -> ExactMatrix:
        if self.shape[1] != other.shape[0]:
            raise ValueError(f"the shapes {self.shape} and {other.shape} have no product")
        columns = other.transpose().rows
        return ExactMatrix(self.numbers, tuple(tuple(self.numbers.dot(row, column) for column in columns) for row in self.rows))

    def __rmul__(self, c: Scalar) -> ExactMatrix:
        factor = self.numbers(c)
        return self.map(lambda x: factor * x)

    def __truediv__(self, c: Scalar) -> ExactMatrix:
        divisor = self.numbers(c)
        return self.map(lambda x: x / divisor)


class ExactOps(MemberwiseOps[ExactMatrix]):
    """Matrix operations on exact numbers: the primitives, and nothing else."""

    def __init__(self, numbers: Numbers | None = None) -> None:
        self.numbers = numbers or Decimals()

    def matrix(self, values: Any) -> ExactMatrix:
        """The matrix with exactly the given floating-point values."""
        return ExactMatrix(self.numbers, tuple(tuple(map(self.numbers, row)) for row in np.asarray(values).tolist()))

    def shape(self, X: ExactMatrix) -> tuple[Size, Size]:
        return self.of_first(X).shape

    def full(self, c: Scalar, m: Size, n: Size) -> ExactMatrix:
        return ExactMatrix(self.numbers, ((self.numbers(c),) * n,) * m)

    def identity(self, n: Size) -> ExactMatrix:
        return self.Diag(self.ones(1, n))

    def constant(self, rows: Sequence[Sequence[Scalar]]) -> ExactMatrix:
        return ExactMatrix(self.numbers, tuple(tuple(map(self.numbers, row)) for row in rows))

    def transpose(self, X: ExactMatrix) -> ExactMatrix:
        return X.transpose()

    def hadamard(self, X: ExactMatrix, Y: ExactMatrix) -> ExactMatrix:
        return X.map(operator.mul, Y)

    def diag(self, X: ExactMatrix) -> ExactMatrix:
        return ExactMatrix(self.numbers, tuple((row[i],) for i, row in enumerate(X.rows)))

    def Diag(self, x: ExactMatrix) -> ExactMatrix:
        items, zero = [c for row in x.rows for c in row], self.numbers(0)
        return ExactMatrix(self.numbers, tuple(tuple(c if i == j else zero for j in range(len(items))) for i, c in enumerate(items)))

    def rows_max(self, X: ExactMatrix) -> ExactMatrix:
        return ExactMatrix(self.numbers, tuple((self.numbers.maximum(row),) for row in X.rows))

    def reshape(self, X: ExactMatrix, m: Size, n: Size) -> ExactMatrix:
        items = [x for row in X.rows for x in row]
        return ExactMatrix(self.numbers, tuple(tuple(items[i * n : (i + 1) * n]) for i in range(m)))

    def take_columns(self, X: ExactMatrix, columns: Sequence[int]) -> ExactMatrix:
        return ExactMatrix(self.numbers, tuple(tuple(row[j] for j in columns) for row in X.rows))

    def join_columns(self, X: ExactMatrix, Y: ExactMatrix) -> ExactMatrix:
        return ExactMatrix(self.numbers, tuple((*x, *y) for x, y in zip(X.rows, Y.rows, strict=True)))

    def exp(self, X: ExactMatrix) -> ExactMatrix:
        return X.map(self.numbers.exp)

    def log(self, X: ExactMatrix) -> ExactMatrix:
        return X.map(self.numbers.log)

    def reciprocal(self, X: ExactMatrix) -> ExactMatrix:
        return X.map(self.numbers.reciprocal)

    def sqrt(self, X: ExactMatrix) -> ExactMatrix:
        return X.map(self.numbers.sqrt)

    def arctan(self, X: ExactMatrix) -> ExactMatrix:
        return X.map(self.numbers.arctan)

    def normal_cdf(self, X: ExactMatrix) -> ExactMatrix:
        return X.map(self.numbers.normal_cdf)

    def normal_pdf(self, X: ExactMatrix) -> ExactMatrix:
        return X.map(self.numbers.normal_pdf)

    def less(self, X: ExactMatrix, Y: ExactMatrix) -> ExactMatrix:
        return X.map(lambda x, y: self.numbers(int(self.numbers.less(x, y))), Y)

    # The two definitions with a case: where x = 0 the value is 0, whatever y is. And a choice, which may choose between undefined values.

    def xlogy(self, X: ExactMatrix, Y: ExactMatrix) -> ExactMatrix:
        return X.map(lambda x, y: x if self.numbers.is_zero(x) else x * self.numbers.log(y), Y)

    def quotient(self, X: ExactMatrix, Y: ExactMatrix) -> ExactMatrix:
        return X.map(lambda x, y: x if self.numbers.is_zero(x) else x * self.numbers.reciprocal(y), Y)

    def where(self, C: ExactMatrix, X: ExactMatrix, Y: ExactMatrix) -> ExactMatrix:
        return C.map(lambda c, x, y: y if self.numbers.is_zero(c) else x, X, Y)

    # And a choice among many, which its definition makes by adding differences.

    def step_function(self, X: ExactMatrix, s: Sequence[Scalar], T: ExactMatrix) -> ExactMatrix:
        chosen = (tuple(T.rows[j][k] for k, j in enumerate(row)) for row in self._intervals(X, s))
        return ExactMatrix(self.numbers, tuple(chosen))

    def interval_sums(self, Y: ExactMatrix, X: ExactMatrix, s: Sequence[Scalar]) -> ExactMatrix:
        cells: dict[tuple[int, int], list[Number]] = {}
        for values, row in zip(Y.rows, self._intervals(X, s), strict=True):
            for k, (y, j) in enumerate(zip(values, row, strict=True)):
                cells.setdefault((j, k), []).append(y)
        one, columns = self.numbers(1), range(X.shape[1])
        sums = ((self.numbers.dot(ys, [one] * len(ys)) for k in columns for ys in [cells.get((j, k), [])]) for j in range(len(s) + 1))
        return ExactMatrix(self.numbers, tuple(map(tuple, sums)))

    def _intervals(self, X: ExactMatrix, s: Sequence[Scalar]) -> list[list[int]]:
        """The number of grid points below each element."""
        points = [self.numbers(point) for point in s]
        return [[sum(self.numbers.less(point, x) for point in points) for x in row] for row in X.rows]


def exactly(entry: Any, numbers: Numbers) -> Any:
    """The entry with its real parameters as exact numbers, so that 1 - β is not rounded. Entries inside it are treated likewise."""
    if isinstance(entry, tuple):
        return tuple(exactly(item, numbers) for item in entry)
    if isinstance(entry, Entry):
        fields = {field.name: getattr(entry, field.name) for field in dataclasses.fields(entry)}
        return dataclasses.replace(entry, **{name: exactly(value, numbers) for name, value in fields.items()})
    return numbers(entry) if isinstance(entry, float) else entry


def _dyadic(value: tuple[int, int, int, int]) -> Dyadic:
    sign, mantissa, exponent, _ = value
    return (-int(mantissa) if sign else int(mantissa)), exponent
