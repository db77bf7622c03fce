"""The exact interpretation: the definitions of the library run on numbers that keep as many digits as are asked for.

``ExactOps`` has only the primitives of ``MatrixOps``; every other operation is its definition, so the exact value of a layer is that
of its equations. What a number is, a ``Numbers`` object says: a number of mpmath with many digits, or a ball of python-flint, which
certainly contains the value.
"""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nerva_core.algebra.matrix_ops import Scalar, Size
from nerva_core.algebra.registry import Entry
from nerva_core.interpreters.exact_numbers import Decimals, Number, Numbers
from nerva_core.interpreters.memberwise import MemberwiseOps, beside_families


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
    """The entry with its real parameters as exact numbers, so that 1 - β is not rounded. Entries inside it are treated likewise.

    0 stays as it is, since layers ask for it: nothing is dropped then.
    """
    if isinstance(entry, tuple):
        return tuple(exactly(item, numbers) for item in entry)
    if isinstance(entry, Entry):
        fields = {field.name: getattr(entry, field.name) for field in dataclasses.fields(entry)}
        return dataclasses.replace(entry, **{name: exactly(value, numbers) for name, value in fields.items()})
    return numbers(entry) if isinstance(entry, float) and entry != 0 else entry
