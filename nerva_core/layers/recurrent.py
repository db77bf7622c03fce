"""Recurrent layers: the loop over the positions of sequences, and three cells.

The rows of X are N·L positions, those of a sequence one after the other. What does not depend on the step before is one product for all
times; the loop runs on the family of the N x K matrices of each time, and backwards on the same family.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Generic, NamedTuple

from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.algebra.registry import Count
from nerva_core.equations.initializers import Initializer, NormalizedXavier, Zero
from nerva_core.layers.base import LAYERS, Layer, Symbols
from nerva_core.layers.sequence import SequenceLayer


class RecurrentParameters(NamedTuple, Generic[M]):
    """W is g·K x D, U is g·K x K, b and c are 1 x g·K, for g gates."""

    W: M
    U: M
    b: M
    c: M


class RecurrentCache(NamedTuple, Generic[M]):
    """X is N·L x D; Before and what the cells keep are families with a member N x K for every time."""

    X: M
    Before: M
    cells: tuple[M, ...]


@dataclass(frozen=True)
class Recurrent(SequenceLayer):
    """H_l = cell(X_l · Wᵀ + 1 · b, H_(l-1) · Uᵀ + 1 · c, H_(l-1)), for l = 1, ..., L, from H_0 = 0; Y is all H_l, N·L x K."""

    gates: ClassVar[int]
    """g."""
    states: ClassVar[int] = 1
    """How many matrices N x K are handed on from step to step; the first is H."""

    outputs: Count
    weights: Initializer = NormalizedXavier()
    bias: Initializer = Zero()

    @abstractmethod
    def cell(self, ops: MatrixOps[M], Z: M, V: M, *state: M) -> tuple[tuple[M, ...], tuple[M, ...]]:
        """(new state, what the pullback needs), from Z = X_l · Wᵀ + 1 · b, V = H · Uᵀ + 1 · c and the state."""

    @abstractmethod
    def cell_backpropagate(self, ops: MatrixOps[M], cache: tuple[M, ...], *Dstate: M) -> tuple[M, M, tuple[M, ...]]:
        """(DZ, DV, the gradients of the state before), from those of the new state; that of H without what comes by V."""

    def outputs_for(self, D: Size) -> Size:
        return self.outputs

    def shapes(self, D: Size) -> RecurrentParameters[Any]:
        K = self.outputs
        return RecurrentParameters(W=(self.gates * K, D), U=(self.gates * K, K), b=(1, self.gates * K), c=(1, self.gates * K))

    def initializers(self) -> RecurrentParameters[Any]:
        return RecurrentParameters(W=self.weights, U=self.weights, b=self.bias, c=self.bias)

    def for_any_data(self, symbols: Symbols) -> Layer:
        return replace(self, length=symbols.steps())

    def feedforward(self, ops: MatrixOps[M], params: RecurrentParameters[M], X: M) -> tuple[M, RecurrentCache[M]]:
        W, U, b, c = params
        NL, _ = ops.shape(X)
        N, K = NL // self.L, self.outputs
        Z = X @ ops.transpose(W) + ops.row_repeat(b, NL)
        UT = ops.transpose(U)

        def step(state: tuple[M, ...], Z: M) -> tuple[tuple[M, ...], tuple[M, ...]]:
            V = state[0] @ UT + ops.row_repeat(c, N)
            new, cache = self.cell(ops, Z, V, *state)
            return new, (new[0], state[0], *cache)

        start = (ops.zeros(N, K),) * self.states
        _, (H, Before, *cells) = ops.scan(step, start, (self._by_time(ops, Z),), self.L)
        return self._by_example(ops, H), RecurrentCache(X, Before, tuple(cells))

    def backpropagate(
        self, ops: MatrixOps[M], params: RecurrentParameters[M], cache: RecurrentCache[M], DY: M
    ) -> tuple[M, RecurrentParameters[M]]:
        W, U, _, _ = params
        X, Before, cells = cache
        N, K = ops.shape(DY)[0] // self.L, self.outputs

        def step(state: tuple[M, ...], DY: M, *cache: M) -> tuple[tuple[M, ...], tuple[M, M]]:
            DH, *others = state
            DZ, DV, (direct, *before) = self.cell_backpropagate(ops, cache, DY + DH, *others)
            return (DV @ U + direct, *before), (DZ, DV)

        end = (ops.zeros(N, K),) * self.states
        _, (DZs, DVs) = ops.scan(step, end, (self._by_time(ops, DY), *cells), self.L, reverse=True)
        DZ, DV, H = (self._by_example(ops, F) for F in (DZs, DVs, Before))
        DW = ops.transpose(DZ) @ X
        DU = ops.transpose(DV) @ H
        Db = ops.columns_sum(DZ)
        Dc = ops.columns_sum(DV)
        DX = DZ @ W
        return DX, RecurrentParameters(DW, DU, Db, Dc)

    def _by_time(self, ops: MatrixOps[M], X: M) -> M:
        """The family of the matrices of each time, one row an example."""
        NL, n = ops.shape(X)
        N = NL // self.L
        return ops.split(ops.reshape(X, N, self.L * n), N, n)

    def _by_example(self, ops: MatrixOps[M], F: M) -> M:
        """The inverse."""
        N, n = ops.shape(F)
        return ops.reshape(ops.join(F, 1), N * self.L, n)


@LAYERS.add
@dataclass(frozen=True)
class RNN(Recurrent):
    """H_l = tanh(X_l · Wᵀ + 1 · b + H_(l-1) · Uᵀ + 1 · c) (Elman 1990); Y is all H_l."""

    aliases = ("SimpleRNN",)
    gates = 1

    def cell(self, ops: MatrixOps[M], Z: M, V: M, *state: M) -> tuple[tuple[M, ...], tuple[M, ...]]:
        H = ops.tanh(Z + V)
        return (H,), (H,)

    def cell_backpropagate(self, ops: MatrixOps[M], cache: tuple[M, ...], *Dstate: M) -> tuple[M, M, tuple[M, ...]]:
        (H,), (DH,) = cache, Dstate
        DZ = ops.hadamard(DH, _one_minus(ops, ops.hadamard(H, H)))
        return DZ, DZ, (ops.zeros(*ops.shape(H)),)


@LAYERS.add
@dataclass(frozen=True)
class LSTM(Recurrent):
    """H_l = o ⊙ tanh(C_l), C_l = f ⊙ C_(l-1) + i ⊙ g; [i f g o] = X_l · Wᵀ + 1 · b + H_(l-1) · Uᵀ + 1 · c (Hochreiter, Schmidhuber 1997).

    i, f and o are sigmoids, g is a tanh; the order of the gates is torch's. Y is all H_l.
    """

    gates = 4
    states = 2

    def cell(self, ops: MatrixOps[M], Z: M, V: M, *state: M) -> tuple[tuple[M, ...], tuple[M, ...]]:
        _, C = state
        A = Z + V
        i, f, o = (ops.sigmoid(ops.column_part(A, k, 4)) for k in (0, 1, 3))
        g = ops.tanh(ops.column_part(A, 2, 4))
        C1 = ops.hadamard(f, C) + ops.hadamard(i, g)
        t = ops.tanh(C1)
        return (ops.hadamard(o, t), C1), (i, f, g, o, t, C)

    def cell_backpropagate(self, ops: MatrixOps[M], cache: tuple[M, ...], *Dstate: M) -> tuple[M, M, tuple[M, ...]]:
        (i, f, g, o, t, C), (DH, DC1) = cache, Dstate
        DC = DC1 + _product(ops, DH, o, _one_minus(ops, ops.hadamard(t, t)))
        Di = _product(ops, DC, g, i, _one_minus(ops, i))
        Df = _product(ops, DC, C, f, _one_minus(ops, f))
        Dg = _product(ops, DC, i, _one_minus(ops, ops.hadamard(g, g)))
        Do = _product(ops, DH, t, o, _one_minus(ops, o))
        DZ = ops.join_column_parts(Di, Df, Dg, Do)
        return DZ, DZ, (ops.zeros(*ops.shape(C)), ops.hadamard(DC, f))


@LAYERS.add
@dataclass(frozen=True)
class GRU(Recurrent):
    """H_l = (1 - z) ⊙ n + z ⊙ H_(l-1), n = tanh(Z_n + r ⊙ V_n), r = σ(Z_r + V_r), z = σ(Z_z + V_z) (Cho et al. 2014).

    [Z_r Z_z Z_n] = X_l · Wᵀ + 1 · b and [V_r V_z V_n] = H_(l-1) · Uᵀ + 1 · c, as in torch. Y is all H_l.
    """

    gates = 3

    def cell(self, ops: MatrixOps[M], Z: M, V: M, *state: M) -> tuple[tuple[M, ...], tuple[M, ...]]:
        (H,) = state
        r, z = (ops.sigmoid(ops.column_part(Z, k, 3) + ops.column_part(V, k, 3)) for k in (0, 1))
        Vn = ops.column_part(V, 2, 3)
        n = ops.tanh(ops.column_part(Z, 2, 3) + ops.hadamard(r, Vn))
        H1 = ops.hadamard(_one_minus(ops, z), n) + ops.hadamard(z, H)
        return (H1,), (r, z, n, Vn, H)

    def cell_backpropagate(self, ops: MatrixOps[M], cache: tuple[M, ...], *Dstate: M) -> tuple[M, M, tuple[M, ...]]:
        (r, z, n, Vn, H), (DH1,) = cache, Dstate
        Dn = _product(ops, DH1, _one_minus(ops, z), _one_minus(ops, ops.hadamard(n, n)))
        Dz = _product(ops, DH1, H - n, z, _one_minus(ops, z))
        Dr = _product(ops, Dn, Vn, r, _one_minus(ops, r))
        DZ = ops.join_column_parts(Dr, Dz, Dn)
        DV = ops.join_column_parts(Dr, Dz, ops.hadamard(Dn, r))
        return DZ, DV, (ops.hadamard(DH1, z),)


def _one_minus(ops: MatrixOps[M], X: M) -> M:
    return ops.ones(*ops.shape(X)) - X


def _product(ops: MatrixOps[M], first: M, *factors: M) -> M:
    """The elementwise product of all."""
    for factor in factors:
        first = ops.hadamard(first, factor)
    return first


@LAYERS.add
@dataclass(frozen=True)
class Last(SequenceLayer):
    """y_n = x_(n,L): of every sequence the last position; N x D."""

    def bind(self, positions: Any) -> tuple[Layer, Any]:
        return super().bind(positions)[0], () if positions is not None else None

    def rows_for(self, N: Size) -> Size:
        return N // self.L

    def for_any_data(self, symbols: Symbols) -> Layer:
        return replace(self, length=symbols.steps())

    def feedforward(self, ops: MatrixOps[M], params: tuple[()], X: M) -> tuple[M, tuple[()]]:
        NL, D = ops.shape(X)
        N = NL // self.L
        return ops.column_part(ops.reshape(X, N, self.L * D), self.L - 1, self.L), ()

    def backpropagate(self, ops: MatrixOps[M], params: tuple[()], cache: tuple[()], DY: M) -> tuple[M, tuple[()]]:
        N, D = ops.shape(DY)
        last = ops.column_part(ops.identity(self.L), self.L - 1, self.L)
        return ops.join(last @ ops.split(DY, 1, D), N), ()
