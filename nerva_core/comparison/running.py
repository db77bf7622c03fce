"""Running error analysis: how large the error of an equation may be, from the equation itself (Higham 2002, section 3.3).

Some results are differences: the gradient of the softmax cross-entropy near 0, DX of batch normalization. No arithmetic with
rounding gives all their digits, so their error is not measured against the result but against the terms it was made from. The
same layer code, run on pairs (exact value, error), gives that measure: every elementary operation adds one unit in the last place
of its own result, and hands on the errors of its operands, multiplied by its derivatives. A sum of n terms adds n - 1 units of
the sum of their absolute values, in whatever order it is computed: for a product of matrices this is the classical bound n · eps
· |X| · |Z|.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nerva_core.algebra.matrix_ops import MatrixOps
from nerva_core.interpreters.exact import ExactMatrix, ExactOps
from nerva_core.interpreters.exact_numbers import Dyadic, Number, Numbers, UndeterminedError
from nerva_core.interpreters.memberwise import memberwise


@dataclass(frozen=True)
class Running:
    """An exact value, and a bound (to first order) for the absolute error of its computation."""

    numbers: RunningNumbers
    value: Number
    error: Number

    def __add__(self, other: Any) -> Running:
        other = self.numbers(other)
        exact = self.numbers.is_zero(self) or self.numbers.is_zero(other)  # x + 0 is not rounded
        return self.numbers.result(self.value + other.value, self.error + other.error, exact)

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, ExactMatrix):
            return NotImplemented
        other = self.numbers(other)
        error = abs(self.value) * other.error + abs(other.value) * self.error + self.error * other.error
        return self.numbers.result(self.value * other.value, error, self.numbers.is_trivial(self) or self.numbers.is_trivial(other))

    def __truediv__(self, other: Any) -> Running:
        other = self.numbers(other)
        value = self.value / other.value
        return self.numbers.result(value, (self.error + abs(value) * other.error) / abs(other.value), self.numbers.is_zero(self))

    def __pow__(self, n: int) -> Running:
        value = self.value**n
        return self.numbers.result(value, abs(n * self.value ** (n - 1)) * self.error, n == 1)

    def __neg__(self) -> Running:
        return Running(self.numbers, -self.value, self.error)

    def __sub__(self, other: Any) -> Running:
        return self + -self.numbers(other)

    def __radd__(self, other: Any) -> Running:
        return self.numbers(other) + self

    def __rsub__(self, other: Any) -> Running:
        return self.numbers(other) - self

    def __rmul__(self, other: Any) -> Running:
        product: Running = self.numbers(other) * self
        return product

    def __rtruediv__(self, other: Any) -> Running:
        return self.numbers(other) / self


class RunningNumbers(Numbers):
    """Pairs of an exact value and its running error, for computation in a dtype. A result below the normal numbers may be flushed to 0."""

    def __init__(self, numbers: Numbers, dtype: str) -> None:
        self.exact, self.dtype = numbers, np.dtype(dtype)
        self.eps, self.tiny = numbers(float(np.finfo(dtype).eps)), numbers(float(np.finfo(dtype).smallest_normal))
        super().__init__(numbers.bits)

    def start(self) -> None:
        self.zero = self.exact(0)

    def result(self, value: Number, error: Number, exact: bool = False) -> Running:
        """A result with the error of its operands, and one unit in the last place of its own unless the operation does not round."""
        return Running(self, value, error if exact or self.exact.is_zero(value) else error + self.eps * abs(value) + self.tiny)

    def __call__(self, c: Any) -> Running:
        if isinstance(c, Running):
            return c
        representable = isinstance(c, (int, float)) and (abs(c) < 2**24 if isinstance(c, int) else float(self.dtype.type(c)) == c)
        return self.result(self.exact(c), self.zero, exact=representable)

    def function(self, f: Callable[[Number], Number], x: Running) -> Running:
        """f(x), an elementary function: its error is |f'(x)| times that of x, and one unit in the last place."""
        value = f(x.value)
        h = self.exact(2.0**-100) * (abs(x.value) + self.exact(2.0**-100))
        slope = abs((f(x.value + h) - value) / h) if not self.exact.is_zero(x.error) else self.zero
        return self.result(value, slope * x.error)

    def exp(self, x: Running) -> Running:
        return self.function(self.exact.exp, x)

    def log(self, x: Running) -> Running:
        return self.function(self.exact.log, x)

    def sqrt(self, x: Running) -> Running:
        return self.function(self.exact.sqrt, x)

    def reciprocal(self, x: Running) -> Running:
        return self.function(self.exact.reciprocal, x)

    def arctan(self, x: Running) -> Running:
        return self.function(self.exact.arctan, x)

    def normal_cdf(self, x: Running) -> Running:
        return self.function(self.exact.normal_cdf, x)

    def normal_pdf(self, x: Running) -> Running:
        return self.function(self.exact.normal_pdf, x)

    def pi(self) -> Running:
        return self.result(self.exact.pi(), self.zero)

    def less(self, x: Running, y: Running) -> bool:
        return self.exact.less(x.value, y.value)

    def maximum(self, items: Sequence[Running]) -> Running:
        """The largest; of those that cannot be told apart, with the larger error."""

        def larger(x: Running, y: Running) -> Running:
            try:
                return y if self.less(x, y) else x
            except UndeterminedError:
                return Running(self, self.exact.maximum((x.value, y.value)), self.exact.maximum((x.error, y.error)))

        return functools.reduce(larger, items)

    def is_zero(self, x: Running) -> bool:
        """Whether x is 0 and computed without error."""
        return self.exact.is_zero(x.value) and self.exact.is_zero(x.error)

    def is_trivial(self, x: Running) -> bool:
        """Whether a product with x is not rounded: x is 0, 1 or -1."""
        return self.exact.is_zero(x.error) and self.exact.is_zero(x.value * (abs(x.value) - self.exact(1)))

    def bounds(self, x: Running) -> tuple[Dyadic, Dyadic] | None:
        return self.exact.bounds(x.value)

    def dot(self, xs: Sequence[Running], ys: Sequence[Running]) -> Running:
        terms = [product for x, y in zip(xs, ys, strict=True) if not self.is_zero(product := x * y)]
        if len(terms) < 2:
            return terms[0] if terms else self(0)
        value, error, size = (sum(items, self.zero) for items in zip(*((t.value, t.error, abs(t.value)) for t in terms), strict=True))
        return Running(self, value, error + (len(terms) - 1) * (self.eps * size + self.tiny))


