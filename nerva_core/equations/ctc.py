"""Connectionist temporal classification (Graves et al. 2006): the likelihood of a labelling, summed over all its alignments.

A row of Y is the logits of P positions, C numbers each, and a row of T the labels, one-hot at the first positions; a position of T that
is 0 holds no label. Class 0 is the blank. Between the labels, before and after them stand blanks: S = 2P + 1 states, l'. With the
probabilities y_t of position t, equation 6 of the paper is, in logarithms, A = log α and Λ_t(s) = log y_t(l'_s),

    A_t(s) = Λ_t(s) + log(e^A_(t-1)(s) + e^A_(t-1)(s-1) + e^A_(t-1)(s-2)),   t = 1, ..., P,

without the last where l'_s is a blank or equal to l'_(s-2). The loss is -log Σ e^A_P(s) over the states after which no label follows.
What is barred has the logarithm ``NEVER`` in the place of -∞.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Generic, NamedTuple

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import M, MatrixOps
from nerva_core.algebra.registry import Count
from nerva_core.equations.loss import LOSSES, Loss
from nerva_core.equations.softmax import stable_log_softmax

NEVER = -1e20
"""The logarithm of a probability of 0: e^NEVER is 0, and a few thousand of them can be added in float32."""


class Labelling(NamedTuple, Generic[M]):
    """What the labels of each example say of the states: the family l' of S x C, one-hot; the others are N x S, 0 or NEVER.

    NEVER is in ``absent`` where there is no label, in ``next`` and ``skip`` where the state one or two before cannot be left for this
    one, in ``open`` where a label follows.
    """

    states: M
    absent: M
    next: M
    skip: M
    open: M


class CTCCache(NamedTuple, Generic[M]):
    """The logarithms of the probabilities, N·P x C; A of the last position; the family of the shares of each step."""

    logP: M
    A: M
    shares: M


@LOSSES.add
@dataclass(frozen=True)
class CTC(Loss):
    """-log Σ_π Π_t y_t(π_t), over all π of P positions that become the labels if repetitions, then blanks, are left out.

    A row of Y is the logits of P positions, ``classes`` numbers each, of which the first is that of the blank; a row of T holds the labels,
    one-hot in the place of the first positions, and 0 in the others. Of labels that P positions cannot hold the loss is 10²⁰ or more.
    """

    aliases: ClassVar[tuple[str, ...]] = ("CTCLoss",)
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

    def of_labelling(self, ops: MatrixOps[M], Y: M, labels: Labelling[M]) -> tuple[M, CTCCache[M]]:
        """(the loss of each row, what the gradient needs)."""
        N, S = ops.shape(labels.open)
        logP, Lambda = self.emissions(ops, Y, labels.states)

        def forward(state: tuple[M], Lambda: M) -> tuple[tuple[M], tuple[M]]:
            A, shares = self.step(ops, labels, *state, Lambda)
            return (A,), (shares,)

        start = NEVER * (ops.ones(N, S) - ops.row_repeat(ops.transpose(ops.first_ones(1, S)), N))
        (A,), (shares,) = ops.scan(forward, (start,), (Lambda,), ops.shape(logP)[0] // N, names=("A",))
        return self.end(ops, labels, A), CTCCache(logP, A, shares)

    def backpropagate(self, ops: MatrixOps[M], labels: Labelling[M], cache: CTCCache[M]) -> M:
        """The gradient with respect to Y."""
        logP, A, shares = cache
        (N, _), (rows, C) = ops.shape(A), ops.shape(logP)

        def back(state: tuple[M], shares: M) -> tuple[tuple[M], tuple[M]]:
            (DA,) = state
            return (self.step_backpropagate(ops, shares, DA),), (DA,)

        end = self.end_backpropagate(ops, labels, A)
        _, (DLambda,) = ops.scan(back, (end,), (shares,), rows // N, reverse=True, names=("DA",))
        return ops.reshape(self.emissions_backpropagate(ops, logP, labels.states, DLambda), N, rows // N * C)

    def emissions(self, ops: MatrixOps[M], Y: M, states: M) -> tuple[M, M]:
        """(log P, Λ): the logarithms of the probabilities, N·P x C, and the family of the Λ_t, N x S."""
        (N, _), (S, C), length = ops.shape(Y), ops.shape(states), self._count(ops, Y)
        logP = stable_log_softmax(ops, ops.reshape(Y, N * length, C))
        by_example = ops.join(ops.split(logP, length, C) @ ops.transpose(states), N)
        return logP, ops.split(ops.reshape(by_example, N, length * S), N, S)

    def emissions_backpropagate(self, ops: MatrixOps[M], logP: M, states: M, DLambda: M) -> M:
        """DY, N·P x C: the gradient of Σ_t ⟨DΛ_t, Λ_t⟩."""
        (N, S), (rows, C) = ops.shape(DLambda), ops.shape(logP)
        by_example = ops.split(ops.reshape(ops.join(DLambda, 1), rows, S), rows // N, S)
        DlogP = ops.join(by_example @ states, N)
        return DlogP - ops.hadamard(ops.exp(logP), ops.column_repeat(ops.rows_sum(DlogP), C))

    def step(self, ops: MatrixOps[M], labels: Labelling[M], A: M, Lambda: M) -> tuple[M, M]:
        """(the next A, what its backward needs): N·S x 3, the shares that the state itself and the two before it have in it."""
        N, S = ops.shape(A)
        ways = A, ops.shift_columns(A, 1) + labels.next, ops.shift_columns(A, 2) + labels.skip
        W = ops.join_column_parts(*(ops.reshape(way, N * S, 1) for way in ways))
        return Lambda + labels.absent + ops.reshape(_log_sum(ops, W), N, S), ops.exp(stable_log_softmax(ops, W))

    def step_backpropagate(self, ops: MatrixOps[M], shares: M, DA: M) -> M:
        """DA of the position before; DΛ is DA."""
        stay, after, skip = (ops.hadamard(ops.reshape(ops.column_part(shares, k, 3), *ops.shape(DA)), DA) for k in range(3))
        return stay + ops.shift_columns(after, -1) + ops.shift_columns(skip, -2)

    def end(self, ops: MatrixOps[M], labels: Labelling[M], A: M) -> M:
        """-log Σ_s e^A(s) of each row, over the states after which no label follows."""
        return -_log_sum(ops, A + labels.open)

    def end_backpropagate(self, ops: MatrixOps[M], labels: Labelling[M], A: M) -> M:
        """Its gradient."""
        result: M = -ops.exp(stable_log_softmax(ops, A + labels.open))
        return result

    def labelling(self, ops: MatrixOps[M], T: M) -> Labelling[M]:
        """l' and what it bars."""
        N, P, C = ops.shape(T)[0], self._count(ops, T), self.classes
        S = 2 * P + 1
        blanks = ops.constant([[int(s % 2 == 0)] for s in range(S)]) @ ops.transpose(ops.first_ones(1, C))
        spread = ops.constant([[int(s == 2 * p + 1) for p in range(P)] for s in range(S)])
        labels = spread @ ops.split(ops.reshape(T, N * P, C), P, C)
        states = labels + blanks

        def by_example(x: M) -> M:
            return ops.reshape(ops.join(x, N), N, S)

        there = by_example(ops.rows_sum(labels))
        same = by_example(ops.rows_sum(ops.hadamard(states, ops.shift(S, -2) @ states)))
        first, second = (ops.row_repeat(ops.transpose(ops.first_ones(k, S)), N) for k in (1, 2))
        absent = ops.ones(N, S) - by_example(ops.rows_sum(states))
        followed = ops.shift_columns(there, -1) + ops.shift_columns(there, -2)
        return Labelling(states, *(NEVER * X for X in (absent, first, same + second, followed)))

    def _count(self, ops: MatrixOps[M], Y: M) -> Any:
        """The number of positions."""
        columns = ops.shape(Y)[1]
        if isinstance(columns, int) and isinstance(self.classes, int) and columns % self.classes:
            raise NervaError(f"{self!r}: the columns must be a multiple of the {self.classes} classes, got {columns}")
        return columns // self.classes


def _log_sum(ops: MatrixOps[M], X: M) -> M:
    """The logarithm of the sum of the exponentials of each row."""
    largest = ops.rows_max(X)
    result: M = largest + ops.log(ops.rows_sum(ops.exp(X - ops.column_repeat(largest, ops.shape(X)[1]))))
    return result
