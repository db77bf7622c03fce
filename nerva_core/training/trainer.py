"""Training: mini-batch descent with the hand-written gradients, compiled by the backend, the same on every backend."""

from __future__ import annotations

import math
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.memory import Array
from nerva_core.algebra.numeric_backend import Backend, backend
from nerva_core.algebra.trees import leaves, map_tree
from nerva_core.data import Dataset
from nerva_core.equations.regrowth import Pruner
from nerva_core.training.batches import (
    EVALUATION_NOISE,
    INITIAL,
    PATTERN,
    REGROWTH,
    StepInput,
    epoch_inputs,
    learning_rate,
    random_stream,
    steps_per_epoch,
)
from nerva_core.training.checks import check_run
from nerva_core.training.config import Config
from nerva_core.training.evaluation import EvaluatedState, Evaluator
from nerva_core.training.launching import workers_in
from nerva_core.training.models import checked_patterns, load_weights
from nerva_core.training.reading import BatchReader
from nerva_core.training.regrowth import Regrowth
from nerva_core.training.sharing import Sharing, with_blocks
from nerva_core.training.step import StepOutput, TrainingState, batch_gradients, training_step

NO_OUTPUTS: Array = np.zeros((0, 0))

OnStep = Callable[[int, int, float], None]
"""Receives, now and then, the epoch that is trained, the steps of it that are done, and the mean loss of the last few batches."""


class DivergenceError(NervaError):
    """The loss is no longer a finite number."""


@dataclass(frozen=True)
class Metrics:
    """One epoch. Losses are means over the examples and accuracies fractions of them, in evaluation mode after the epoch."""

    epoch: int
    lr: float
    train_loss: float
    test_loss: float
    train_accuracy: float | None
    """None for a regression."""
    test_accuracy: float | None
    seconds: float
    """The time of the training steps, without evaluation."""
    largest_gradient: float | None = None
    """The largest |Dθ| of all parameters and steps of the epoch; None unless gradients are recorded."""
    q_lambda: float | None = None
    """The λ with which the noise of the q-activations was drawn, the largest of them; None if there are none."""
    hard_distance: float | None = None
    """The earth mover distance between the input and the output of the first hard layer, on the test set; not listed unless recorded."""


