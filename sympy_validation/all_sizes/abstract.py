"""Arbitrary layers: what is proved with them holds for every layer whose own backward equations are right.

An abstract layer has an output that is some differentiable function of its input and parameters, and nothing else is known of it.
Its derivatives are the atoms ``Sensitivity``: the derivative of ⟨DY, Y⟩ with respect to the argument A is, at (p, q),
Σ_{i,j} DY[i,j] · ∂Y[i,j]/∂A[p,q], which is what its ``backpropagate`` gives. So a composition of layers is proved once, for all layers.

A layer may keep in its cache whatever it likes, of its parameters too. So it gives its gradients for its own cache and for the parameters
of that call only; for others it gives something of which nothing is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.equations.hard_functions import HardFunction
from nerva_core.layers import Layer
from sympy_validation.all_sizes.matrices import SymbolicMatrix
from sympy_validation.unknown import unknowns


class AbstractCache(NamedTuple):
    """Which function it was, and what it was applied to."""

    name: str
    X: Any
    params: tuple[Any, ...]
    noise: tuple[Any, ...] = ()

    def pullbacks(self, ops: MatrixOps, name: str, params: Sequence[Any], DY: Any) -> tuple[Any, ...]:
        """The gradients of ⟨DY, Y⟩ with respect to X and the parameters, if the cache is that of this function and these parameters."""
        arguments: tuple[Any, ...] = (self.X, *params, *self.noise)
        if self.name != name or not all(map(_same, self.params, params)):
            name, arguments = f"{name} with a cache of {self.name}", (*arguments, *self.params)
        return tuple(unknowns(ops).pullback(name, k, DY, *arguments) for k in range(1 + len(params)))


def _same(A: Any, B: Any) -> bool:
    return A is B or not (isinstance(A, SymbolicMatrix) and isinstance(B, SymbolicMatrix)) or A.entry == B.entry


@dataclass(frozen=True)
class AbstractLayer(Layer):
    """An arbitrary differentiable layer: its output has the rows of the input, and ``outputs`` columns or those of the input."""

    name: str
    outputs: Size | None = None
    parameters: Mapping[str, tuple[Size, Size]] = field(default_factory=dict, hash=False)

    def outputs_for(self, D: Size) -> Size:
        return D if self.outputs is None else self.outputs

    def shapes(self, D: Size) -> tuple[tuple[Size, Size], ...]:
        return tuple(self.parameters.values())

    def feedforward(self, ops: MatrixOps[M], params: tuple[M, ...], X: M) -> tuple[M, AbstractCache]:
        N, D = ops.shape(X)
        Y: M = unknowns(ops).output(self.name, N, self.outputs_for(D), X, *params)
        return Y, AbstractCache(self.name, X, params)

    def backpropagate(self, ops: MatrixOps[M], params: tuple[M, ...], cache: AbstractCache, DY: M) -> tuple[M, tuple[M, ...]]:
        DX, *gradients = cache.pullbacks(ops, self.name, params, DY)
        return DX, tuple(gradients)


@dataclass(frozen=True)
class AbstractHardFunction(HardFunction):
    """An arbitrary function of a matrix: its output has the rows of the input and ``outputs`` columns."""

    name: str
    outputs: Size

    def outputs_for(self, D: Size) -> Size:
        return self.outputs

    def value(self, ops: MatrixOps[M], X: M, *noise: M) -> M:
        H: M = unknowns(ops).output(self.name, ops.shape(X)[0], self.outputs, X)
        return H
