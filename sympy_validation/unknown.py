"""Functions and layers of which a proof knows nothing, and the operations by which an interpreter has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, cast

from nerva_core.algebra.matrix_ops import MatrixOps, Size
from nerva_core.equations.activations import Activation

M = TypeVar("M")


class UnknownOps(Protocol[M]):
    """The operations of an interpreter of proofs, besides those of ``MatrixOps``; one that wraps another hands them on."""

    def unknown(self, function: Any, X: M, order: int = 0) -> M:
        """f(X) or its derivative of this order, for a function of elements of which the value is not known."""

    def output(self, name: str, rows: Size, columns: Size, *arguments: M) -> M:
        """The output of an unknown differentiable function of whole matrices."""

    def pullback(self, name: str, k: int, DY: M, *arguments: M) -> M:
        """The gradient of ⟨DY, Y⟩ with respect to the k-th argument, where Y is the output of an unknown function."""


def unknowns(ops: MatrixOps) -> UnknownOps[Any]:
    """An interpreter of proofs as what it is: what holds an unknown function runs on no other."""
    return cast("UnknownOps[Any]", ops)


@dataclass(frozen=True)
class UnknownActivation(Activation):
    """Any differentiable function R -> R, of which nothing but its name is known: the gradient is its derivative."""

    function: Any

    def value(self, ops: MatrixOps, X: Any) -> Any:
        return unknowns(ops).unknown(self.function, X, 0)

    def gradient(self, ops: MatrixOps, X: Any) -> Any:
        return unknowns(ops).unknown(self.function, X, 1)

    def second_derivative(self, ops: MatrixOps, X: Any) -> Any:
        return unknowns(ops).unknown(self.function, X, 2)
