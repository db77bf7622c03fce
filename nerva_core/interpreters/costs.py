"""Operation counts for all sizes, as polynomials in N, D, K.

Counted are operations on real numbers, by the usual convention: a product of an m x n with an n x k matrix is 2mnk; an elementwise
function or operation on an m x n matrix, however complicated the function, is mn; a sum or maximum over an m x n matrix is mn, and a
mean divides each result too; a sort of the rows is mn, as if it were one pass; transposes, constants, repetitions, diagonals and what only
moves elements are free, since nothing is computed. ``apply`` counts the operations of its function. Each operation states which it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from nerva_core.algebra.matrix import Shape, Size
from nerva_core.algebra.trees import Tree
from nerva_core.interpreters.polynomial import Polynomial
from nerva_core.interpreters.shapes import ShapeOps
from nerva_core.interpreters.subjects import Reader, Results, read
from nerva_core.interpreters.traced import RULES, Operation, Traced


class CostOps(ShapeOps):
    """Matrix operations on shapes that keep ``count``, the number of operations on real numbers."""

    def __init__(self) -> None:
        self.count = Polynomial.of(0)

    def operation(self, operation: Operation[Shape]) -> Shape:
        if RULES[operation.name].work == "definition":
            return self.defined(operation)
        before = self.count
        result = super().operation(operation)  # a definition counts its own operations, which are not ours
        self.count = before + _cost(operation, result)
        return result

    def scan(
        self, body: Callable[..., tuple[Any, Any]], state: Tree, given: tuple[Traced[Shape], ...], length: Size, *more: Any, **named: Any
    ) -> tuple[Any, Any]:
        """As often as there are steps."""
        before = self.count
        result = super().scan(body, state, given, length, *more, **named)
        self.count = before + (self.count - before) * length
        return result


def _cost(operation: Operation[Shape], result: Shape) -> Polynomial:
    """The number of operations on real numbers, by the convention of this module."""
    work, operands = RULES[operation.name].work, operation.operands
    if work == "free" or not operands:
        return Polynomial.of(0)
    count = work(*operation.arguments) if callable(work) else operands[0].rows * operands[0].columns
    return Polynomial.of(count) * next((X.members for X in operands if X.members != 1), 1)


@dataclass
class Costs:
    """The numbers of operations forward and backward, for all sizes."""

    forward: Polynomial = field(default_factory=lambda: Polynomial.of(0))
    backward: Polynomial = field(default_factory=lambda: Polynomial.of(0))


class CostReader(Reader):
    """Counts the operations of the parts."""

    def __init__(self) -> None:
        self.ops = CostOps()
        self.costs = Costs()

    def matrix(self, name: str, shape: tuple[Size, ...]) -> Any:
        return self.ops.matrix(shape)

    def part(self, title: str, function: Callable[..., Any], arguments: tuple[Any, ...], results: Results) -> Any:
        before = self.ops.count
        result = function(self.ops, *arguments)
        setattr(self.costs, title, getattr(self.costs, title) + self.ops.count - before)
        return result


def costs(subject: Any) -> Costs:
    """The operations of a layer, activation, loss, optimizer or function. NervaError if shapes do not fit, for whatever N, D, K."""
    reader = CostReader()
    read(subject, reader)
    return reader.costs