def error_of(x: Running) -> float:
    """The running error as a float, infinite if there is none."""
    bounds = x.numbers.exact.bounds(x.error)
    if bounds is None:
        return math.inf
    mantissa, exponent = bounds[1]
    excess = max(mantissa.bit_length() - 60, 0)
    return math.ldexp(mantissa >> excess, min(exponent + excess, 1023 - 60))


class RunningOps(ExactOps):
    """Matrix operations on pairs. The elementary functions are single operations, as they are in a backend, however they are defined."""

    numbers: RunningNumbers


def _elementary(name: str) -> Callable[[RunningOps, ExactMatrix], ExactMatrix]:
    definition: Callable[[MatrixOps[ExactMatrix], ExactMatrix], ExactMatrix] = getattr(ExactOps, name)

    def operation(self: RunningOps, X: ExactMatrix) -> ExactMatrix:
        exact = ExactOps(self.numbers.exact)

        def f(x: Number) -> Number:
            return definition(exact, ExactMatrix(self.numbers.exact, ((x,),))).rows[0][0]

        return X.map(lambda x: self.numbers.function(f, x))

    return operation


for _name in ("inv_sqrt", "expm1", "log1p", "sigmoid", "log_sigmoid", "softplus", "tanh"):
    setattr(RunningOps, _name, memberwise(_elementary(_name)))
