"""Evaluation: the loss, the accuracy and the confusions of a network on a set of examples, as at inference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from nerva_core.algebra.memory import Array
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.algebra.trees import Tree, map_tree
from nerva_core.data import Dataset
from nerva_core.equations.losses import Loss
from nerva_core.layers import Sequential
from nerva_core.training.batches import grouped, row_bytes
from nerva_core.training.metrics import MOST_ROWS, hard_distance
from nerva_core.training.sharing import Sharing

EVALUATION_BATCH = 1000
"""Rows that are evaluated at once; it bounds the memory, and does not change a result beyond rounding."""
POSITIONS_AT_ONCE = 16 * EVALUATION_BATCH
"""Positions that are, where the outputs have a row for each."""


class EvaluationOutput(NamedTuple):
    """The results of the evaluation of a batch, each 1 x 1."""

    loss: Any
    """The loss of the batch: a sum, or the mean, as the loss function has it."""
    correct: Any
    """The number of rows whose class is predicted, at all positions."""
    targets: Any
    """The number of rows that have a target: examples, or positions that are no padding."""
    among_top: Any = ()
    """The number of rows whose class is among those with the largest outputs; nothing unless it is recorded."""


class Scores(NamedTuple):
    """What a network is worth on a set of examples."""

    loss: float
    """The mean."""
    accuracy: float | None
    """None for a regression."""
    top_accuracy: float | None = None
    """The fraction of the targets whose class is among those with the largest outputs; None unless it is recorded."""


class EvaluatedState(NamedTuple):
    """The parameters and statistics that a network is evaluated with; the backend's ``run_steps`` consumes it and gives it back."""

    params: Tree
    statistics: Any


@dataclass(frozen=True, eq=False)
class Evaluator:
    """Evaluates a network in batches, whose rows may be shared out."""

    ops: Backend
    sharing: Sharing
    network: Sequential
    loss: Loss
    data: Dataset
    top_k: int | None = None
    """Among how many classes that of the target is sought, too."""

    def evaluate(
        self, state: EvaluatedState, data: Any, N: int, noisy: Sequential, random: np.random.Generator
    ) -> tuple[EvaluatedState, Scores]:
        """The state, and the scores on N examples.

        ``data`` are their matrices, or what reads them, and ``noisy`` draws what noise is kept at inference in this epoch.
        """
        D, values = self.data.inputs, []

        def draw(N: int) -> Any:
            return self.ops.converted(noisy.draw_for_evaluation(random, N, D))

        def draw_one() -> Any:
            return noisy.draw_for_evaluation(np.random.default_rng(0), 1, D)

        step = self._evaluate_batch if self.data.streamed else self._evaluate_rows
        groups = grouped(np.arange(N), evaluation_batch(self.data), self.network.parameter_count(D), draw, row_bytes(self.data))
        for group in self.sharing.read(groups, data):
            state, outputs = self.sharing.run(step, state, () if self.data.streamed else data, group, draw_one)
            values.append(outputs)
        result = EvaluationOutput(*np.concatenate(values).astype(float).T)
        total = float(result.targets.sum())
        weights = result.targets if self.loss.mean else np.ones(len(result.loss))
        accuracy = None if self.data.classes is None else float(result.correct.sum()) / total
        top = None if self.top_k is None else float(result.among_top.sum()) / total
        return state, Scores(float(result.loss @ weights) / total, accuracy, top)

    def _evaluate_rows(self, ops: Backend, state: EvaluatedState, X: Any, T: Any, rows: Any, noise: Tree) -> tuple[Any, Any]:
        return self._evaluate_batch(ops, state, ops.take_rows(X, rows), ops.take_rows(T, rows), noise)

    def _evaluate_batch(self, ops: Backend, state: EvaluatedState, X: Any, T: Any, noise: Tree) -> tuple[Any, Any]:
        T = self.data.rows_of_targets(ops, T)
        Y = self.network.evaluate(ops, *state, X, *noise)
        at_once = 1 if self.data.per_position else self.data.positions
        correct = ops.zeros(1, 1) if self.data.classes is None else count_correct(ops, self.loss, Y, T, at_once)
        among = () if self.top_k is None else count_correct(ops, self.loss, Y, T, at_once, self.top_k)
        targets = ops.elements_sum(T) if self.data.per_position else ops.scale(ops.shape(T)[0], ops.ones(1, 1))
        return state, EvaluationOutput(self.loss.value(ops, Y, T), correct, targets, among)

    def confusion(self, state: EvaluatedState) -> Array:
        """For a classification, classes x classes: how many test examples of each class are predicted as each, without noise."""
        classes = self.data.classes or 0
        result = np.zeros((classes, classes), dtype=int)
        for start in range(0, len(self.data.Ttest), EVALUATION_BATCH):
            rows = slice(start, start + EVALUATION_BATCH)
            Y = self.ops.at_once(self.network.evaluate, *state, self.ops.matrix(self.data.Xtest[rows]))
            np.add.at(result, (self.data.Ttest[rows], self.loss.classes_of(self.ops.to_numpy(Y))), 1)
        return result

    def hard_distance(self, state: EvaluatedState) -> float | None:
        """The earth mover distance of the first hard layer on the test set, as ``metrics.hard_distance`` has it."""
        given = map_tree(self.ops.widened, (*state, self.ops.matrix(self.data.Xtest[:MOST_ROWS])))
        return hard_distance(self.ops, self.network, *given)


def evaluation_batch(data: Dataset) -> int:
    """How many examples are evaluated at once."""
    return max(1, min(EVALUATION_BATCH, POSITIONS_AT_ONCE // data.positions)) if data.per_position else EVALUATION_BATCH


def count_correct(ops: Backend, loss: Loss, Y: Any, T: Any, positions: int = 1, top: int = 1) -> Any:
    """The number of rows (1 x 1) whose class is predicted; of several positions, which stand one after the other, those of all.

    With ``top`` it is the number of those whose class is among so many with the largest outputs.
    """
    N, K = ops.shape(Y)
    if positions == 1:
        return ops.elements_sum(loss.correct(ops, Y, T, top))
    of_Y, of_T = (ops.reshape(Z, N * positions, K // positions) for Z in (Y, T))
    right = ops.rows_sum(ops.reshape(loss.correct(ops, of_Y, of_T, top), N, positions))
    return ops.elements_sum(ops.equal(right, ops.full(positions, N, 1)))