class Trainer:
    """Trains the network of a configuration on its data."""

    def __init__(self, config: Config, data: Dataset | None = None) -> None:
        self.ops: Backend[Any] = backend(config.backend, config.dtype, config.device)
        if workers_in()[1] > 1:
            self.ops.join_workers()
        self.data = config.data.load() if data is None else data
        self.config = config = with_blocks(config.completed(self.data), self.ops.workers.count)
        self.network = config.model.build()
        check_run(config, self.network, self.data)
        outputs = self.network.outputs_for(self.data.inputs)
        self._train, self._test = (
            BatchReader(self.data, X, T, outputs, self.ops.dtype)
            if self.data.streamed
            else self._on_device(X, self.data.targets(T, outputs))
            for X, T in ((self.data.Xtrain, self.data.Ttrain), (self.data.Xtest, self.data.Ttest))
        )
        training = config.training
        self._sharing = Sharing(self.ops, self._run_steps, training.blocks or 1, training.micro_batches > 1)
        self._evaluator = Evaluator(self.ops, self._sharing, self.network, config.loss, self.data)
        self.epoch = 0
        self.outputs = NO_OUTPUTS
        """What the steps of the present epoch that are done have reported, one row a step."""
        self.state = self._initial_state()

    @property
    def examples(self) -> int:
        """The number of training examples."""
        return len(self.data.Xtrain)

    @property
    def parameters(self) -> int:
        """The number of trained numbers."""
        return self.network.parameter_count(self.data.inputs)

    @property
    def steps_per_epoch(self) -> int:
        """Every example is used once an epoch; the last batch may be smaller."""
        return steps_per_epoch(self.config, self.data)

    def run(self, on_step: OnStep = lambda epoch, steps, loss: None) -> Iterator[Metrics]:
        """Train from where it is to the last epoch; yields the metrics of each. DivergenceError if the loss is not finite.

        When ``on_step`` is called the state is whole: what it raises ends the training at a place from which it can be continued.
        """
        while self.epoch < self.config.training.epochs:
            with np.errstate(all="ignore"):  # NumPy would warn of what is reported as divergence
                yield self._run_epoch(on_step)

    def evaluate(self, test: bool = True) -> tuple[float, float | None]:
        """(mean loss, accuracy) on the test or training set."""
        data = self._test if test else self._train
        N = len(self.data.Ttest if test else self.data.Ttrain)
        random = random_stream(self.config.seed, EVALUATION_NOISE, self.epoch, int(test))
        noisy = self.network.at_epoch(max(1, self.epoch))
        state, loss, accuracy = self._evaluator.evaluate(self._evaluated_state(), data, N, noisy, random)
        self.state = self.state._replace(params=state.params, statistics=state.statistics)
        return loss, accuracy

    def confusion(self) -> Array:
        """For a classification, classes x classes: how many test examples of each class are predicted as each, without noise."""
        return self._evaluator.confusion(self._evaluated_state())

    def first_input(self) -> StepInput:
        """What the next step is given, if an epoch begins with it."""
        result: StepInput = map_tree(lambda array: array[0], next(self._inputs()))
        return result

    def require_agreement(self) -> None:
        """NervaError unless all workers have one configuration and one state, as where each reads its own copy of the files."""
        content = b"".join([self.config.to_toml().encode(), *(np.ascontiguousarray(a).tobytes() for a in leaves(self.to_numpy()))])
        check = zlib.crc32(content)
        numbers = [self.epoch, len(self.outputs), check >> 16, check & 0xFFFF]  # each exact in float32
        others = self.ops.gathered(numbers)
        if (others != others[0]).any():
            raise NervaError(
                "the workers begin with different configurations, data or states; give all of them the same files, and the same versions"
            )

    def to_numpy(self) -> TrainingState:
        """The state as NumPy arrays: copies, as the next step may overwrite the state."""
        result: TrainingState = map_tree(lambda X: np.array(self.ops.to_numpy(X)), self.state)
        return result

    def restore(self, epoch: int, state: TrainingState, outputs: Array = NO_OUTPUTS) -> None:
        """Continue after ``epoch`` epochs and the steps that reported ``outputs``, from a state of NumPy arrays."""
        checked_patterns(self.network, self.data.inputs, state.statistics)
        self.epoch, self.state, self.outputs = epoch, self.ops.matrices(state), outputs

    def restart(self, seed: int) -> None:
        """Begin again, as a new trainer of the same configuration with another seed does; what was compiled is kept."""
        self.config = self.config.model_copy(update={"seed": seed})
        self.epoch, self.outputs, self.state = 0, NO_OUTPUTS, self._initial_state()

    def _run_epoch(self, on_step: OnStep) -> Metrics:
        started = time.perf_counter()
        parts = self._between_moves(self._inputs(done=len(self.outputs)))
        groups = ((part.rows, part.noise, part.scalars) for part in parts)
        for inputs in self._sharing.read(groups, self._train):
            data = () if isinstance(self._train, BatchReader) else self._train
            step = self._step_on_batch if self.data.streamed else self._step_on_rows
            self.state, values = self._sharing.run(step, self.state, data, inputs, self._noise_of_one)
            self.outputs = np.concatenate([self.outputs, values]) if len(self.outputs) else values
            on_step(self.epoch, len(self.outputs), float(StepOutput(*values.T).loss.mean()))
        seconds = time.perf_counter() - started
        outputs, self.outputs = StepOutput(*self.outputs.T), NO_OUTPUTS
        lr = float(learning_rate(self.config, self.epoch, (self.epoch + 1) * self.steps_per_epoch - 1))
        for number, value in enumerate(outputs.loss.tolist(), 1):
            self._require_finite(value, f"at step {number} of epoch {self.epoch + 1}", lr)
        self.epoch += 1
        train_loss, train_accuracy = self.evaluate(test=False)
        test_loss, test_accuracy = self.evaluate(test=True)
        self._require_finite(train_loss, f"after epoch {self.epoch}", lr)
        recorded = float(max(outputs.largest_gradient)) if len(outputs.largest_gradient) else None
        scale = self.network.at_epoch(self.epoch).noise_scale()
        distance = self._evaluator.hard_distance(self._evaluated_state()) if self.config.training.record_distances else None
        return Metrics(self.epoch, lr, train_loss, test_loss, train_accuracy, test_accuracy, seconds, recorded, scale, distance)

    def _between_moves(self, groups: Iterator[StepInput]) -> Iterator[StepInput]:
        """The inputs in parts, before which weights move. The steps of a part must be done before the next is asked for."""
        interval = self.config.training.prune_interval or self.steps_per_epoch
        for group in groups:
            if self.config.training.prune is None:
                yield group
                continue
            start = 0
            while start < len(group.rows):
                step = self.epoch * self.steps_per_epoch + len(self.outputs)
                part = group.part(slice(start, start + interval - step % interval))
                if step and step % interval == 0:
                    self._move_weights(self._regrowth(self.config.training.prune), step, part)
                yield part
                start += len(part.rows)

    def _regrowth(self, pruner: Pruner) -> Regrowth:
        training = self.config.training
        return Regrowth(pruner, training.grow, training.grow_weights, lambda w: self._moments(self.ops.matrix(w)))

    def _move_weights(self, regrowth: Regrowth, step: int, following: StepInput) -> None:
        """Weights move to other places before a step; what they are given is that of this step and those after it."""
        state, D = self.to_numpy(), self.data.inputs
        gradients = self._dense_gradients(state, following) if regrowth.grower.needs_gradient() else state.params
        rng = random_stream(self.config.seed, REGROWTH, step)
        new = regrowth.state(self.network, D, state, gradients, rng, step / self.steps_per_epoch)
        self.state = self.ops.matrices(new)

    def _dense_gradients(self, state: TrainingState, following: StepInput) -> Any:
        """The gradients of the network with all weights, on the batch of the first step of some."""
        assert isinstance(self._train, tuple)  # check_run refuses data that are read from files
        ops, given = self.ops, map_tree(lambda array: array[0], following)
        network, params, statistics = self.network.at_epoch(self.epoch + 1).dense(self.data.inputs, state.params, state.statistics)
        state = TrainingState(ops.matrices(params), (), ops.matrices(statistics))
        X, T = (ops.take_rows(matrix, given.rows) for matrix in self._train)
        T, targets = self._targets(ops, T)
        _, _, gradients = batch_gradients(ops, network, self.config.loss, state, X, T, ops.matrices(given.noise), targets)
        return map_tree(ops.to_numpy, gradients)

    def _inputs(self, done: int = 0) -> Iterator[StepInput]:
        return epoch_inputs(self.config, self.network, self.data, self.ops, self.epoch, done)

    def _noise_of_one(self) -> Any:
        """The noise of a batch of one row."""
        return self.network.draw(np.random.default_rng(0), 1, self.data.inputs)

    def _run_steps(self, *arguments: Any) -> tuple[Any, Array]:
        return self.ops.run_steps(*arguments) if self.config.compile else self.ops.run_plainly(*arguments)

    def _step_on_rows(
        self, ops: Backend[Any], state: TrainingState, X: Any, T: Any, rows: Any, noise: Any, scalars: Any
    ) -> tuple[TrainingState, StepOutput]:
        return self._step_on_batch(ops, state, ops.take_rows(X, rows), ops.take_rows(T, rows), noise, scalars)

    def _step_on_batch(
        self, ops: Backend[Any], state: TrainingState, X: Any, T: Any, noise: Any, scalars: Any
    ) -> tuple[TrainingState, StepOutput]:
        config, record = self.config, self.config.training.record_gradients
        T, targets = self._targets(ops, T)
        return training_step(ops, self.network, config.loss, config.optimizer, state, X, T, noise, scalars, record, targets)

    def _targets(self, ops: Backend[Any], T: Any) -> tuple[Any, Any]:
        """The targets of a batch, and over how many of them the loss is a mean, if not over the rows."""
        T = self.data.rows_of_targets(ops, T)
        return T, ops.elements_sum(T) if self.data.per_position else None

    def _evaluated_state(self) -> EvaluatedState:
        return EvaluatedState(self.state.params, self.state.statistics)

    def _on_device(self, X: Any, T: Any) -> tuple[Any, Any]:
        return self.ops.matrix(X), self.ops.matrix(T)

    def _initial_state(self) -> TrainingState:
        D, seed = self.data.inputs, self.config.seed
        params, statistics = self.network.init(random_stream(seed, INITIAL), D), self.network.first_state(random_stream(seed, PATTERN), D)
        if self.config.model.load_weights is not None:
            params, statistics = load_weights(Path(self.config.model.load_weights), self.network, D, params, statistics)
        params = self.ops.matrices(params)
        states = self.ops.matrices(tuple(map(self._moments, leaves(params))))
        return TrainingState(params, states, self.ops.matrices(statistics))

    def _moments(self, theta: Any) -> Any:
        """The first state of the optimizer for a parameter, as NumPy arrays: on the device of the parameters, whatever made it."""
        return map_tree(self.ops.to_numpy, self.config.optimizer.init(self.ops, theta))

    def _require_finite(self, loss: float, where: str, lr: float) -> None:
        if not math.isfinite(loss):
            raise DivergenceError(
                f"training diverged: the loss is {loss} {where} (learning rate {lr:g}); "
                f"try a smaller learning rate, for example schedule.eta0 = {lr / 10:g}, or check the scale of the data"
            )
