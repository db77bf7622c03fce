"""The moves of the weights of sparse layers within training: before which steps, and by which gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from nerva_core.algebra.memory import Array
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.algebra.trees import map_tree
from nerva_core.training.batches import StepInput
from nerva_core.training.regrowth import Regrowth
from nerva_core.training.step import BatchSteps, TrainingState, batch_gradients


@dataclass(frozen=True, eq=False)
class Moves:
    """When and how the weights of a network move, as its configuration has it."""

    ops: Backend
    steps: BatchSteps
    matrices: tuple[Any, ...] | None
    """X, T and, if examples have weights, these, of the whole training set; None where they are read from files, where no weights move."""
    moments: Callable[[Array], Any]
    """The first state of the optimizer for new parameters."""
    steps_per_epoch: int

    @property
    def interval(self) -> int:
        """The number of steps from one move to the next."""
        return self.steps.training.prune_interval or self.steps_per_epoch

    def is_due(self, step: int) -> bool:
        """Whether weights move before a step; the steps of all epochs are 0, 1, 2, ..."""
        return self.steps.training.prune is not None and step > 0 and step % self.interval == 0

    def parts(self, group: StepInput, first: int) -> Iterator[tuple[int, StepInput]]:
        """The steps of a group in parts, each with the number of its first: weights may move before a part, and not within one."""
        if self.steps.training.prune is None:
            yield first, group
            return
        start, end = first, first + len(group.rows)
        while start < end:
            part = group.part(slice(start - first, start - first + self.interval - start % self.interval))
            yield start, part
            start += len(part.rows)

    def state(self, state: TrainingState, epoch: int, step: int, following: StepInput, rng: np.random.Generator) -> TrainingState:
        """The state (NumPy arrays) after a move before a step; ``following`` are the inputs of this step and those after it."""
        training, D = self.steps.training, self.steps.data.inputs
        assert training.prune is not None
        regrowth = Regrowth(training.prune, training.grow, training.grow_weights, lambda w: self.moments(self.ops.matrix(w)))
        gradients = self._dense_gradients(state, epoch, following) if training.grow.needs_gradient() else state.params
        return regrowth.state(self.steps.network, D, state, gradients, rng, step / self.steps_per_epoch)

    def _dense_gradients(self, state: TrainingState, epoch: int, following: StepInput) -> Any:
        """The gradients of the network with all weights, on the batch of the first step of some."""
        assert self.matrices is not None  # check_run refuses data that are read from files
        ops, steps, given = self.ops, self.steps, map_tree(lambda array: array[0], following)
        network, params, statistics = steps.network.at_epoch(epoch + 1).dense(steps.data.inputs, state.params, state.statistics)
        state = TrainingState(ops.matrices(params), (), ops.matrices(statistics))
        X, T, *weights = (ops.take_rows(matrix, given.rows) for matrix in self.matrices)
        T, targets = steps.targets(ops, T)
        _, _, gradients = batch_gradients(ops, network, steps.loss, state, X, T, ops.matrices(given.noise), targets, *weights)
        return map_tree(ops.to_numpy, gradients)
