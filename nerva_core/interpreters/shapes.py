"""Shapes for all sizes: an interpretation whose matrices are their shapes, with sizes N, D, K, ...

The shape of a result follows from the definition of the operation in MatrixOps, down to the primitives; operands whose shapes do not
fit are an error that names the operation.
"""

from __future__ import annotations

from collections.abc import Callable

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import MatrixOps, Size
from nerva_core.interpreters.traced import NATIVE, Interpreter, Operation, Traced

Shape = tuple[Size, Size]

EXPECTED: dict[str, tuple[str, Callable[[Size, Size], bool]]] = {
    "row_repeat": ("a row vector", lambda m, n: m == 1),
    "column_repeat": ("a column vector", lambda m, n: n == 1),
    "fill": ("a 1 x 1 matrix", lambda m, n: m == 1 and n == 1),
    "diag": ("a square matrix", lambda m, n: m == n),
    "Diag": ("a row or column vector", lambda m, n: m == 1 or n == 1),
}
"""What an operation asks of the shape of its operand."""

PRIMITIVES: dict[str, Callable[..., Shape]] = {
    "full": lambda c, m, n: (m, n),
    "constant": lambda rows: (len(rows), len(rows[0])),
    "identity": lambda n: (n, n),
    "unit": lambda j, n: (n, 1),
    "shift": lambda n, o: (n, n),
    "step_function": lambda X, s, T: X,
    "interval_sums": lambda Y, X, s: (len(s) + 1, X[1]),
    "transpose": lambda X: (X[1], X[0]),
    "matmul": lambda X, Z: (X[0], Z[1]),
    "diag": lambda X: (X[0], 1),
    "Diag": lambda x: (x[0], x[0]) if x[1] == 1 else (x[1], x[1]),
    "rows_max": lambda X: (X[0], 1),
    "reshape": lambda X, m, n: (m, n),
    "take_columns": lambda X, columns: (X[0], len(columns)),
    "join_columns": lambda X, Y: (X[0], X[1] + Y[1]),
    "sort_rows": lambda X: X,
}
"""The shapes of the results of the primitives, and of what is defined for an int only; the others keep the shape of their operands."""


def shown(shape: Shape) -> str:
    """The shape as text: (N, K)."""
    return f"({shape[0]}, {shape[1]})"


def check_shapes(operation: Operation[Shape]) -> None:
    """NervaError unless the operands have shapes that the operation takes."""
    name, operands = operation.name, operation.operands
    if name == "matmul":
        X, Z = operands
        if X[1] != Z[0]:
            raise NervaError(f"matmul: shapes {shown(X)} and {shown(Z)} do not fit: {X[1]} columns, {Z[0]} rows")
    elif name == "join_columns":
        X, Y = operands
        if X[0] != Y[0]:
            raise NervaError(f"join_columns: shapes {shown(X)} and {shown(Y)} do not fit: {X[0]} and {Y[0]} rows")
    elif name == "step_function":
        X, T = operands
        expected = (len(operation.arguments[1]) + 1, X[1])
        if expected != T:
            raise NervaError(f"step_function: expected values of shape {shown(expected)}, a row an interval, got {shown(T)}")
    elif any(operand != operands[0] for operand in operands):
        raise NervaError(f"{name}: shapes {' and '.join(map(shown, dict.fromkeys(operands)))} differ")
    if name in EXPECTED and not EXPECTED[name][1](*operands[0]):
        raise NervaError(f"{name}: expected {EXPECTED[name][0]}, got shape {shown(operands[0])}")


class ShapeOps(Interpreter[Shape]):
    """Matrix operations on shapes."""

    def size(self, value: Shape) -> Shape:
        return value

    def matrix(self, shape: Shape) -> Traced[Shape]:
        """A matrix of that shape."""
        return Traced(self, shape)

    def operation(self, operation: Operation[Shape]) -> Shape:
        check_shapes(operation)
        if operation.name in PRIMITIVES:
            return PRIMITIVES[operation.name](*operation.arguments)
        definition = getattr(MatrixOps, operation.name)
        if operation.name in NATIVE or getattr(definition, "__isabstractmethod__", False):
            return operation.operands[0]
        arguments = [self.matrix(a) if k in operation.positions else a for k, a in enumerate(operation.arguments)]
        result: Traced[Shape] = definition(self, *arguments)
        return result.value
