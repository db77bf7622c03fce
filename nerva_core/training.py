"""Training: mini-batch descent with the hand-written gradients, compiled by the backend, the same on every backend.

All randomness is drawn here, by NumPy, from the seed: initial values, the order of the examples in every epoch, and the noise
of the layers. Nothing of it depends on the backend or on how far a run has come, so a resumed run repeats an uninterrupted one.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nerva_core.config import Config
from nerva_core.data import Dataset
from nerva_core.errors import NervaError
from nerva_core.layers import Sequential
from nerva_core.losses import Loss
from nerva_core.matrix_ops import M, MatrixOps
from nerva_core.models import load_weights
from nerva_core.numeric_backend import Backend, backend
from nerva_core.optimizers import Optimizer
from nerva_core.trees import leaves, map_tree, with_leaves

EVALUATION_BATCH = 1000
"""Rows that are evaluated at once; it bounds the memory, and does not change a result beyond rounding."""

STEPS_AT_ONCE, BYTES_AT_ONCE = 100, 2**26
"""Bounds on the steps, and on their noise, that are handed to the backend in one call."""

INITIAL, ORDER, NOISE, EVALUATION_NOISE = range(4)
"""The streams of random numbers of a run."""


class DivergenceError(NervaError):
    """The loss is no longer a finite number."""


class TrainingState(NamedTuple):
    """What changes in training: parameters, one optimizer state a parameter, and the layers' running statistics."""

    params: Any
    optimizer: Any
    statistics: Any


class StepInput(NamedTuple):
    """What one step is given, as NumPy arrays."""

    lr: float
    rows: Any
    noise: Any
    scalars: tuple[Any, ...]


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


