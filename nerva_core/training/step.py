"""One training step: forward, loss, the hand-written gradients, the update of every parameter."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from nerva_core.algebra.matrix_ops import M, MatrixOps
from nerva_core.algebra.numeric_backend import Backend, require_matrix
from nerva_core.algebra.trees import Tree, leaves, with_leaves
from nerva_core.equations.losses import Loss
from nerva_core.equations.optimizers import Optimizer
from nerva_core.layers import Sequential

if TYPE_CHECKING:
    from nerva_core.data import Dataset
    from nerva_core.training.config import TrainingConfig


class TrainingState(NamedTuple):
    """The state of training: parameters, one optimizer state a parameter, and the layers' running statistics."""

    params: Tree
    optimizer: Any
    statistics: Any


class StepOutput(NamedTuple):
    """The report of one step, each 1 x 1. ``Backend.run_steps`` gives them as the columns of an array, in this order."""

    loss: Any
    """The mean loss of the batch before the step."""
    largest_gradient: Any = ()
    """The largest |Dθ| of all parameters, before the optimizer changes it; nothing unless gradients are recorded."""


def training_step(
    ops: MatrixOps[M],
    network: Sequential,
    loss: Loss,
    optimizer: Optimizer,
    state: TrainingState,
    X: M,
    T: M,
    noise: Tree,
    scalars: tuple[Any, ...],
    record_gradients: bool = False,
    targets: M | None = None,
    weights: M | None = None,
) -> tuple[TrainingState, StepOutput]:
    """One step on a batch: the new state, and what is reported of the step. NervaError if X, T or a parameter is not a matrix.

    The loss is a mean over so many ``targets``, 1 x 1; by default over the rows of X. With ``weights`` w, N x 1, it is
    Σ_i w_i L_i / Σ_i w_i.
    """
    value, cache, gradients = batch_gradients(ops, network, loss, state, X, T, noise, targets, weights)
    thetas, states = optimizer.step(ops, state.optimizer, list(leaves(state.params)), list(leaves(gradients)), *scalars)
    statistics = network.update_state(ops, state.statistics, cache)
    outputs = StepOutput(value, largest_magnitude(ops, leaves(gradients)) if record_gradients else ())
    return TrainingState(with_leaves(state.params, thetas), tuple(states), statistics), outputs


@dataclass(frozen=True, eq=False)
class BatchSteps:
    """The steps of training on batches, in the forms in which a backend runs them; none reads anything that changes."""

    network: Sequential
    loss: Loss
    optimizer: Optimizer
    training: TrainingConfig
    data: Dataset

    def on_rows(
        self, ops: Backend, state: TrainingState, X: Any, T: Any, rows: Any, noise: Tree, scalars: Any
    ) -> tuple[TrainingState, StepOutput]:
        """A step on these rows of X and T."""
        return self.on_batch(ops, state, ops.take_rows(X, rows), ops.take_rows(T, rows), noise, scalars)

    def on_weighted_rows(
        self, ops: Backend, state: TrainingState, X: Any, T: Any, weights: Any, rows: Any, noise: Tree, scalars: Any
    ) -> tuple[TrainingState, StepOutput]:
        """A step on these rows of X and T, which count by their weights."""
        batch = ops.take_rows(X, rows), ops.take_rows(T, rows)
        return self.on_batch(ops, state, *batch, noise, scalars, ops.take_rows(weights, rows))

    def on_batch(
        self, ops: Backend, state: TrainingState, X: Any, T: Any, noise: Tree, scalars: Any, weights: Any = None
    ) -> tuple[TrainingState, StepOutput]:
        """A step on a batch."""
        record = self.training.record_gradients
        T, targets = self.targets(ops, T)
        return training_step(ops, self.network, self.loss, self.optimizer, state, X, T, noise, scalars, record, targets, weights)

    def targets(self, ops: Backend, T: Any) -> tuple[Any, Any]:
        """The targets of a batch, and over how many of them the loss is a mean, if not over the rows."""
        T = self.data.rows_of_targets(ops, T)
        return T, ops.elements_sum(T) if self.data.per_position else None


def batch_gradients(
    ops: MatrixOps[M],
    network: Sequential,
    loss: Loss,
    state: TrainingState,
    X: M,
    T: M,
    noise: Tree,
    targets: M | None = None,
    weights: M | None = None,
) -> tuple[M, Any, Any]:
    """(loss, cache, gradients) of a batch, as ``training_step`` has them."""
    for name, given in (("X", X), ("T", T), ("targets", targets), ("weights", weights)):
        if given is not None or name in ("X", "T"):
            require_matrix(f"training_step: {name}", given)
    N, _ = ops.shape(X)
    Y, cache = network.feedforward(ops, state.params, X, *network.given(state.statistics, noise))
    value, DY = loss.value(ops, Y, T), loss.gradient(ops, Y, T)
    if weights is not None:
        value, DY = weighted_mean(ops, loss, Y, T, DY, weights)
    elif targets is not None:
        value, DY = ops.quotient(value, targets), ops.quotient(DY, ops.fill(targets, *ops.shape(DY)))
    elif not loss.mean:
        value, DY = ops.divide(value, N), ops.divide(DY, N)
    penalty = network.penalty(ops, cache)
    if penalty is not None:
        value = value + penalty
    _, gradients = network.backpropagate(ops, state.params, cache, DY)
    return value, cache, gradients


def weighted_mean(ops: MatrixOps[M], loss: Loss, Y: M, T: M, DY: M, weights: M) -> tuple[M, M]:
    """Σ_i w_i L_i / Σ_i w_i with its gradient by Y, where DY is that of the loss of the batch."""
    N, K = ops.shape(Y)
    total = ops.elements_sum(weights)
    value = ops.columns_sum(ops.hadamard(loss.rows(ops, Y, T), weights))
    DY = ops.hadamard(ops.scale(N, DY) if loss.mean else DY, ops.column_repeat(weights, K))
    return ops.quotient(value, total), ops.quotient(DY, ops.fill(total, N, K))


def largest_magnitude(ops: MatrixOps[M], matrices: Iterable[M]) -> M:
    """The largest absolute value of all elements of all matrices (1 x 1)."""
    return functools.reduce(ops.maximum, (ops.rows_max(ops.columns_max(ops.abs(X))) for X in matrices))
