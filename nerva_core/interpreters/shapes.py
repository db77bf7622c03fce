"""Shapes for all sizes: an interpretation whose matrices are their shapes, with sizes N, D, K, ...

The shape of a result is stated with the operation, or follows from its definition; operands whose shapes do not fit are an error that
names the operation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix import Scalar, Shape, Size
from nerva_core.algebra.matrix_ops import MatrixOps
from nerva_core.algebra.operation import Misfit
from nerva_core.algebra.trees import Tree
from nerva_core.interpreters.traced import RULES, Interpreter, Operation, Traced


class MisfitError(NervaError):
    """An operation is given matrices whose shapes do not fit."""


class ShapeOps(Interpreter[Shape]):
    """Matrix operations on shapes."""

    def size(self, value: Shape) -> tuple[Size, Size]:
        return value.rows, value.columns

    def member_count(self, value: Shape) -> Size:
        return value.members

    def size_power(self, n: Size, e: float) -> Scalar:
        return 1.0  # some number

    def scan(
        self, body: Callable[..., tuple[Any, Any]], state: Tree, given: tuple[Traced[Shape], ...], length: Size, *more: Any, **named: Any
    ) -> tuple[Any, Any]:
        """The body once, for any number of steps."""
        state, outputs = body(state, *(self.member(F, 0) for F in given))
        return state, tuple(Traced(self, X.value._replace(members=length)) for X in outputs)

    def matrix(self, shape: tuple[Size, ...]) -> Traced[Shape]:
        """A matrix of that shape."""
        return Traced(self, Shape(*shape))

    def operation(self, operation: Operation[Shape]) -> Shape:
        rule, operands = RULES[operation.name], operation.operands
        try:
            rule.check(operands)
            if callable(rule.shape):
                return _shape(rule.shape(*operation.arguments), operands)
        except Misfit as error:
            raise MisfitError(f"{operation.name}: {error}") from None
        return _shape(operands[0][:2], operands) if rule.shape == "operand" else self.defined(operation)

    def defined(self, operation: Operation[Shape]) -> Shape:
        """The shape that the definition of the operation gives."""
        arguments = [self.matrix(a) if k in operation.positions else a for k, a in enumerate(operation.arguments)]
        result: Traced[Shape] = getattr(MatrixOps, operation.name)(self, *arguments)
        return result.value


def _shape(found: tuple[Any, ...], operands: tuple[Shape, ...]) -> Shape:
    """The shape with those rows and columns, and as many members as the operands have unless it says how many."""
    m, n, *members = found
    return Shape(m, n, members[0] if members else next((X.members for X in operands if X.members != 1), 1))
