"""One sequence continued position by position: what a layer keeps of the positions before is its past.

So a network that writes text looks at each position once, as the keys and values of attention are kept.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Generic, NamedTuple

from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.algebra.trees import Tree


class Place(NamedTuple, Generic[M]):
    """A position l = 0, ..., L - 1 of a sequence: e is its unit vector, L x 1, and ``seen``, 1 x L, has ones up to it."""

    e: M
    seen: M


class LayerContinuation(ABC):
    """The output at a position, given those before, in place of the output at all of them."""

    @abstractmethod
    def inside(self) -> tuple[Any, ...]:
        """The layers directly inside this one."""

    @abstractmethod
    def evaluate(self, ops: MatrixOps[M], params: Tree, state: Tree, X: M) -> M:
        """The output at inference."""

    def can_go_on(self) -> bool:
        """Whether a position depends on those before it alone, and ``go_on`` says how; by default of a layer with no other inside."""
        return not self.inside()

    def past(self, ops: MatrixOps[M], D: Size) -> Any:
        """What is kept before the first position, of inputs with D columns; by default nothing."""
        return ()

    def go_on(self, ops: MatrixOps[M], params: Tree, state: Tree, past: Any, x: M, place: Place[M]) -> tuple[M, Tree]:
        """(y, past): the output at one position, for its row x of the input; by default it depends on no other position."""
        return self.evaluate(ops, params, state, x), past
