"""Claims for all sizes: matrices with symbolic numbers of rows and columns, on the normal form of ``all_sizes``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

from nerva_core.algebra.geometry import AnyGeometry
from nerva_core.algebra.matrix_ops import Scalar, Size
from nerva_core.algebra.trees import Tree, map_tree
from nerva_core.equations.activations import Activation
from nerva_core.equations.hard_functions import HardFunction
from nerva_core.equations.step_functions import Grid
from nerva_core.layers import Layer
from sympy_validation.all_sizes import AllSizesOps, SymbolicMatrix
from sympy_validation.all_sizes.own_ops import OwnOps
from sympy_validation.cases import ANY, MOST, Bounds, Case
from sympy_validation.spaces.spaces import ROUNDED, AnyGrid, ExampleLayer, Kind, Space


class SymbolicSizesSpace(Space[SymbolicMatrix]):
    """Variables of arbitrary size. What it proves holds for all sizes."""

    def __init__(self, own: bool = False, within: Case = ANY) -> None:
        """``own`` if the code is a user's, which is watched: it may not decide by a size. All is ``within`` a case."""
        self.own, self.within = own, within
        self.ops: AllSizesOps = OwnOps() if own else AllSizesOps()
        self._variables: dict[str, SymbolicMatrix] = {}
        self._names: dict[str, tuple[str, str]] = {}
        self._sizes: dict[str, None] = {}
        self._ranges: dict[str, tuple[float | None, float | None, bool]] = {}
        """The bounds of the hyper-parameters of which the case assumes nothing, and whether they may be equal to the lower one."""
        self._understood: set[str] = set()
        """Conditions that are those of the case."""
        self.assume(ANY)

    def _identifier(self, kind: str, name: str) -> str:
        """A name for the prover; the parameter K beside the size K is called K_."""
        identifier = _identifier(name)
        while self._names.setdefault(identifier, (kind, name)) != (kind, name):
            identifier += "_"
        return identifier

    def assume(self, case: Case) -> None:
        super().assume(case.within(self.within))
        self.ops.assume(self.case)

    def divisions(self) -> Iterator[tuple[Case, ...]]:
        """Cases that may be proved one by one where all together are not: a number is a bound, 0 or 1 or not, a size is 1 or more."""
        by_values = self._by_values((0,))
        if by_values:
            yield tuple(by_values)
        for name in self._sizes:
            if self.case.range(name) == (1, None):
                yield tuple(replace(each, sizes={name: size}) for each in by_values or [ANY] for size in ((1, 1), (2, None)))
        finer = self._by_values((0, 1))
        if finer:
            yield tuple(finer)

    def _by_values(self, ends: tuple[int, ...]) -> list[Case]:
        """The hyper-parameters divided by these numbers; none if there are too many cases."""
        cases: list[Case] = []
        for name, (low, high, closed) in self._ranges.items():
            pieces = list(_pieces(low, high, closed, ends))
            if len(pieces) > 1:
                cases = [replace(case, scalars={**case.scalars, name: each}) for case in cases or [ANY] for each in pieces]
        return cases if len(cases) <= MOST else []

    def size(self, name: str) -> Size:
        name = self.case.name(name)
        number, identifier = self.case.number(name), self._identifier("size", name)
        self._sizes[name] = None
        if number:
            return number
        return self.ops.own_size(identifier, self.case.range(name)[0]) if self.own else self.ops.size(identifier)

    def geometry(self, name: str) -> AnyGeometry:
        return AnyGeometry(name, *(self.size(size) for size in "PQU"))

    def scalar(self, name: str, low: float | None = None, high: float | None = None, closed: bool = False) -> Scalar:
        if name in self.case.scalars:
            return self._between(name, *self.case.scalars[name])
        self._ranges[name] = low, high, closed
        positive = low is not None and low >= 0 and not closed
        scalar = self.ops.scalar(self._identifier("scalar", name), positive=positive, fixed=self.own)
        return replace(scalar, name=name, bounds=(low, high), closed=closed) if self.own else scalar

    def _between(self, name: str, low: float | None, high: float | None) -> Scalar:
        """A number of the interval, made of one that is positive, by which its comparisons are answered."""
        if low is not None and low == high:
            return low
        more = self.ops.scalar(self._identifier("scalar", f"{name}_more"), positive=True, fixed=self.own)
        self._understood.add(f"{more.text()} > 0")
        if low is None or high is None:
            value = high - more if low is None else low + more
        else:
            value = low + (Fraction(str(high)) - Fraction(str(low))) / (1 + more)
        return replace(value, name=name)

    def unknown_function(self, name: str) -> Activation:
        return self.ops.unknown_activation(self._identifier("function", name))

    def any_grid(self, name: str, points: int = 2) -> Grid:
        intervals = self.ops.intervals(self._identifier("grid", name))
        return AnyGrid(intervals, intervals.left.rows)

    def any_layer(self, name: str, outputs: Size, D: Size) -> Layer:
        parameters = dict(enumerate(ExampleLayer(outputs).shapes(D)))
        return self.ops.abstract_layer(name, outputs, {f"{name}{k}": shape for k, shape in parameters.items()})

    def any_hard_function(self, name: str, outputs: Size, D: Size) -> HardFunction:
        return self.ops.abstract_hard_function(name, outputs)

    def matrix(self, name: str, m: Size, n: Size, kind: Kind = Kind.REAL) -> SymbolicMatrix:
        self._variables[name] = self._variable("matrix", name, m, n, kind)
        return self._variables[name]

    def constant(self, name: str, m: Size, n: Size, kind: Kind = Kind.REAL) -> SymbolicMatrix:
        return self._variable("constant", name, m, n, kind)

    def _variable(self, origin: str, name: str, m: Size, n: Size, kind: Kind) -> SymbolicMatrix:
        positive, row_stochastic = kind is Kind.POSITIVE, kind is Kind.ROW_STOCHASTIC
        identifier = self._identifier(origin, name)
        return self.ops.variable(identifier, m, n, positive=positive, row_stochastic=row_stochastic, fixed=origin == "constant")

    def gradient(self, DY: SymbolicMatrix, Y: SymbolicMatrix, name: str) -> SymbolicMatrix:
        return self.ops.released(self.ops.gradient(self.ops.elements_sum(self.ops.hadamard(DY, Y)), self._variables[name]))

    def detach(self, tree: Tree) -> Any:
        return map_tree(lambda X: self.ops.released(X) if isinstance(X, SymbolicMatrix) else X, tree)

    def proves(self, expected: SymbolicMatrix, found: SymbolicMatrix, strict: bool = False) -> tuple[bool, tuple[str, ...]]:
        if self.ops.is_zero(expected - found, off_kinks=not strict):
            return True, self._conditions()
        if not strict and self.ops.is_rounded(expected, found):
            return True, (*self._conditions(), ROUNDED)
        return False, ()

    def _conditions(self) -> tuple[str, ...]:
        return tuple(condition for condition in self.ops.conditions if condition not in self._understood)

    def columnwise(self, f: Callable[..., SymbolicMatrix], *matrices: SymbolicMatrix) -> SymbolicMatrix:
        return self.ops.by_columns(f, *matrices)

    def rowwise(self, f: Callable[..., SymbolicMatrix], *matrices: SymbolicMatrix) -> SymbolicMatrix:
        return self.ops.by_rows(f, *matrices)

    def jacobian(self, y: SymbolicMatrix, name: str) -> SymbolicMatrix:
        return self.ops.jacobian(y, self._variables[name])

    def unknown_vector(self, name: str, n: Size, row: bool, x: SymbolicMatrix) -> SymbolicMatrix:
        """A x + c with A and c arbitrary: a Jacobian at a point depends on a function only through its value and its Jacobian there."""
        rows, columns = self.ops.shape(x)
        column = self.ops.transpose(x) if rows == 1 else x
        y = self.matrix(f"A_{name}", n, columns if rows == 1 else rows) @ column + self.matrix(f"c_{name}", n, 1)
        return self.ops.transpose(y) if row else y


def _identifier(name: str) -> str:
    """W_2 for 2.W, the W of the layer with number 2; parameters that have a number for a name are called p."""
    layer, _, parameter = name.rpartition(".")
    parameter = f"p{parameter}" if parameter.isdigit() else parameter
    return f"{parameter}_{layer.replace('.', '_')}" if layer else parameter


def _pieces(low: float | None, high: float | None, closed: bool, ends: tuple[int, ...]) -> Iterator[Bounds]:
    """The open intervals between these numbers, and the numbers; the last is taken without its upper bound, which proves more."""
    inside = [end for end in ends if (low is None or low < end) and (high is None or end < high)]
    if closed and low is not None:
        yield low, low
    for start, end in pairwise((low, *inside, None)):
        yield start, end
        if end is not None:
            yield end, end
