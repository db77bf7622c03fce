"""Statements about a matrix operation beside its definition: the one place from which interpreters derive the rest.

    @operation(shape=lambda X: (X.columns, X.rows), work="free")
    def transpose(self, X): ...

An operation without a statement takes operands of one shape, gives a result of that shape, and costs one operation an element.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypeVar

from nerva_core.algebra.matrix import Shape

F = TypeVar("F", bound=Callable[..., Any])

Work: TypeAlias = Literal["element", "free", "definition"] | Callable[..., Any]

Way: TypeAlias = Literal["rows", "columns", "members"]
"""How a matrix is cut into parts: into blocks of its rows, into blocks of its columns; a family, into its members."""


class Misfit(ArithmeticError):  # noqa: N818
    """Shapes that an operation does not take; the message says why."""


@dataclass(frozen=True)
class OperationRule:
    """The shape of the result of an operation, and what it costs."""

    shape: Callable[..., tuple[Any, ...]] | Literal["operand", "definition"] = "operand"
    """The rows and columns (and members, if it makes or takes a family) of the result, for the arguments with shapes in the place of
    matrices: Misfit if they do not fit. Or that of the operands, which then have one shape; or what the definition gives."""
    expects: tuple[str, Callable[[Shape], bool]] | None = None
    """What it asks of the shape of its first operand, in words and as a condition."""
    work: Work = "element"
    """The operations on numbers: one an element of the first operand; none, as where elements only move; those of the definition; or a
    function of the shapes."""
    by: Collection[Way] = ("rows", "columns", "members")
    """The ways to cut operands for which the operation on each part gives that part of the result."""
    adds: Collection[Way] = ()
    """The ways to cut operands for which the results of the parts add up to the result."""
    whole: Collection[int] = ()
    """The positions of the operands of which every part needs the whole."""

    def check(self, operands: tuple[Shape, ...]) -> None:
        """Misfit unless the operands have shapes that the operation takes."""
        if self.shape == "operand" and any(X[:2] != operands[0][:2] for X in operands):
            raise Misfit(f"shapes {' and '.join(map(str, dict.fromkeys(operands)))} differ")
        if self.expects and not self.expects[1](operands[0]):
            raise Misfit(f"expected {self.expects[0]}, got shape {operands[0]}")


DEFAULT = OperationRule()

BY_ROWS: tuple[Way, ...] = ("rows", "members")
"""Of an operation in which a row of the result, or a block of them, needs the same rows of the operands."""
BY_COLUMNS: tuple[Way, ...] = ("columns", "members")
"""Of one in which a column does."""
BY_MEMBERS: tuple[Way, ...] = ("members",)
"""Of one that mixes rows and columns."""


def operation(**statement: Any) -> Callable[[F], F]:
    """Decorate a method of ``MatrixOps`` with the fields of its ``OperationRule``."""

    def decorate(method: F) -> F:
        vars(method)["rule"] = OperationRule(**statement)
        return method

    return decorate


def fit(condition: Any, reason: str) -> None:
    """Misfit with the reason unless the condition holds."""
    if not condition:
        raise Misfit(reason)
