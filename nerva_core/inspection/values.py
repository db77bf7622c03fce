"""The interpreter behind a trace: expressions, and readers of equations, that keep the value of every matrix."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from nerva_core.algebra.matrix import Size
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.algebra.trees import map_shapes
from nerva_core.inspection.trace_data import TracedMatrix, TracedPart
from nerva_core.interpreters.expressions import Expression, markup
from nerva_core.interpreters.latex import Equation, EquationReader
from nerva_core.interpreters.latex_ops import LatexOps
from nerva_core.interpreters.markup import Items, Markup, Operator
from nerva_core.interpreters.polynomial import Polynomial
from nerva_core.interpreters.subjects import Results
from nerva_core.interpreters.traced import Operation, Traced


class ValueOps(LatexOps):
    """Matrix operations on expressions that keep the value of each. ``sizes`` are the numbers for N, D and K."""

    def __init__(self, functions: Any, numbers: Backend, sizes: dict[str, int]) -> None:
        super().__init__(functions)
        self.numbers = numbers
        self.sizes = sizes
        self.values: dict[Expression, Any] = {}

    def operation(self, operation: Operation[Expression]) -> Expression:
        e = super().operation(operation)
        if e not in self.values:
            self.values[e] = getattr(self.numbers, operation.name)(*map(self._number, operation.arguments))
        return e

    def _number(self, argument: Any) -> Any:
        if isinstance(argument, Polynomial):
            return argument(**self.sizes)
        return self.values[argument] if isinstance(argument, Expression) else argument


class ValueReader(EquationReader):
    """Collects the equations of the parts with the values of their left sides, in ``found``."""

    ops: ValueOps

    def __init__(self, numbers: Backend, sizes: dict[str, int]) -> None:
        super().__init__({})
        self.ops = ValueOps(self.functions, numbers, sizes)
        self.found: list[TracedMatrix] = []
        self._copies: list[tuple[Equation, Expression]] = []

    def give(self, name: str, shape: tuple[Size, Size], value: Any, origin: str) -> Traced[Expression]:
        """A matrix with a value."""
        X = self.matrix(name, shape)
        self.ops.values[X.value] = value
        self.found.append(self._matrix(markup(X.value), origin, X.value, given=True))
        return X

    def give_tree(self, shapes: Any, names: Iterable[str], values: Iterator[Any], origin: str) -> Any:
        """Matrices for the shapes in nested tuples, with the names and values in their order."""
        supply = iter(names)
        return map_shapes(lambda shape: self.give(next(supply), shape, next(values), origin), shapes)

    def part(self, title: str, function: Callable[..., Any], arguments: tuple[Any, ...], results: Results) -> Any:
        self._copies = []
        result = super().part(title, function, arguments, results)
        self.found += [self._matrix(markup(e), self._right(e), e) for e in self.ops.bound]
        self.found += [self._matrix(equation.left, equation.right, e) for equation, e in self._copies]
        return result

    def value(self, X: Traced[Expression]) -> Any:
        """The value of a matrix."""
        return self.ops.values[X.value]

    def take(self, number: int, title: str) -> TracedPart:
        """What was found since the last time, as a part."""
        part, self.found = TracedPart(number, title, tuple(self.found)), []
        return part

    def _conclude(self, wanted: Markup, e: Expression, concluded: list[Expression]) -> list[Equation]:
        copies = super()._conclude(wanted, e, concluded)
        self._copies += [(equation, e) for equation in copies]
        return copies

    def _matrix(self, name: Markup, right: str | Markup, e: Expression, given: bool = False) -> TracedMatrix:
        values = self.ops.numbers.to_numpy(self.ops.values[e])
        if isinstance(right, str):
            return TracedMatrix(name.text(), right, e.shape.product, values, given, name.latex(), name.mathml())
        whole = Items(name, Operator("="), right)
        return TracedMatrix(name.text(), right.text(), e.shape.product, values, given, whole.latex(), whole.mathml())
