"""Arbitrary layers: what is proved with them holds for every layer whose own backward equations are right.

An abstract layer has an output that is some differentiable function of its input and parameters, and nothing else is known of it.
Its derivatives are the atoms ``Sensitivity``: the derivative of ⟨DY, Y⟩ with respect to the argument A is, at (p, q),
Σ_{i,j} DY[i,j] · ∂Y[i,j]/∂A[p,q], which is what its ``backpropagate`` gives. So a composition of layers is proved once, for all layers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.equations.hard_functions import HardFunction
from nerva_core.layers import Layer
from sympy_validation.unknown import unknowns


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

    def feedforward(self, ops: MatrixOps[M], params: tuple[M, ...], X: M) -> tuple[M, tuple[M]]:
        N, D = ops.shape(X)
        Y: M = unknowns(ops).output(self.name, N, self.outputs_for(D), X, *params)
        return Y, (X,)

    def backpropagate(self, ops: MatrixOps[M], params: tuple[M, ...], cache: tuple[M], DY: M) -> tuple[M, tuple[M, ...]]:
        arguments: Any = (*cache, *params)
        DX, *gradients = (unknowns(ops).pullback(self.name, k, DY, *arguments) for k in range(len(arguments)))
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