def random_stream(seed: int, *key: int) -> np.random.Generator:
    """The generator of one stream of random numbers of a run."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def training_step(
    ops: MatrixOps[M],
    network: Sequential,
    loss: Loss,
    optimizer: Optimizer,
    state: TrainingState,
    X: M,
    T: M,
    noise: Any,
    scalars: tuple[Any, ...],
) -> tuple[TrainingState, M]:
    """One step on a batch: the new state, and the mean loss of the batch before the step (1 x 1)."""
    N, _ = ops.shape(X)
    Y, cache = network.feedforward(ops, state.params, X, *noise)
    value, DY = loss.value(ops, Y, T), loss.gradient(ops, Y, T)
    if not loss.mean:
        value, DY = ops.divide(value, N), ops.divide(DY, N)
    _, gradients = network.backpropagate(ops, state.params, cache, DY)
    updated = [
        optimizer.update(ops, s, theta, Dtheta, *scalars)
        for s, theta, Dtheta in zip(state.optimizer, leaves(state.params), leaves(gradients), strict=True)
    ]
    params = with_leaves(state.params, [theta for theta, _ in updated])
    statistics = network.update_state(ops, state.statistics, cache)
    return TrainingState(params, tuple(s for _, s in updated), statistics), value


class Trainer:
    """Trains the network of a configuration on its data."""

    def __init__(self, config: Config, data: Dataset | None = None) -> None:
        self.config = config
        self.network = config.model.build()
        self.ops: Backend[Any] = backend(config.backend, config.dtype, config.device)
        self.data = config.data.load() if data is None else data
        self._check()
        outputs = self.network.outputs_for(self.data.inputs)
        self.data.check_outputs(outputs)
        self._train = self._on_device(self.data.Xtrain, self.data.targets(self.data.Ttrain, outputs))
        self._test = self._on_device(self.data.Xtest, self.data.targets(self.data.Ttest, outputs))
        self.epoch = 0
        self.state = self._initial_state()
        self._forward = self.ops.compile(self._forward_on_rows)

    @property
    def examples(self) -> int:
        """The number of training examples."""
        return len(self.data.Xtrain)

    @property
    def steps_per_epoch(self) -> int:
        """Every example is used once an epoch; the last batch may be smaller."""
        return math.ceil(self.examples / self.config.training.batch_size)

    def run(self, on_step: Callable[[int, int], None] = lambda epoch, steps: None) -> Iterator[Metrics]:
        """Train from ``self.epoch`` to the last epoch; yields the metrics of each. DivergenceError if the loss is not finite.

        ``on_step(epoch, steps)`` is told now and then how many steps of the epoch are done.
        """
        while self.epoch < self.config.training.epochs:
            with np.errstate(all="ignore"):  # NumPy would warn of what is reported as divergence
                yield self._run_epoch(on_step)

    def evaluate(self, test: bool = True) -> tuple[float, float | None]:
        """(mean loss, accuracy) on the test or training set."""
        X, T = self._test if test else self._train
        labels = self.data.Ttest if test else self.data.Ttrain
        network = self.network.at_epoch(max(1, self.epoch))
        random = random_stream(self.config.seed, EVALUATION_NOISE, self.epoch, int(test))
        total, correct = 0.0, 0
        for start in range(0, len(labels), EVALUATION_BATCH):
            rows = np.arange(start, min(start + EVALUATION_BATCH, len(labels)))
            noise = self.ops.matrices(network.draw_for_evaluation(random, len(rows), self.data.inputs))
            Y, value = self._forward(self.state.params, self.state.statistics, X, T, rows, noise)
            total += float(self.ops.to_numpy(value)[0, 0]) * (len(rows) if self.config.loss.mean else 1)
            if self.data.classes is not None:
                correct += int((self._predicted(self.ops.to_numpy(Y)) == labels[rows]).sum())
        return total / len(labels), None if self.data.classes is None else correct / len(labels)

    def to_numpy(self) -> TrainingState:
        """The state as NumPy arrays."""
        result: TrainingState = map_tree(self.ops.to_numpy, self.state)
        return result

    def restore(self, epoch: int, state: TrainingState) -> None:
        """Continue after ``epoch`` epochs, from a state of NumPy arrays."""
        self.epoch, self.state = epoch, self.ops.matrices(state)

    def _run_epoch(self, on_step: Callable[[int, int], None]) -> Metrics:
        started = time.perf_counter()
        losses, lr = [], 0.0
        for chunk in self._chunks():
            inputs = [(given.rows, given.noise, given.scalars) for given in chunk]
            self.state, values = self.ops.run_steps(self._step_on_rows, self.state, self._train, inputs)
            losses += [float(self.ops.to_numpy(value)[0, 0]) for value in values]
            lr = chunk[-1].lr
            on_step(self.epoch, len(losses))
        seconds = time.perf_counter() - started
        self._require_finite(losses, lr)
        self.epoch += 1
        train_loss, train_accuracy = self.evaluate(test=False)
        test_loss, test_accuracy = self.evaluate(test=True)
        self._require_finite([train_loss], lr)
        return Metrics(self.epoch, lr, train_loss, test_loss, train_accuracy, test_accuracy, seconds)

    def _chunks(self) -> Iterator[list[StepInput]]:
        """The steps of the epoch, in groups on batches of one size that run in one call."""
        full, rest = divmod(self.examples, self.config.training.batch_size)
        inputs = self._inputs()
        for count in [full] * (full > 0) + [1] * (rest > 0):
            first = next(inputs)
            noise = sum(array.nbytes for array in leaves(first.noise))
            limit = max(1, min(STEPS_AT_ONCE, BYTES_AT_ONCE // max(1, noise)))
            size = math.ceil(count / math.ceil(count / limit))  # groups of equal size, where possible: they compile once
            steps = chain([first], islice(inputs, count - 1))
            while chunk := list(islice(steps, size)):
                yield chunk

    def _inputs(self) -> Iterator[StepInput]:
        """What each step of the epoch is given, drawn when it is asked for."""
        config = self.config
        order = random_stream(config.seed, ORDER, self.epoch).permutation(self.examples)
        noise = random_stream(config.seed, NOISE, self.epoch)
        network = self.network.at_epoch(self.epoch + 1)
        for step in range(self.steps_per_epoch):
            t = self.epoch * self.steps_per_epoch + step
            lr = config.schedule(t if config.training.schedule_by == "step" else self.epoch)
            rows = order[step * config.training.batch_size : (step + 1) * config.training.batch_size]
            draws = network.draw(noise, len(rows), self.data.inputs)
            yield StepInput(lr, rows, draws, tuple(np.asarray(c) for c in config.optimizer.scalars(lr, t + 1)))

    def _step_on_rows(self, state: TrainingState, X: Any, T: Any, rows: Any, noise: Any, scalars: Any) -> tuple[TrainingState, Any]:
        ops, config = self.ops, self.config
        X, T = ops.take_rows(X, rows), ops.take_rows(T, rows)
        return training_step(ops, self.network, config.loss, config.optimizer, state, X, T, noise, scalars)

    def _forward_on_rows(self, params: Any, statistics: Any, X: Any, T: Any, rows: Any, noise: Any) -> tuple[Any, Any]:
        Y = self.network.evaluate(self.ops, params, statistics, self.ops.take_rows(X, rows), *noise)
        return Y, self.config.loss.value(self.ops, Y, self.ops.take_rows(T, rows))

    def _on_device(self, X: Any, T: Any) -> tuple[Any, Any]:
        return self.ops.matrix(X), self.ops.matrix(T)

    def _initial_state(self) -> TrainingState:
        params = self.network.init(random_stream(self.config.seed, INITIAL), self.data.inputs)
        if self.config.model.load_weights is not None:
            params = load_weights(Path(self.config.model.load_weights), self.network, params)
        params = self.ops.matrices(params)
        states = tuple(self.config.optimizer.init(self.ops, theta) for theta in leaves(params))
        states = self.ops.matrices(map_tree(self.ops.to_numpy, states))  # on the device of the parameters, whatever made them
        return TrainingState(params, states, self.ops.matrices(self.network.initial_state(self.data.inputs)))

    def _check(self) -> None:
        sizes = self.config.model.sizes
        if isinstance(self.config.model.layers, str) and sizes[0] != self.data.inputs:
            raise NervaError(f"the first of model.sizes must be the number of features, {self.data.inputs}, got {sizes[0]}")
        if self.config.loss.classification and self.data.classes is None:
            raise NervaError(f"the loss {type(self.config.loss).__name__} is for classes, but the data are a regression; use SquaredError")

    def _predicted(self, Y: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        if Y.shape[1] > 1:
            classes: np.ndarray[Any, Any] = Y.argmax(axis=1)
            return classes
        return np.where(Y[:, 0] > self.config.loss.threshold, 1, 0)

    def _require_finite(self, losses: list[float], lr: float) -> None:
        for step, value in enumerate(losses, 1):
            if not math.isfinite(value):
                where = f"step {step} of epoch {self.epoch + 1}" if len(losses) > 1 else f"after epoch {self.epoch}"
                raise DivergenceError(
                    f"training diverged: the loss is {value} at {where} (learning rate {lr:g}); "
                    f"try a smaller learning rate, for example schedule.eta0 = {lr / 10:g}, or check the scale of the data"
                )
