"""Operation counts for all sizes, as polynomials in N, D, K.

Counted are operations on real numbers, by the usual convention: a product of an m x n with an n x k matrix is 2mnk; an elementwise
function or operation on an m x n matrix, however complicated the function, is mn; a sum or maximum over an m x n matrix is mn, and a
mean divides each result too; a sort of the rows is mn, as if it were one pass; transposes, constants, repetitions, diagonals and what only
moves elements are free, since nothing is computed. ``apply`` counts the operations of its function.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from nerva_core.interpreters.polynomial import Polynomial
from nerva_core.interpreters.shapes import Shape, ShapeOps
from nerva_core.interpreters.subjects import Reader, Results, read
from nerva_core.interpreters.traced import Operation

FREE = ("transpose", "diag", "Diag", "row_repeat", "column_repeat", "fill", "reshape", "take_columns", "join_columns", "stop_gradient")


class CostOps(ShapeOps):
    """Matrix operations on shapes that keep ``count``, the number of operations on real numbers."""

    def __init__(self) -> None:
        self.count = Polynomial.of(0)

    def operation(self, operation: Operation[Shape]) -> Shape:
        if operation.name == "apply":
            return super().operation(operation)
        before = self.count
        result = super().operation(operation)  # a definition counts its own operations, which are not ours
        self.count = before + cost(operation, result)
        return result


def cost(operation: Operation[Shape], result: Shape) -> Polynomial:
    """The number of operations on real numbers, by the convention of this module."""
    name, operands = operation.name, operation.operands
    if name in FREE or not operands:
        return Polynomial.of(0)
    work = _elements(operands[0])
    if name == "matmul":
        return work * Polynomial.of(result[1]) * 2
    if name.endswith("_mean"):
        return work + _elements(result)
    return work * 2 if name == "dot" else work


def _elements(shape: Shape) -> Polynomial:
    m, n = (Polynomial.of(size) for size in shape)
    return m * n


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

    def matrix(self, name: str, shape: Shape) -> Any:
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
