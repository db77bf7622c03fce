"""Claims on SymPy expressions: matrices of concrete size whose elements are symbols, differentiated by SymPy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sympy as sp

from nerva_core.algebra.matrix_ops import Scalar, Size
from nerva_core.algebra.trees import Tree, map_tree
from nerva_core.interpreters.memberwise import on_matrices
from sympy_validation.spaces.grids import Domain, Grid, GridOps, exact, flat, rowwise
from sympy_validation.spaces.spaces import MEMORY, OTHER_SIZE, Kind, Space
from sympy_validation.spaces.zero_test import Fixed, Indicator, Stopped, Unknown, is_zero


class SymPyDomain(Domain):
    """SymPy expressions. The largest element of a row is an unknown function of the row: nothing that depends on it is proved."""

    def number(self, c: Scalar) -> Any:
        number = sp.sympify(exact(c))
        return sp.nsimplify(number, rational=True) if number.has(sp.Float) else number

    def constant(self, x: Any) -> Any:
        return Stopped(x)

    def exp(self, x: Any) -> Any:
        return sp.exp(x)

    def log(self, x: Any) -> Any:
        return sp.log(x)

    def sqrt(self, x: Any) -> Any:
        return sp.sqrt(x)

    def arctan(self, x: Any) -> Any:
        return sp.atan(x)

    def normal_pdf(self, x: Any) -> Any:
        return sp.exp(-x * x / 2) / sp.sqrt(2 * sp.pi)

    def normal_cdf(self, x: Any) -> Any:
        return (1 + sp.erf(x / sp.sqrt(2))) / 2

    def less(self, x: Any, y: Any) -> Any:
        return Indicator(sp.expand(x - y))

    def maximum(self, row: Sequence[Any]) -> Any:
        return Unknown(sp.Symbol("row maximum"), *[0] * len(row), *row)

    def unknown(self, name: str, order: int, x: Any) -> Any:
        return Unknown(sp.Symbol(name), order, x)


class EntriesSpace(Space[Grid]):
    """Variables whose elements are real SymPy symbols, at the given sizes."""

    def __init__(self, sizes: Mapping[str, int]) -> None:
        self.sizes = sizes
        self.ops = GridOps(SymPyDomain())
        self.math = sp
        self._variables: dict[str, Grid] = {}

    def size(self, name: str) -> Size:
        name = self.case.name(name)
        return self.case.fit(name, self.sizes.get(name, MEMORY.get(name, OTHER_SIZE)))

    def scalar(self, name: str, low: float | None = None, high: float | None = None, closed: bool = False) -> Scalar:
        if name in self.case.scalars:
            return self._between(name, *self.case.scalars[name])
        bounded = True if low is not None and low >= 0 else None
        return sp.Symbol(name, real=True, nonnegative=bounded) if closed else sp.Symbol(name, real=True, positive=bounded)

    def _between(self, name: str, low: float | None, high: float | None) -> Scalar:
        """A number of the interval, made of one that is positive."""
        if low is not None and low == high:
            return low
        more = sp.Symbol(f"{name}_more", positive=True)
        least, most = (None if end is None else sp.Rational(str(end)) for end in (low, high))
        if least is not None and most is not None:
            return least + (most - least) / (1 + more)
        return most - more if least is None else least + more

    def matrix(self, name: str, m: Size, n: Size, kind: Kind = Kind.REAL) -> Grid:
        self._variables[name] = _symbols(sp.Symbol, name, m, n, kind)
        if kind is Kind.NUMBERS:
            return self.constant(name, m, n, kind)
        return _with_row_sums(self._variables[name], kind)

    def constant(self, name: str, m: Size, n: Size, kind: Kind = Kind.REAL) -> Grid:
        if kind is Kind.NUMBERS:
            return Grid.build(m, n, lambda i, j: sp.Integer((i + j) % 2))
        return _with_row_sums(_symbols(Fixed, name, m, n, kind), kind)

    def gradient(self, DY: Grid, Y: Grid, name: str) -> Grid:
        pairs = [(dy, y, y.free_symbols) for dys, ys in zip(DY.elements, Y.elements, strict=True) for dy, y in zip(dys, ys, strict=True)]

        def derivative(x: sp.Symbol) -> Any:
            return Stopped.release(sp.Add(*(dy * sp.diff(y, x) for dy, y, symbols in pairs if x in symbols)))

        return self._variables[name].map(derivative)

    def detach(self, tree: Tree) -> Any:
        return map_tree(on_matrices(Grid, lambda X: X.map(Stopped.release)), tree)

    def proves(self, expected: Grid, found: Grid, strict: bool = False) -> tuple[bool, tuple[str, ...]]:
        if strict:
            return False, ()  # indicators are known almost everywhere only
        if expected.shape != found.shape:
            return False, ()
        pairs = list(zip(flat(expected), flat(found), strict=True))
        kinks = any(x.has(Indicator) or y.has(Indicator) for x, y in pairs)
        return all(is_zero(x - y) for x, y in pairs), ("almost everywhere: off the kinks",) if kinks else ()

    def columnwise(self, f: Callable[..., Grid], *matrices: Grid) -> Grid:
        T = self.ops.transpose
        return T(rowwise(lambda *xs: T(f(*map(T, xs))), *map(T, matrices)))

    def rowwise(self, f: Callable[..., Grid], *matrices: Grid) -> Grid:
        return rowwise(f, *matrices)

    def jacobian(self, y: Grid, name: str) -> Grid:
        ys, xs = flat(y), flat(self._variables[name])
        return Grid.build(len(ys), len(xs), lambda j, q: sp.diff(ys[j], xs[q]))

    def unknown_vector(self, name: str, n: Size, row: bool, x: Grid) -> Grid:
        xs = flat(x)
        functions = [Unknown(sp.Symbol(f"{name}{k}"), *[0] * len(xs), *xs) for k in range(n)]
        return Grid([functions], (1, n)) if row else Grid([[x] for x in functions], (n, 1))


def _symbols(kind_of_symbol: type[sp.Symbol], name: str, m: Size, n: Size, kind: Kind) -> Grid:
    positive = True if kind is Kind.POSITIVE else None
    return Grid.build(m, n, lambda i, j: kind_of_symbol(f"{name}[{i},{j}]", real=True, positive=positive))


def _with_row_sums(X: Grid, kind: Kind) -> Grid:
    """X, or X with a last column that makes the sums of the rows 1."""
    if kind is not Kind.ROW_STOCHASTIC:
        return X
    m, n = X.shape
    return Grid.build(m, n, lambda i, j: X[i, j] if j < n - 1 else 1 - sum(X.elements[i][:-1]))
