"""Matrices of concrete size, element by element, over any domain of numbers: ``MatrixOps`` written once for all of them.

The domain decides what an element is: a SymPy expression (``entries``), an exact real number or such a number with its
derivatives (``numbers``). Only the abstract primitives are written here; the definitions in ``MatrixOps`` do the rest.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import Scalar, Size
from nerva_core.interpreters.memberwise import Family, MemberwiseOps, beside_families, memberwise
from sympy_validation.operands import Operand

Element = Any


class ShapeError(ValueError):
    """Two matrices whose shapes do not fit."""


@beside_families
class Grid(Operand):
    """A matrix of elements. ``*`` is the product with a number only, so that a product of matrices is never ambiguous."""

    __slots__ = ("elements", "shape")

    def __init__(self, elements: Sequence[Sequence[Element]], shape: tuple[int, int]) -> None:
        self.elements = elements
        self.shape = shape

    @classmethod
    def build(cls, m: int, n: int, element: Callable[[int, int], Element]) -> Grid:
        """The m x n matrix with the given elements."""
        return cls([[element(i, j) for j in range(n)] for i in range(m)], (m, n))

    def __getitem__(self, index: tuple[int, int]) -> Element:
        i, j = index
        return self.elements[i][j]

    def map(self, f: Callable[[Element], Element]) -> Grid:
        """f of every element."""
        return Grid([[f(x) for x in row] for row in self.elements], self.shape)

    def zip(self, other: Grid, f: Callable[[Element, Element], Element]) -> Grid:
        """f of every pair of elements."""
        if self.shape != other.shape:
            raise ShapeError(f"elementwise operation on a {_text(self)} and a {_text(other)} matrix")
        return Grid([[f(x, y) for x, y in zip(a, b, strict=True)] for a, b in zip(self.elements, other.elements, strict=True)], self.shape)

    def __add__(self, other: Grid | Scalar) -> Grid:
        """X + Y; X + c adds the number to every element, as the backends do."""
        if not isinstance(other, Grid):
            number = _number(other)
            return self.map(lambda x: x + number)
        return self.zip(other, lambda x, y: x + y)

    __radd__ = __add__

    def __sub__(self, other: Grid | Scalar) -> Grid:
        return self.zip(other, lambda x, y: x - y) if isinstance(other, Grid) else self.__add__(-other)

    def __rsub__(self, c: Scalar) -> Grid:
        return (-self).__add__(c)

    def __neg__(self) -> Grid:
        return self.map(lambda x: -x)

    def __matmul__(self, other: Grid) -> Grid:
        (m, n), (p, k) = self.shape, other.shape
        if n != p:
            raise ShapeError(f"product of a {_text(self)} and a {_text(other)} matrix")
        columns = [[row[j] for row in other.elements] for j in range(k)]
        return Grid.build(m, k, lambda i, j: _dot(self.elements[i], columns[j]))

    def __rmul__(self, c: Scalar) -> Grid:
        number = _number(c)
        return self.map(lambda x: number * x)

    def __mul__(self, c: Scalar) -> Grid:
        if isinstance(c, Grid):
            raise NervaError("X * Y between matrices has no meaning here: use ops.hadamard(X, Y) or X @ Y")
        return self.__rmul__(c)

    def __truediv__(self, c: Scalar) -> Grid:
        number = _number(c)
        return self.map(lambda x: x / number)


class Domain(ABC):
    """The functions of elements that are not native operators."""

    @abstractmethod
    def number(self, c: Scalar) -> Element:
        """A number, exactly, as an element."""

    def constant(self, x: Element) -> Element:
        """x, with the derivative 0."""
        return x

    @abstractmethod
    def exp(self, x: Element) -> Element:
        """eˣ."""

    @abstractmethod
    def log(self, x: Element) -> Element:
        """The natural logarithm."""

    @abstractmethod
    def sqrt(self, x: Element) -> Element:
        """√x."""

    @abstractmethod
    def arctan(self, x: Element) -> Element:
        """arctan x."""

    @abstractmethod
    def normal_cdf(self, x: Element) -> Element:
        """Φ(x)."""

    @abstractmethod
    def normal_pdf(self, x: Element) -> Element:
        """φ(x)."""

    @abstractmethod
    def less(self, x: Element, y: Element) -> Element:
        """1 if x < y, 0 otherwise."""

    @abstractmethod
    def maximum(self, row: Sequence[Element]) -> Element:
        """The largest of the elements."""

    def quotient(self, x: Element, y: Element) -> Element:
        """x / y; a domain of numbers knows 0 / 0, which is 0."""
        return x * (self.number(1) / y)

    @abstractmethod
    def unknown(self, name: str, order: int, x: Element) -> Element:
        """The derivative of the given order of an unknown differentiable function, at x."""


class GridOps(MemberwiseOps[Grid]):
    """Matrix operations on grids over one domain."""

    def __init__(self, domain: Domain) -> None:
        self.domain = domain

    def shape(self, X: Grid) -> tuple[Size, Size]:
        return self.of_first(X).shape

    def family(self, *matrices: Grid) -> Grid:
        if any(isinstance(X, Family) for X in matrices):
            raise ShapeError("a member of a family is a matrix, got a family")
        return super().family(*matrices)

    def full(self, c: Scalar, m: Size, n: Size) -> Grid:
        element = self.domain.number(c)
        return Grid.build(m, n, lambda i, j: element)

    def identity(self, n: Size) -> Grid:
        zero, one = self.domain.number(0), self.domain.number(1)
        return Grid.build(n, n, lambda i, j: one if i == j else zero)

    def constant(self, rows: Sequence[Sequence[Scalar]]) -> Grid:
        return Grid([[self.domain.number(c) for c in row] for row in rows], (len(rows), len(rows[0])))

    def transpose(self, X: Grid) -> Grid:
        m, n = X.shape
        return Grid.build(n, m, lambda i, j: X[j, i])

    def hadamard(self, X: Grid, Y: Grid) -> Grid:
        return X.zip(Y, lambda x, y: x * y)

    def diag(self, X: Grid) -> Grid:
        m, n = X.shape
        if m != n:
            raise ShapeError(f"diagonal of a {_text(X)} matrix")
        return Grid.build(m, 1, lambda i, j: X[i, i])

    def Diag(self, x: Grid) -> Grid:
        if 1 not in x.shape:
            raise ShapeError(f"diagonal matrix from a {_text(x)} matrix, which is not a vector")
        vector, zero = [element for row in x.elements for element in row], self.domain.number(0)
        return Grid.build(len(vector), len(vector), lambda i, j: vector[i] if i == j else zero)

    def rows_max(self, X: Grid) -> Grid:
        return Grid.build(X.shape[0], 1, lambda i, j: self.domain.maximum(X.elements[i]))

    def reshape(self, X: Grid, m: Size, n: Size) -> Grid:
        elements = [x for row in X.elements for x in row]
        if len(elements) != m * n:
            raise ShapeError(f"a {_text(X)} matrix has not the elements of a {m} x {n} one")
        return Grid.build(m, n, lambda i, j: elements[i * n + j])

    def take_columns(self, X: Grid, columns: Sequence[int]) -> Grid:
        return Grid.build(X.shape[0], len(columns), lambda i, j: X[i, columns[j]])

    def join_columns(self, X: Grid, Y: Grid) -> Grid:
        (m, n), (p, k) = X.shape, Y.shape
        if m != p:
            raise ShapeError(f"a {_text(X)} and a {_text(Y)} matrix side by side")
        return Grid.build(m, n + k, lambda i, j: X[i, j] if j < n else Y[i, j - n])

    def stop_gradient(self, X: Grid) -> Grid:
        return X.map(self.domain.constant)

    def exp(self, X: Grid) -> Grid:
        return X.map(self.domain.exp)

    def log(self, X: Grid) -> Grid:
        return X.map(self.domain.log)

    def reciprocal(self, X: Grid) -> Grid:
        one = self.domain.number(1)
        return X.map(lambda x: one / x)

    def quotient(self, X: Grid, Y: Grid) -> Grid:
        return X.zip(Y, self.domain.quotient)

    def sqrt(self, X: Grid) -> Grid:
        return X.map(self.domain.sqrt)

    def arctan(self, X: Grid) -> Grid:
        return X.map(self.domain.arctan)

    def normal_cdf(self, X: Grid) -> Grid:
        return X.map(self.domain.normal_cdf)

    def normal_pdf(self, X: Grid) -> Grid:
        return X.map(self.domain.normal_pdf)

    def less(self, X: Grid, Y: Grid) -> Grid:
        return X.zip(Y, self.domain.less)

    @memberwise
    def unknown(self, name: str, X: Grid, order: int = 0) -> Grid:
        """An unknown function, or its derivative, of every element."""
        return X.map(lambda x: self.domain.unknown(name, order, x))

    # An example of what is any differentiable function of several matrices where sizes are symbols.

    @memberwise
    def output(self, name: str, rows: Size, columns: Size, *arguments: Grid) -> Grid:
        """f of every element of a sum, with an unknown function f; each element of each argument is, with a weight, a term of one."""
        return self._function_of_sum(name, 0, rows, columns, arguments)

    @memberwise
    def pullback(self, name: str, k: int, DY: Grid, *arguments: Grid) -> Grid:
        """The gradient of ⟨DY, Y⟩ with respect to the argument k, where Y is that output."""
        rows, columns = self.shape(DY)
        D = self.hadamard(DY, self._function_of_sum(name, 1, rows, columns, arguments))
        return Grid.build(*self.shape(arguments[k]), lambda p, q: self._weight(p, q, k) * D[(p + k) % rows, (q + k) % columns])

    def _function_of_sum(self, name: str, order: int, rows: int, columns: int, arguments: tuple[Grid, ...]) -> Grid:
        """An unknown function, or its derivative, of the sums; the element (p, q) of the argument k is in that at (p + k, q + k)."""

        def total(i: int, j: int) -> Element:
            terms = [
                self._weight(p, q, k) * A[p, q]
                for k, A in enumerate(arguments)
                for p in range((i - k) % rows, A.shape[0], rows)
                for q in range((j - k) % columns, A.shape[1], columns)
            ]
            return sum(terms, self.domain.number(0))

        result: Grid = self.unknown(name, Grid.build(rows, columns, total), order)
        return result

    def _weight(self, p: int, q: int, k: int) -> Element:
        return self.domain.number(Fraction((p * p + 3 * q + 2 * k + p * q) % 5 - 2 or 3, 4))

    # Numbers that stand in the code as floats are taken exactly.

    def scale(self, c: Scalar | Size, X: Grid) -> Grid:
        result: Grid = self.domain.number(c) * X
        return result

    def divide(self, X: Grid, c: Scalar | Size) -> Grid:
        result: Grid = X / self.domain.number(c)
        return result


def _dot(xs: Sequence[Element], ys: Sequence[Element]) -> Element:
    products = [x * y for x, y in zip(xs, ys, strict=True)]
    total = products[0]
    for product in products[1:]:
        total = total + product
    return total


def _text(X: Grid) -> str:
    return f"{X.shape[0]} x {X.shape[1]}"


def _number(c: Scalar) -> Scalar:
    if isinstance(c, Grid):
        raise TypeError("the product of matrices is hadamard or @")
    return exact(c)


def exact(c: Scalar) -> Scalar:
    """A float of the code as exactly the decimal that it prints as (0.1 is 1/10); any other number as it is."""
    return Fraction(str(float(c))) if isinstance(c, float) else c


def rowwise(f: Callable[..., Grid], *matrices: Grid) -> Grid:
    """The matrix whose i-th row is f of the i-th rows."""
    rows = [f(*(Grid([X.elements[i]], (1, X.shape[1])) for X in matrices)) for i in range(matrices[0].shape[0])]
    return Grid([row.elements[0] for row in rows], (len(rows), rows[0].shape[1]))


def flat(X: Grid) -> list[Any]:
    """The elements of a vector."""
    return [x for row in X.elements for x in row]
