"""Recurrent layers: the backward of each cell, and the loop around any cell, unrolled over one, two and three steps.

The step: before a step of the loop that runs backwards, DH and the gradients of the other states are those of the loss of the later
steps; after it they are those of ⟨DY_l, H_l⟩ and that loss. This is what the theorem of a cell says, for every DH. The loop with any cell
says that the steps are joined rightly, and that the gradients of the parameters are sums over the steps. That this goes on for every L is
an induction over L, which is not made by the machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.layers import GRU, LSTM, RNN, Layer
from nerva_core.layers.recurrent import Recurrent
from sympy_validation.spaces.spaces import ExampleLayer, Space
from sympy_validation.theorem import Theorem
from sympy_validation.theorems.layers import gradient_theorems

CELLS: tuple[type[Recurrent], ...] = (RNN, LSTM, GRU)
LENGTHS = (1, 2, 3)


@dataclass(frozen=True)
class OneStep(Layer):
    """[H' ...] of [Z V H ...]: a cell as a layer, each part K columns wide for every gate and state."""

    recurrent: Recurrent

    @property
    def parts(self) -> int:
        """The number of parts of X."""
        return 2 * self.recurrent.gates + self.recurrent.states

    def shape_of_input(self, symbols: Any) -> tuple[Size, Size]:
        return symbols.size("N"), self.parts * symbols.size("K")

    def outputs_for(self, D: Size) -> Size:
        return self.recurrent.states * (D // self.parts)

    def feedforward(self, ops: MatrixOps[M], params: Any, X: M, *args: Any, **kwargs: Any) -> tuple[M, Any]:
        g = self.recurrent.gates
        each = [ops.column_part(X, k, self.parts) for k in range(self.parts)]
        Z, V = (ops.join_column_parts(*part) for part in (each[:g], each[g : 2 * g]))
        new, cache = self.recurrent.cell(ops, Z, V, *each[2 * g :])
        return ops.join_column_parts(*new), cache

    def backpropagate(self, ops: MatrixOps[M], params: Any, cache: Any, DY: M) -> tuple[M, Any]:
        g, states = self.recurrent.gates, self.recurrent.states
        DZ, DV, Dstate = self.recurrent.cell_backpropagate(ops, cache, *(ops.column_part(DY, k, states) for k in range(states)))
        each = (*(ops.column_part(D, k, g) for D in (DZ, DV) for k in range(g)), *Dstate)
        return ops.join_column_parts(*each), ()


@dataclass(frozen=True)
class AnyCell(Recurrent):
    """A recurrent layer whose cell is any differentiable function of Z, V and H."""

    gates = 1

    layer: Layer | None = None

    def cell(self, ops: MatrixOps[M], Z: M, V: M, *state: M) -> tuple[tuple[M, ...], tuple[M, ...]]:
        assert self.layer is not None
        H, cache = self.layer.feedforward(ops, (V, *state), Z)
        return (H,), (*cache, V, *state)

    def cell_backpropagate(self, ops: MatrixOps[M], cache: tuple[M, ...], *Dstate: M) -> tuple[M, M, tuple[M, ...]]:
        assert self.layer is not None
        Z, V, H = cache
        (DH,) = Dstate
        DZ, (DV, Dbefore) = self.layer.backpropagate(ops, (V, H), (Z,), DH)
        return DZ, DV, (Dbefore,)

    def for_any_data(self, symbols: Any) -> Layer:
        return self


@dataclass(frozen=True)
class ExampleCell(RNN):
    """The cell at exact points."""

    def for_any_data(self, symbols: Any) -> Layer:
        return self


def one_step(kind: type[Recurrent], space: Space[Any]) -> Layer:
    """The cell of that kind as a layer."""
    return OneStep(kind(space.size("K")))


def any_cell(length: int, space: Space[Any]) -> Layer:
    """The loop over so many steps; where a cell cannot be arbitrary, with that of an RNN."""
    K = space.size("K")
    layer = space.any_layer("cell", K, K)
    return ExampleCell(K, length=length) if isinstance(layer, ExampleLayer) else AnyCell(K, layer=layer, length=length)


def theorems() -> Iterator[Theorem]:
    """The table for the recurrent layers."""
    for kind in CELLS:
        yield from gradient_theorems(
            f"layers.{kind.__name__}", partial(one_step, kind), " of one step, for every DH", methods=("all sizes",)
        )
    for length in LENGTHS:
        about, conditions = ", for any cell", (f"for L = {length}",)
        make = partial(any_cell, length)
        yield from gradient_theorems(f"layers.Recurrent(any cell, {length})", make, about, methods=("all sizes",), conditions=conditions)
