"""Recurrence: one cell over the positions of every sequence, and backpropagation through time (Werbos 1990).

N sequences of L positions are N·L rows, those of a sequence one after the other. With H_0 = 0, for l = 1, ..., L,

    A_l = X_l · Wᵀ + 1 · b          B_l = H_(l-1) · Uᵀ + 1 · c          (H_l, ...) = cell(A_l, B_l, H_(l-1), ...)

The cell has no parameters. All A_l are one product, before the loop; and after the loop backwards DW = DAᵀ · X is one, over N·L rows.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Generic, NamedTuple

import numpy as np

from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.algebra.registry import Count
from nerva_core.algebra.trees import Tree
from nerva_core.equations.initializers import Initializer, NormalizedXavier, Zero
from nerva_core.layers.base import Layer, Symbols
from nerva_core.layers.continuation import Place
from nerva_core.layers.sequence import SequenceLayer


class RecurrentParameters(NamedTuple, Generic[M]):
    """W is G·K x D, U is G·K x K, b and c are 1 x G·K, for G gates: torch's weight_ih, weight_hh, bias_ih and bias_hh."""

    W: M
    U: M
    b: M
    c: M


class BothDirections(NamedTuple):
    """Of a layer that reads both ways: the parameters, or the caches, of each."""

    forward: Any
    backward: Any


class RecurrentCache(NamedTuple):
    """X is N·L x D; the others are families of L members: the state before each step, and what the cell saved."""

    X: Any
    before: Any
    saved: Any


State = tuple[M, ...]
"""What is handed from a step to the next, N x K each; the first is the output H."""
CellGradients = tuple[M, M, M | None, State[M]]


