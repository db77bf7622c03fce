"""Positions that are not trained: sines and cosines that are added (Vaswani et al. 2017), angles by which queries and keys are turned."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.algebra.registry import Count
from nerva_core.algebra.trees import Tree
from nerva_core.layers.base import LAYERS, Layer, Symbols
from nerva_core.layers.continuation import Place
from nerva_core.layers.sequence import SequenceLayer

BASE = 10_000


@LAYERS.add
@dataclass(frozen=True)
class SinusoidalPositions(SequenceLayer):
    """Y = X + 1_N ⊗ P, p_(l,2i) = sin(l / base^(2i/D)), p_(l,2i+1) = cos(l / base^(2i/D)) (Vaswani et al. 2017, section 3.5)."""

    aliases = ("PositionalEncoding", "SinusoidalEmbedding")

    base: Count = BASE

    def outputs_for(self, D: Size) -> Size:
        if isinstance(D, int) and D % 2:
            raise NervaError(f"{self!r} has a sine and a cosine of each frequency, so the number of columns must be even, got {D}")
        return D

    def shape_of_input(self, symbols: Symbols) -> tuple[Size, Size]:
        return symbols.size("N") * self.L, symbols.size("A") * 2

    def feedforward(self, ops: MatrixOps[M], params: tuple[()], X: M) -> tuple[M, tuple[()]]:
        NL, D = ops.shape(X)
        P = self._rows(ops, D)
        return ops.join(ops.split(X, self.L, D) + P, NL // self.L), ()

    def backpropagate(self, ops: MatrixOps[M], params: tuple[()], cache: tuple[()], DY: M) -> tuple[M, tuple[()]]:
        return DY, ()

    def can_go_on(self) -> bool:
        return True

    def past(self, ops: MatrixOps[M], D: Size) -> Any:
        return self._rows(ops, D)

    def go_on(self, ops: MatrixOps[M], params: Tree, state: Tree, past: Any, x: M, place: Place[M]) -> tuple[M, Tree]:
        return x + ops.transpose(place.e) @ past, past

    def _rows(self, ops: MatrixOps[M], D: Size) -> M:
        """P, the sine and the cosine of each frequency side by side."""
        sines, cosines = ops.sines(self.L, D // 2, self.base), ops.cosines(self.L, D // 2, self.base)
        return ops.transpose_columns(ops.join_column_parts(sines, cosines), 2)


@LAYERS.add
@dataclass(frozen=True)
class RotaryPositions(SequenceLayer):
    """[Q K V] with Q and K turned by angles that grow with the position l, for every example and head (Su et al. 2021, section 3.2).

    A row x = [x₁ x₂] of Q or K becomes [x₁ ⊙ c_l - x₂ ⊙ s_l, x₂ ⊙ c_l + x₁ ⊙ s_l], with the cosines and sines of l · base^(-2i/A), so that
    q · k depends on the positions by their difference alone. X is N·L x 3·G·A for G ``heads``, and stands before Attention. The two parts
    of x are the halves of its A columns; in the paper they are every other column.
    """

    aliases = ("RoPE", "RotaryEmbedding")
    shown = ("turned",)

    heads: Count
    base: Count = BASE

    def outputs_for(self, D: Size) -> Size:
        if isinstance(D, int) and D % (6 * self.heads):
            raise NervaError(f"{self!r}: X is [Q K V] with an even number of columns a head, so 6 · {self.heads} must divide them, got {D}")
        return D

    def for_any_data(self, symbols: Symbols) -> Layer:
        return replace(self, length=symbols.size("L"), heads=symbols.size("G"))

    def shape_of_input(self, symbols: Symbols) -> tuple[Size, Size]:
        return symbols.size("N") * self.L, 3 * (self.heads * (2 * symbols.size("A")))

    def feedforward(self, ops: MatrixOps[M], params: tuple[()], X: M) -> tuple[M, tuple[()]]:
        c, s = self._angles(ops, ops.shape(X)[1])
        return self.turned(ops, X, c, s), ()

    def turned(self, ops: MatrixOps[M], X: M, c: M, s: M) -> M:
        """Y, for the cosines and sines of each position."""
        X1, X2, V = self._halves(ops, X, c)
        Y1 = ops.hadamard(c, X1) - ops.hadamard(s, X2)
        Y2 = ops.hadamard(c, X2) + ops.hadamard(s, X1)
        return self._joined(ops, Y1, Y2, V)

    def backpropagate(self, ops: MatrixOps[M], params: tuple[()], cache: tuple[()], DY: M) -> tuple[M, tuple[()]]:
        c, s = self._angles(ops, ops.shape(DY)[1])
        DY1, DY2, DV = self._halves(ops, DY, c)
        DX1 = ops.hadamard(c, DY1) + ops.hadamard(s, DY2)
        DX2 = ops.hadamard(c, DY2) - ops.hadamard(s, DY1)
        return self._joined(ops, DX1, DX2, DV), ()

    def can_go_on(self) -> bool:
        return True

    def past(self, ops: MatrixOps[M], D: Size) -> Any:
        return self._angles(ops, D)

    def go_on(self, ops: MatrixOps[M], params: Tree, state: Tree, past: Any, x: M, place: Place[M]) -> tuple[M, Tree]:
        c, s = (ops.transpose(place.e) @ matrix for matrix in past)
        return self.turned(ops, x, c, s), past

    def _angles(self, ops: MatrixOps[M], D: Size) -> tuple[M, M]:
        """The cosines and the sines, L x A/2."""
        half = D // 3 // self.heads // 2
        return ops.cosines(self.L, half, self.base), ops.sines(self.L, half, self.base)

    def _halves(self, ops: MatrixOps[M], X: M, c: M) -> tuple[M, M, M]:
        """The halves of the columns of Q and K, families with a member for every example and head, and V."""
        L, half = ops.shape(c)
        Q, K, V = (ops.column_part(X, k, 3) for k in range(3))
        H = ops.split(ops.join_column_parts(Q, K), L, 2 * half)
        return ops.column_part(H, 0, 2), ops.column_part(H, 1, 2), V

    def _joined(self, ops: MatrixOps[M], H1: M, H2: M, V: M) -> M:
        """[Q K V] of the halves: the inverse of ``_halves``."""
        L, _ = ops.shape(H1)
        QK = ops.join(ops.join_column_parts(H1, H2), ops.shape(V)[0] // L)
        return ops.join_column_parts(ops.column_part(QK, 0, 2), ops.column_part(QK, 1, 2), V)
