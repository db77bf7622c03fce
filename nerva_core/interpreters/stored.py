"""Matrices that are kept in bfloat16: every operation computes in float32, sums included, and its result is rounded once.

A matrix of one element, as a loss or a count is, stays in float32; so do the numbers of a step, such as the learning rate. What only moves
elements moves them as they are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nerva_core.algebra.matrix_ops import M
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.algebra.trees import Tree, map_tree
from nerva_core.interpreters.traced import RULES, Operation, Traced, TracingOps

MOVES = ("take_rows", "segment")
"""What backends do beyond MatrixOps that only moves elements."""


class StoredOps(TracingOps[M]):
    """The operations of a backend in float32, on matrices that it keeps in bfloat16."""

    inner: Backend[M]

    def __init__(self, inner: Backend[M]) -> None:
        super().__init__(inner)

    def operation(self, operation: Operation[M]) -> M:
        if operation.name in MOVES or (operation.name in RULES and RULES[operation.name].work == "free"):
            return self._stored(operation.run(self.inner))
        arguments = (self.inner.widened(a) if k in operation.positions else a for k, a in enumerate(operation.arguments))
        return self._stored(Operation(operation.name, tuple(arguments), operation.positions).run(self.inner))

    def wrap(self, tree: Tree) -> Any:
        return map_tree(lambda leaf: Traced(self, self._stored(leaf)) if self.is_matrix(leaf) else leaf, tree)

    def scan(self, *arguments: Any, **named: Any) -> tuple[Any, Any]:
        return self.scan_inside(*arguments, **named)

    def _stored(self, X: M) -> M:
        return self.inner.stored(X)


class Narrowing(Backend[M]):
    """A backend that can keep matrices in bfloat16."""

    narrows = True

    def at_once(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return super().at_once(function, *arguments) if self.storage == self.dtype else StoredOps(self).call(function, *arguments)
