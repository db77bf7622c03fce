"""Recurrent layers: the backward of each cell, and that of the loop around any cell, for any number of steps.

What is proved, by running ``Recurrent.through`` and ``Recurrent.back`` themselves:

* **Cells.** DA, DB and the gradients of the state are those of the cell, for all N and K.
* **A step.** Let J be any differentiable function of the state after a step and of the parameters: the loss of all later steps. If ΔH, ΔC
  and Dφ are its gradients, then after the step backwards they are those of ⟨DY, H⟩ + J as a function of the state before, and DX is right.
* **Any number L of steps.** The products over N·L rows are the sums over the L steps of those of each: what is before and after the loop.
* **Unrolled.** The whole layer around any cell for L = 1, 2, 3, in both directions for L = 2.

J = 0 for no later steps; so by induction over l = L, ..., 1, which is not a theorem of the machine's but the reader's to make, and with
``scan`` the loop that it is defined to be, the gradients of the layer are right for every L.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.algebra.trees import Tree
from nerva_core.layers import GRU, LSTM, RNN, Layer
from nerva_core.layers.base import Symbols
from nerva_core.layers.recurrence import CellGradients, Recurrent, RecurrentParameters, State
from sympy_validation.attempt import Method
from sympy_validation.claims import Claim, Make, Matrix, Problem
from sympy_validation.layer_gradient import LayerGradient
from sympy_validation.spaces.points import PointSpace
from sympy_validation.spaces.spaces import Space, run
from sympy_validation.symbols import symbolic
from sympy_validation.theorem import Theorem
from sympy_validation.theorems.tools import about

LOOP = "layers.Recurrent(any cell)"
PARAMETERS = RecurrentParameters._fields


@dataclass(frozen=True)
class CellGradient(Claim):
    """``cell_backpropagate`` gives the gradients of ⟨DH', H'⟩ + ⟨DC', C'⟩ with respect to A, B and the state before."""

    layer: Make

    def quantities(self) -> tuple[str, ...]:
        return tuple(f"D{name}" for name in ("A", "B", *self.layer(PointSpace(0)).states))

    def problem(self, space: Space) -> Problem:
        layer: Recurrent = self.layer(space)
        N, K = space.size("N"), layer.outputs
        A, B = (space.matrix(name, N, layer.gates * K) for name in "AB")
        before = tuple(space.matrix(name, N, K) for name in layer.states)
        after, saved = layer.cell(space.ops, A, B, *before)
        Dafter = tuple(space.constant(f"D{name}1", N, K) for name in layer.states)

        def backpropagate(ops: MatrixOps, saved: Any, before: Any, Dafter: Any) -> Tree:
            DA, DB, DH, others = layer.cell_backpropagate(ops, saved, before, *Dafter)
            return DA, DB, ops.zeros(N, K) if DH is None else DH, *others

        given = space.detach((saved, before, Dafter))
        expected = {name: partial(total_gradient, space, tuple(zip(Dafter, after, strict=True)), name[1:]) for name in self.quantities()}
        return Problem(expected, lambda ops: dict(zip(self.quantities(), run(ops, backpropagate, *given), strict=True)))


def total_gradient(space: Space, terms: Any, name: str) -> Matrix:
    """∂(⟨DY, Y⟩ + ...) / ∂ the variable, for the pairs (DY, Y)."""
    first, *rest = [space.gradient(DY, Y, name) for DY, Y in terms]
    for other in rest:
        first = first + other
    return first


# Any cell and any loss of later steps -------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class AnyCell(Recurrent):
    """A cell whose H and C are arbitrary differentiable functions of all elements of A, B, H and C, with any number of gates."""

    states = ("H", "C")
    gates: Size  # type: ignore[misc]

    def cell(self, ops: MatrixOps[M], A: M, B: M, *state: M) -> tuple[State[M], State[M]]:
        N, K = ops.shape(state[0])
        given: Any = ops
        return tuple(given.output(f"f{name}", N, K, A, B, *state) for name in self.states), (A, B)

    def cell_backpropagate(self, ops: MatrixOps[M], saved: State[M], before: State[M], *Dstate: M) -> CellGradients[M]:
        given: Any = ops
        found = [[given.pullback(f"f{name}", k, D, *saved, *before) for name, D in zip(self.states, Dstate, strict=True)] for k in range(4)]
        DA, DB, DH, DC = (first + second for first, second in found)
        return DA, DB, DH, (DC,)

    def for_any_data(self, symbols: Symbols) -> Layer:
        return self


def any_cell(length: int, **options: Any) -> Make:
    """The layer around any cell, for so many positions."""
    return lambda space: AnyCell(outputs=space.size("K"), gates=space.size("G"), length=length, **options)


@dataclass(frozen=True)
class StepGradient(Claim):
    """One step back makes, of the gradients of J of the state after it and φ, those of ⟨DY, H⟩ + J of the state before it and φ."""

    layer: Make

    def quantities(self) -> tuple[str, ...]:
        return ("DX", "DH", "DC", *(f"D{name}" for name in PARAMETERS))

    def problem(self, space: Space) -> Problem:
        layer = self.layer(space)
        N, D = space.size("N"), space.size("D")
        X, H, C = (space.matrix(name, N, columns) for name, columns in zip("XHC", (D, layer.outputs, layer.outputs), strict=True))
        params = RecurrentParameters(*(space.matrix(n, *shape) for n, shape in zip(PARAMETERS, layer.shapes(D), strict=True)))
        DY = space.constant("DY", N, layer.outputs)
        Y, end, cache = layer.through(space.ops, params, X, (H, C))
        any_ops: Any = space.ops
        one, later_loss = any_ops.ones(1, 1), any_ops.output("J", 1, 1, *end, *params)
        terms = ((DY, Y), (one, later_loss))

        def back(ops: MatrixOps, params: Tree, cache: Tree, DY: Matrix, later: Any) -> Tree:
            (DH, DC), Dphi = later[:2], later[2:]
            DX, Dstart, gradients = layer.back(ops, params, cache, DY, (DH, DC))
            return DX, *Dstart, *(of_later + own for of_later, own in zip(Dphi, gradients, strict=True))

        arguments = space.detach((*end, *params))
        later = tuple(any_ops.pullback("J", k, one, *arguments) for k in range(len(arguments)))
        given = space.detach((params, cache, DY, later))
        expected = {name: partial(total_gradient, space, terms, name[1:]) for name in self.quantities()}
        return Problem(expected, lambda ops: dict(zip(self.quantities(), run(ops, back, *given), strict=True)))


@dataclass(frozen=True)
class AllSteps(Claim):
    """What the layer computes of all rows at once is what each of any number L of steps does, whatever DA_l, DB_l and H_(l-1) are."""

    layer: Make

    def quantities(self) -> tuple[str, ...]:
        return ("X", "A", "DX", *(f"D{name}" for name in PARAMETERS))

    def problem(self, space: Space) -> Problem:
        layer: Recurrent = replace(self.layer(space), length=space.size("L"))
        N, D, L, K, G = space.size("N"), space.size("D"), layer.L, layer.outputs, layer.gates * layer.outputs
        X = space.matrix("X", N * L, D)
        params = RecurrentParameters(*(space.matrix(n, *shape) for n, shape in zip(PARAMETERS, layer.shapes(D), strict=True)))
        before, DA, DB = (space.ops.split(space.matrix(name, L * N, n), N, n) for name, n in (("H", K), ("DA", G), ("DB", G)))
        given = space.detach((params, X, before, DA, DB))

        def at_once(ops: MatrixOps, params: Tree, X: Matrix, before: Matrix, DA: Matrix, DB: Matrix) -> Tree:
            A = layer.by_sequence(ops, layer.inputs(ops, params, X))
            DX, gradients = layer.gradients(ops, params, X, before, DA, DB)
            return layer.by_sequence(ops, layer.by_time(ops, X, D)), A, DX, *gradients

        def tested(ops: MatrixOps) -> dict[str, Matrix]:
            return dict(zip(self.quantities(), run(ops, at_once, *given), strict=True))

        def expected(k: int) -> Matrix:
            return each_step(layer, space.ops, *given)[k]

        return Problem({name: partial(expected, k) for k, name in enumerate(self.quantities())}, tested)


def each_step(layer: Recurrent, ops: MatrixOps, params: Tree, X: Matrix, before: Matrix, DA: Matrix, DB: Matrix) -> tuple[Matrix, ...]:
    """The same on the members of families: A_l = X_l · Wᵀ + 1 · b, DX_l = DA_l · W, DW = Σ_l DA_lᵀ · X_l, ..."""
    W, _, b, _ = params
    N, _ = ops.shape(before)
    Xs = layer.by_time(ops, X, ops.shape(X)[1])
    rows = [Xs @ ops.transpose(W) + ops.row_repeat(b, N), DA @ W]
    sums = [ops.transpose(DA) @ Xs, ops.transpose(DB) @ before, ops.columns_sum(DA), ops.columns_sum(DB)]
    return X, *(layer.by_sequence(ops, F) for F in rows), *map(ops.members_sum, sums)


# The table ------------------------------------------------------------------------------------------------------------------


def cell_of(entry: type[Recurrent]) -> Make:
    """The layer with symbols for its parameters."""
    return lambda space: symbolic(entry, space)


def cell_theorems(entry: type[Recurrent]) -> Iterator[Theorem]:
    """The theorems about the cell of a layer; the rest is proved for any cell."""
    yield from about(f"layers.{entry.__name__}", CellGradient(cell_of(entry)), CELL)


def theorems() -> Iterator[Theorem]:
    """The table for the cells, and for the loop around any cell."""
    for entry in (RNN, LSTM, GRU):
        yield from cell_theorems(entry)
    all_sizes: tuple[Method, ...] = ("all sizes",)
    yield from about(LOOP, StepGradient(any_cell(1)), STEP, all_sizes, name="a step")
    yield from about(LOOP, AllSteps(any_cell(1)), ALL_STEPS, all_sizes, name="L steps")
    for L in (1, 2, 3):
        yield from unrolled(any_cell(L), f"L = {L}")
    yield from unrolled(any_cell(2, bidirectional=True), "both directions, L = 2")


CELL = (
    "{} = ∂(⟨DH', H'⟩ + ⟨DC', C'⟩ if there is a C) / ∂ its variable, of one step of the cell; with the theorems of Recurrent(any cell) "
    "and induction over l, by hand, the gradients of the layer are right for every L"
)
STEP = "{} after a step backwards is that of ⟨DY, H⟩ + J, if before it ΔH, ΔC, Dφ are those of J, for any J of the later steps and any cell"
ALL_STEPS = "{} of all rows at once is what each of L steps gives, or the sum over l = 1, ..., L, for every L"


def unrolled(make: Make, name: str) -> Iterator[Theorem]:
    """The gradients of the layer around any cell, for a given number of positions."""
    yield from about(
        LOOP, LayerGradient(make), f"{{}} = ∂⟨DY, Y⟩ / ∂ its variable for every DY, any cell, {name}", ("all sizes",), name=name
    )
