"""Connectionist temporal classification (Graves et al. 2006): the likelihood of a labelling, summed over all its alignments.

A row of Y is the logits of P positions, C numbers each, and a row of T the labels, one-hot at the first positions; a position of T that
is 0 holds no label. Class 0 is the blank. Between the labels, before and after them stand blanks: S = 2P + 1 states, l'. With the
probabilities y_t of position t, Q_t(s) = y_t(l'_s), K(s) = [l'_s is no blank and differs from l'_(s-2)], and α_0 = e_0,

    R_t = α_(t-1) · (S_0 + S_1) + (α_(t-1) · S_2) ⊙ K      c_t = (R_t ⊙ Q_t) · 1      α_t = (R_t ⊙ Q_t) / c_t      (equation 6, rescaled)

for t = 1, ..., P, and the loss is -Σ_t log c_t - log(α_P · f), where f(s) = 1 if no label follows s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, NamedTuple

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import M, MatrixOps
from nerva_core.algebra.registry import Count
from nerva_core.equations.loss import Loss
from nerva_core.equations.softmax import stable_softmax


class Labelling(NamedTuple, Generic[M]):
    """What the labels of each example say of the states: the family l' of S x C, one-hot; K and f, N x S."""

    states: M
    K: M
    f: M


class Step(NamedTuple, Generic[M]):
    """What the backward of a step needs: Q_t, R_t and α_t, N x S, and c_t, N x 1."""

    Q: M
    R: M
    alpha: M
    c: M


class Cache(NamedTuple, Generic[M]):
    """The probabilities P, N·P x C; α of the last position; the families of what the steps need."""

    P: M
    alpha: M
    steps: tuple[M, ...]


