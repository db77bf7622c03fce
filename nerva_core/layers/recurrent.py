"""Recurrent layers: the simple one (Elman 1990), LSTM (Hochreiter and Schmidhuber 1997, Gers et al. 2000) and GRU (Cho et al. 2014);
and the last position of each sequence.

Parameters and the order of gates are those of PyTorch's ``nn.RNN``, ``nn.LSTM`` and ``nn.GRU``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.equations.activations import Activation, Tanh
from nerva_core.layers.base import LAYERS, Layer, Symbols
from nerva_core.layers.recurrence import CellGradients, Recurrent, State
from nerva_core.layers.sequence import SequenceLayer


def sigmoid_slope(ops: MatrixOps[M], Y: M) -> M:
    """Y ⊙ (1 - Y): the derivative of the sigmoid where its value is Y."""
    return ops.hadamard(Y, ops.ones(*ops.shape(Y)) - Y)


def tanh_slope(ops: MatrixOps[M], Y: M) -> M:
    """1 - Y ⊙ Y: the derivative of tanh where its value is Y."""
    return ops.ones(*ops.shape(Y)) - ops.hadamard(Y, Y)


@LAYERS.add
@dataclass(frozen=True, kw_only=True)
class RNN(Recurrent):
    """H_l = act(X_l · Wᵀ + 1 · b + H_(l-1) · Uᵀ + 1 · c), with H_0 = 0."""

    aliases = ("SimpleRNN",)

    activation: Activation = Tanh()

    def cell(self, ops: MatrixOps[M], A: M, B: M, *state: M) -> tuple[State[M], State[M]]:
        Z = A + B
        H = ops.apply(self.activation.value, Z)
        return (H,), (Z,)

    def cell_backpropagate(self, ops: MatrixOps[M], saved: State[M], before: State[M], *Dstate: M) -> CellGradients[M]:
        (Z,) = saved
        (DH,) = Dstate
        DZ = ops.hadamard(DH, ops.apply(self.activation.gradient, Z))
        return DZ, DZ, None, ()


@LAYERS.add
@dataclass(frozen=True, kw_only=True)
class LSTM(Recurrent):
    """With Z = X_l · Wᵀ + 1 · b + H_(l-1) · Uᵀ + 1 · c = [Z_i Z_f Z_g Z_o] and H_0 = C_0 = 0:
    I = σ(Z_i),  F = σ(Z_f),  G = tanh(Z_g),  O = σ(Z_o),  C_l = F ⊙ C_(l-1) + I ⊙ G,  H_l = O ⊙ tanh(C_l).
    """

    gates = 4
    states = ("H", "C")

    def cell(self, ops: MatrixOps[M], A: M, B: M, *state: M) -> tuple[State[M], State[M]]:
        _, C = state
        Z = A + B
        I = ops.sigmoid(ops.column_part(Z, 0, 4))  # noqa: E741
        F = ops.sigmoid(ops.column_part(Z, 1, 4))
        G = ops.tanh(ops.column_part(Z, 2, 4))
        O = ops.sigmoid(ops.column_part(Z, 3, 4))  # noqa: E741
        C = ops.hadamard(F, C) + ops.hadamard(I, G)
        T = ops.tanh(C)
        H = ops.hadamard(O, T)
        return (H, C), (I, F, G, O, T)

    def cell_backpropagate(self, ops: MatrixOps[M], saved: State[M], before: State[M], *Dstate: M) -> CellGradients[M]:
        I, F, G, O, T = saved  # noqa: E741
        _, C = before
        DH, DC = Dstate
        DO = ops.hadamard(DH, T)
        DC = DC + ops.hadamard(ops.hadamard(DH, O), tanh_slope(ops, T))
        DI = ops.hadamard(DC, G)
        DF = ops.hadamard(DC, C)
        DG = ops.hadamard(DC, I)
        DZ = ops.join_column_parts(
            ops.hadamard(DI, sigmoid_slope(ops, I)),
            ops.hadamard(DF, sigmoid_slope(ops, F)),
            ops.hadamard(DG, tanh_slope(ops, G)),
            ops.hadamard(DO, sigmoid_slope(ops, O)),
        )
        return DZ, DZ, None, (ops.hadamard(DC, F),)


@LAYERS.add
@dataclass(frozen=True, kw_only=True)
class GRU(Recurrent):
    """With A = X_l · Wᵀ + 1 · b = [A_r A_z A_n], B = H_(l-1) · Uᵀ + 1 · c = [B_r B_z S] and H_0 = 0:
    R = σ(A_r + B_r),  Z = σ(A_z + B_z),  G = tanh(A_n + R ⊙ S),  H_l = (1 - Z) ⊙ G + Z ⊙ H_(l-1).

    The reset gate acts on the product, as in cuDNN and PyTorch; in the paper it acts on H before it.
    """

    gates = 3

    def cell(self, ops: MatrixOps[M], A: M, B: M, *state: M) -> tuple[State[M], State[M]]:
        (H,) = state
        R = ops.sigmoid(ops.column_part(A, 0, 3) + ops.column_part(B, 0, 3))
        Z = ops.sigmoid(ops.column_part(A, 1, 3) + ops.column_part(B, 1, 3))
        S = ops.column_part(B, 2, 3)
        G = ops.tanh(ops.column_part(A, 2, 3) + ops.hadamard(R, S))
        H = ops.hadamard(ops.ones(*ops.shape(Z)) - Z, G) + ops.hadamard(Z, H)
        return (H,), (R, Z, G, S)

    def cell_backpropagate(self, ops: MatrixOps[M], saved: State[M], before: State[M], *Dstate: M) -> CellGradients[M]:
        R, Z, G, S = saved
        (H,) = before
        (DH,) = Dstate
        DG = ops.hadamard(DH, ops.ones(*ops.shape(Z)) - Z)
        DZ = ops.hadamard(DH, H - G)
        DN = ops.hadamard(DG, tanh_slope(ops, G))
        DR = ops.hadamard(DN, S)
        DP = ops.hadamard(DR, sigmoid_slope(ops, R))
        DQ = ops.hadamard(DZ, sigmoid_slope(ops, Z))
        DA = ops.join_column_parts(DP, DQ, DN)
        DB = ops.join_column_parts(DP, DQ, ops.hadamard(DN, R))
        return DA, DB, ops.hadamard(DH, Z), ()


@LAYERS.add
@dataclass(frozen=True)
class Last(SequenceLayer):
    """y_n = x_(n,L): of every sequence the last position; N x D."""

    def bind(self, positions: Any) -> tuple[Layer, Any]:
        return super().bind(positions)[0], () if positions is not None else None

    def rows_for(self, N: Size) -> Size:
        return super().rows_for(N) // self.L

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
