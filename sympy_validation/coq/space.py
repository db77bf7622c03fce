"""Claims for all sizes, to be written down: variables, sizes and gradients of the exporter."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from nerva_core.algebra.geometry import AnyGeometry
from nerva_core.algebra.matrix_ops import Scalar, Size
from nerva_core.algebra.trees import Tree, map_tree
from nerva_core.equations.hard_functions import HardFunction
from nerva_core.equations.step_functions import Grid
from nerva_core.layers import Layer
from sympy_validation.all_sizes import symbols
from sympy_validation.all_sizes.abstract import AbstractHardFunction, AbstractLayer
from sympy_validation.all_sizes.symbols import Dimension, column_index, flat, renaming, row_index
from sympy_validation.coq.derivatives import Gradient, derivative
from sympy_validation.coq.matrices import CoqMatrix, CoqScalar, NotExported, exact, summed
from sympy_validation.coq.ops import CoqOps, Intervals
from sympy_validation.coq.rearranging import KnownFamily
from sympy_validation.coq.terms import Add, Apply, Element, Mul, Term, marked, renamed
from sympy_validation.spaces.spaces import AnyGrid, ExampleLayer, Kind, Space


class Differentiated(CoqMatrix):
    """A derivative. Its entry is asked for only where a claim computes with it; then it is written down in ``used``."""

    of: tuple[Term, Any, str, Any]
    used: dict[str, Gradient]

    def __init__(
        self, rows: Dimension, columns: Dimension, term: Term, free: Any, variable: str, place: Any, used: dict[str, Gradient]
    ) -> None:
        for name, value in {"rows": rows, "columns": columns, "members": 1, "of": (term, free, variable, place), "used": used}.items():
            object.__setattr__(self, name, value)

    @property
    def entry(self) -> Term:
        """The derivative by the rules of ``derivatives``."""
        term, free, variable, place = self.of
        entry = marked(derivative(term, variable, place), False)
        self.used.setdefault(repr(self.of), Gradient(term, free, variable, place, entry))
        return entry

    def __add__(self, other: Any) -> CoqMatrix:
        """The sum of two derivatives with respect to one variable is a derivative."""
        if isinstance(other, Differentiated) and self.of[1:] == other.of[1:]:
            term, free, variable, place = self.of
            return Differentiated(self.rows, self.columns, Add(term, other.of[0]), free, variable, place, self.used)
        return super().__add__(other)


class CoqSpace(Space[CoqMatrix]):
    """Variables of arbitrary size, whose matrices are terms."""

    def __init__(self) -> None:
        self.ops: CoqOps = CoqOps()
        self.used: dict[str, Gradient] = {}
        functions = {"exp": "exp", "sqrt": "sqrt"}
        self.math = SimpleNamespace(prod=math.prod, **{name: _of_scalar(f) for name, f in functions.items()})

    def size(self, name: str) -> Size:
        return symbols.Size(name)

    def geometry(self, name: str) -> AnyGeometry:
        return AnyGeometry(name, *(self.size(size) for size in "PQU"))

    def scalar(self, name: str, low: float | None = None, high: float | None = None, closed: bool = False) -> Scalar:
        self.ops.scalars[name] = low is not None and low >= 0 and not closed
        return CoqScalar(Element(name, ()))

    def any_grid(self, name: str, points: int = 2) -> Grid:
        J = self.size(f"J_{name}")
        intervals = Intervals(*(self.ops.any_matrix((side, name), J, 1) for side in ("left", "right")))
        return AnyGrid(intervals, J)

    def any_layer(self, name: str, outputs: Size, D: Size) -> Layer:
        return AbstractLayer(name, outputs, {f"{name}{k}": shape for k, shape in enumerate(ExampleLayer(outputs).shapes(D))})

    def any_hard_function(self, name: str, outputs: Size, D: Size) -> HardFunction:
        return AbstractHardFunction(name, outputs)

    def matrix(self, name: str, m: Size, n: Size, kind: Kind = Kind.REAL) -> CoqMatrix:
        return self.ops.variable(name, m, n, kind)

    def gradient(self, DY: CoqMatrix, Y: CoqMatrix, name: str) -> CoqMatrix:
        DY.check_shape(Y)
        declared = self.ops.variables[name]
        term = summed(Mul(marked(DY.entry, True), Y.entry), Y.i, Y.j)
        return Differentiated(declared.rows, declared.columns, term, (), name, declared.indices, self.used)

    def jacobian(self, y: CoqMatrix, name: str) -> CoqMatrix:
        declared = self.ops.variables[name]
        K, D = (y.rows if y.columns == 1 else y.columns), (declared.rows if declared.columns == 1 else declared.columns)
        at = flat(row_index(K))
        term = renamed(y.entry, renaming(flat(y.i, y.j), at))
        return Differentiated(K, D, term, tuple(at), name, tuple(flat(column_index(D))), self.used)

    def detach(self, tree: Tree) -> Any:
        return map_tree(lambda X: _released(X) if isinstance(X, CoqMatrix) else X, tree)

    def columnwise(self, f: Callable[..., CoqMatrix], *matrices: CoqMatrix) -> CoqMatrix:
        return self.ops.by_columns(f, *matrices)

    def rowwise(self, f: Callable[..., CoqMatrix], *matrices: CoqMatrix) -> CoqMatrix:
        T = self.ops.transpose
        return T(self.columnwise(lambda *columns: T(f(*map(T, columns))), *map(T, matrices)))

    def unknown_vector(self, name: str, n: Size, row: bool, x: CoqMatrix) -> CoqMatrix:
        """A x + c with A and c arbitrary: a Jacobian at a point depends on a function only through its value and its Jacobian there."""
        rows, columns = self.ops.shape(x)
        column = self.ops.transpose(x) if rows == 1 else x
        y = self.matrix(f"A_{name}", n, columns if rows == 1 else rows) @ column + self.matrix(f"c_{name}", n, 1)
        return self.ops.transpose(y) if row else y


def _released(X: CoqMatrix) -> CoqMatrix:
    entry = marked(X.entry, False)
    return replace(X, entry=entry, parts=tuple(map(_released, X.parts))) if isinstance(X, KnownFamily) else X.with_entry(entry)


def _of_scalar(function: str) -> Callable[[Any], CoqScalar]:
    def f(x: Any) -> CoqScalar:
        term = exact(x)
        if term is None:
            raise NotExported(f"{function} of a {type(x).__name__}")
        return CoqScalar(Apply(function, term))

    return f