@dataclass(frozen=True)
class CTC(Loss):
    """-log Σ_π Π_t y_t(π_t), over all π of P positions that become the labels if repetitions, then blanks, are left out.

    A row of Y is the logits of P positions, ``classes`` numbers each, of which the first is that of the blank; a row of T holds the labels,
    one-hot in the place of the first positions, and 0 in the others. Of labels that P positions cannot hold the loss is ∞.
    """

    aliases = ("CTCLoss",)
    classification = False  # the positions of outputs and labels differ
    takes = "logits"
    classes: Count

    def example_width(self) -> int:
        return 2 * self.classes

    def rows(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        return self.of_labelling(ops, Y, self.labelling(ops, T))[0]

    def gradient(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        labels = self.labelling(ops, T)
        return self.backpropagate(ops, labels, self.of_labelling(ops, Y, labels)[1])

    def of_labelling(self, ops: MatrixOps[M], Y: M, labels: Labelling[M]) -> tuple[M, Cache[M]]:
        """(the loss of each row, what the gradient needs)."""
        N, S = ops.shape(labels.f)
        P, Q = self.emissions(ops, Y, labels.states)

        def forward(alpha: M, Q: M) -> tuple[M, Step[M]]:
            step = self.step(ops, labels.K, alpha, Q)
            return step.alpha, step

        start = ops.row_repeat(ops.transpose(ops.first_ones(1, S)), N)
        alpha, steps = ops.scan(forward, start, (Q,), self._count(ops, Y), names=("α",))
        L = self.end(ops, alpha, labels.f) - ops.members_sum(ops.log(Step(*steps).c))
        return L, Cache(P, alpha, steps)

    def backpropagate(self, ops: MatrixOps[M], labels: Labelling[M], cache: Cache[M]) -> M:
        """The gradient with respect to Y."""
        P, alpha, steps = cache
        N, S = ops.shape(alpha)
        length = ops.shape(P)[0] // N

        def back(Dalpha: M, *step: M) -> tuple[M, tuple[M]]:
            Dbefore, DQ = self.step_backpropagate(ops, labels.K, Step(*step), Dalpha)
            return Dbefore, (DQ,)

        _, (DQ,) = ops.scan(back, self.end_backpropagate(ops, alpha, labels.f), steps, length, reverse=True, names=("Dα",))
        return ops.reshape(self.emissions_backpropagate(ops, P, labels.states, DQ), N, length * ops.shape(P)[1])

    def emissions(self, ops: MatrixOps[M], Y: M, states: M) -> tuple[M, M]:
        """(P, Q): the probabilities, N·P x C, and the family of the Q_t, N x S."""
        (N, _), (S, C), length = ops.shape(Y), ops.shape(states), self._count(ops, Y)
        P = stable_softmax(ops, ops.reshape(Y, N * length, C))
        Q = ops.join(ops.split(P, length, C) @ ops.transpose(states), N)
        return P, ops.split(ops.reshape(Q, N, length * S), N, S)

    def emissions_backpropagate(self, ops: MatrixOps[M], P: M, states: M, DQ: M) -> M:
        """DY, N·P x C: the gradient of Σ_t ⟨DQ_t, Q_t⟩."""
        N, S = ops.shape(DQ)
        length = ops.shape(P)[0] // N
        by_example = ops.split(ops.reshape(ops.join(DQ, 1), N * length, S), length, S)
        return ops.softmax_inputs(P, ops.join(by_example @ states, N))

    def step(self, ops: MatrixOps[M], K: M, alpha: M, Q: M) -> Step[M]:
        """The next α, and what its backward needs."""
        R = alpha + ops.shift_columns(alpha, 1) + ops.hadamard(ops.shift_columns(alpha, 2), K)
        A = ops.hadamard(R, Q)
        c = ops.rows_sum(A)
        return Step(Q, R, ops.quotient(A, _wide(ops, c, A)), c)

    def step_backpropagate(self, ops: MatrixOps[M], K: M, step: Step[M], Dalpha: M) -> tuple[M, M]:
        """(Dα before, DQ): the gradients of J(α) - Σ log c, if Dα is that of J."""
        Q, R, alpha, c = step
        S = ops.shape(Q)[1]
        more = ops.rows_sum(ops.hadamard(Dalpha, alpha)) + ops.ones(*ops.shape(c))
        DA = ops.quotient(Dalpha - _wide(ops, more, alpha), _wide(ops, c, alpha))
        DQ = ops.hadamard(DA, R)
        DR = ops.hadamard(DA, Q)
        one, two = (ops.transpose(ops.shift(S, o)) for o in (1, 2))
        return DR + DR @ one + ops.hadamard(DR, K) @ two, DQ

    def end(self, ops: MatrixOps[M], alpha: M, f: M) -> M:
        """-log(α · f) of each row."""
        result: M = -ops.log(ops.rows_sum(ops.hadamard(alpha, f)))
        return result

    def end_backpropagate(self, ops: MatrixOps[M], alpha: M, f: M) -> M:
        """Its gradient."""
        result: M = -ops.quotient(f, _wide(ops, ops.rows_sum(ops.hadamard(alpha, f)), f))
        return result

    def labelling(self, ops: MatrixOps[M], T: M) -> Labelling[M]:
        """l', K and f of the labels."""
        N, P, C = ops.shape(T)[0], self._count(ops, T), self.classes
        S = 2 * P + 1
        between = ops.constant([[int(s % 2 == 0)] for s in range(S)]) @ ops.transpose(ops.first_ones(1, C))
        spread = ops.constant([[int(s == 2 * p + 1) for p in range(P)] for s in range(S)])
        labels = spread @ ops.split(ops.reshape(T, N * P, C), P, C)
        states = labels + between
        again = ops.rows_sum(ops.hadamard(states, ops.transpose(ops.shift(S, 2)) @ states))
        there = ops.reshape(ops.join(ops.rows_sum(labels), N), N, S)
        one = ops.ones(N, S)
        K = one - ops.reshape(ops.join(again, N), N, S)
        f = one - ops.shift_columns(there, -1) - ops.shift_columns(there, -2)
        return Labelling(states, K, f)

    def _count(self, ops: MatrixOps[M], Y: M) -> Any:
        """The number of positions."""
        columns = ops.shape(Y)[1]
        if isinstance(columns, int) and isinstance(self.classes, int) and columns % self.classes:
            raise NervaError(f"{self!r}: the columns must be a multiple of the {self.classes} classes, got {columns}")
        return columns // self.classes


def _wide(ops: MatrixOps[M], x: M, X: M) -> M:
    """The column x as often as X has columns."""
    return ops.column_repeat(x, ops.shape(X)[1])