@dataclass(frozen=True, kw_only=True)
class Recurrent(SequenceLayer):
    """A cell over the positions of every sequence. Y has the outputs H_l of all positions, N·L x K; see ``Last``.

    With ``bidirectional`` a second recurrence of its own parameters reads from the last position to the first, and Y is [H H'].
    """

    gates: ClassVar[int] = 1
    """G, the number of parts of A and of B, in the order that the cell states."""
    states: ClassVar[tuple[str, ...]] = ("H",)
    """The names of the matrices in the state."""
    shown = ("through", "back", "inputs", "gradients", "cell", "cell_backpropagate")

    outputs: Count = field(kw_only=False)
    bidirectional: bool = False
    weights: Initializer = NormalizedXavier()
    recurrent_weights: Initializer = NormalizedXavier()
    bias: Initializer = Zero()

    @abstractmethod
    def cell(self, ops: MatrixOps[M], A: M, B: M, *state: M) -> tuple[State[M], State[M]]:
        """(the next state, what its backpropagation needs)."""

    @abstractmethod
    def cell_backpropagate(self, ops: MatrixOps[M], saved: State[M], before: State[M], *Dstate: M) -> CellGradients[M]:
        """(DA, DB, DH, (DC, ...)): the gradients of ⟨DH', H'⟩ + ⟨DC', C'⟩ + ..., with A, B and the state before as the variables.

        DH is None if the cell sees the H before in B only.
        """

    # The loop.

    def through(
        self, ops: MatrixOps[M], params: RecurrentParameters[M], X: M, start: State[M], reverse: bool = False
    ) -> tuple[M, State[M], RecurrentCache]:
        """(Y, the state after the last step, cache), from a given state."""
        _, U, _, c = params
        N, _ = ops.shape(start[0])

        def step(state: State[M], A: M) -> tuple[State[M], Any]:
            B = state[0] @ ops.transpose(U) + ops.row_repeat(c, N)
            after, saved = self.cell(ops, A, B, *state)
            return after, (after[0], *state, *saved)

        end, (H, *kept) = ops.scan(step, start, (self.inputs(ops, params, X),), self.L, reverse, self.states)
        count = len(self.states)
        return self.by_sequence(ops, H), end, RecurrentCache(X, tuple(kept[:count]), tuple(kept[count:]))

    def back(
        self, ops: MatrixOps[M], params: RecurrentParameters[M], cache: RecurrentCache, DY: M, Dend: State[M], reverse: bool = False
    ) -> tuple[M, State[M], RecurrentParameters[M]]:
        """(DX, the gradients of the state at the start, those of the parameters), given the gradients of the state at the end."""
        _, U, _, _ = params
        X, before, saved = cache
        count, later = len(self.states), tuple(f"Δ{name}" for name in self.states)

        def step(Dstate: State[M], DY: M, *kept: M) -> tuple[State[M], Any]:
            DeltaH, *others = Dstate
            DA, DB, E, rest = self.cell_backpropagate(ops, kept[count:], kept[:count], DY + DeltaH, *others)
            return (DB @ U if E is None else E + DB @ U, *rest), (DA, DB)

        given = (self.by_time(ops, DY, self.outputs), *before, *saved)
        Dstart, (DA, DB) = ops.scan(step, Dend, given, self.L, not reverse, later)
        DX, gradients = self.gradients(ops, params, X, before[0], DA, DB)
        return DX, Dstart, gradients

    def inputs(self, ops: MatrixOps[M], params: RecurrentParameters[M], X: M) -> M:
        """The family of all A_l."""
        W, _, b, _ = params
        rows, _ = ops.shape(X)
        A = X @ ops.transpose(W) + ops.row_repeat(b, rows)
        return self.by_time(ops, A, self.gates * self.outputs)

    def gradients(
        self, ops: MatrixOps[M], params: RecurrentParameters[M], X: M, before: M, DA: M, DB: M
    ) -> tuple[M, RecurrentParameters[M]]:
        """DX and the gradients of the parameters, given the families of all H_(l-1), DA_l and DB_l."""
        W, _, _, _ = params
        DA, DB = self.by_sequence(ops, DA), self.by_sequence(ops, DB)
        DW = ops.transpose(DA) @ X
        DU = ops.transpose(DB) @ self.by_sequence(ops, before)
        Db = ops.columns_sum(DA)
        Dc = ops.columns_sum(DB)
        DX = DA @ W
        return DX, RecurrentParameters(DW, DU, Db, Dc)

    def by_time(self, ops: MatrixOps[M], X: M, columns: Size) -> M:
        """The family of the L matrices of one time, N x D each, of N·L x D."""
        rows, _ = ops.shape(X)
        N = rows // self.L
        return ops.split(ops.reshape(X, N, self.L * columns), N, columns)

    def by_sequence(self, ops: MatrixOps[M], F: M) -> M:
        """N·L x D of the family of the L matrices of one time: the inverse of ``by_time``."""
        N, columns = ops.shape(F)
        return ops.reshape(ops.join(F, 1), N * self.L, columns)

    def zero(self, ops: MatrixOps[M], rows: Size) -> State[M]:
        """The state 0 before the first step, for so many rows of X."""
        return tuple(ops.zeros(rows // self.L, self.outputs) for _ in self.states)

    # The layer.

    def feedforward(self, ops: MatrixOps[M], params: Tree, X: M) -> tuple[M, Tree]:
        zero = self.zero(ops, ops.shape(X)[0])
        if not self.bidirectional:
            Y, _, cache = self.through(ops, params, X, zero)
            return Y, cache
        Y, _, cache = self.through(ops, params.forward, X, zero)
        Y_back, _, cache_back = self.through(ops, params.backward, X, zero, reverse=True)
        return ops.join_column_parts(Y, Y_back), BothDirections(cache, cache_back)

    def backpropagate(self, ops: MatrixOps[M], params: Tree, cache: Tree, DY: M) -> tuple[M, Tree]:
        zero = self.zero(ops, ops.shape(DY)[0])
        if not self.bidirectional:
            DX, _, gradients = self.back(ops, params, cache, DY, zero)
            return DX, gradients
        DX, _, gradients = self.back(ops, params.forward, cache.forward, ops.column_part(DY, 0, 2), zero)
        DX_back, _, gradients_back = self.back(ops, params.backward, cache.backward, ops.column_part(DY, 1, 2), zero, reverse=True)
        return DX + DX_back, BothDirections(gradients, gradients_back)

    def can_go_on(self) -> bool:
        return not self.bidirectional

    def past(self, ops: MatrixOps[M], D: Size) -> Any:
        return self.zero(ops, self.L)

    def go_on(self, ops: MatrixOps[M], params: Tree, state: Tree, past: Any, x: M, place: Place[M]) -> tuple[M, Tree]:
        y, past, _ = replace(self, length=1).through(ops, params, x, past)
        return y, past

    def outputs_for(self, D: Size) -> Size:
        return 2 * self.outputs if self.bidirectional else self.outputs

    def shapes(self, D: Size) -> Tree:
        G, K = self.gates * self.outputs, self.outputs
        shapes: RecurrentParameters = RecurrentParameters(W=(G, D), U=(G, K), b=(1, G), c=(1, G))
        return BothDirections(shapes, shapes) if self.bidirectional else shapes

    def initializers(self) -> Tree:
        one: RecurrentParameters = RecurrentParameters(self.weights, self.recurrent_weights, self.bias, self.bias)
        return BothDirections(one, one) if self.bidirectional else one

    def init(self, rng: np.random.Generator, D: int) -> Tree:
        """Each gate is drawn as the weights of a linear layer of K outputs."""
        if self.bidirectional:
            one = replace(self, bidirectional=False)
            return BothDirections(one.init(rng, D), one.init(rng, D))
        K, given = self.outputs, zip(self.initializers(), (D, self.outputs) * 2, self.shapes(D), strict=True)
        return RecurrentParameters(*(initializer.draw(rng, inputs, K, shape) for initializer, inputs, shape in given))

    def for_any_data(self, symbols: Symbols) -> Layer:
        return replace(self, length=symbols.steps())
