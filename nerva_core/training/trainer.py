"""Training: mini-batch descent with the hand-written gradients, compiled by the backend, the same on every backend.

All randomness is drawn here, by NumPy, from the seed: initial values, the order of the examples in every epoch, and the noise
of the layers. Nothing of it depends on the backend or on how far a run has come, so a resumed run repeats an uninterrupted one.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice, repeat
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import M, MatrixOps
from nerva_core.algebra.memory import require_memory
from nerva_core.algebra.numeric_backend import Backend, backend, require_matrix
from nerva_core.algebra.trees import leaves, map_shapes, map_tree, stacked, with_leaves
from nerva_core.data import Dataset
from nerva_core.equations.losses import Loss
from nerva_core.equations.optimizers import Optimizer
from nerva_core.layers import Sequential
from nerva_core.training.config import Config, check_batches, check_task
from nerva_core.training.models import load_weights

EVALUATION_BATCH = 1000
"""Rows that are evaluated at once; it bounds the memory, and does not change a result beyond rounding."""

STEPS_AT_ONCE, BYTES_AT_ONCE, WORK_AT_ONCE = 1000, 2**26, 2**35
"""Bounds on the steps that are handed to the backend in one call, which nothing can interrupt: on their number, on their noise, and on
rows times parameters, which is a second or so of one core."""

Array = np.ndarray[Any, Any]

NO_OUTPUTS: Array = np.zeros((0, 0))

INITIAL, ORDER, NOISE, EVALUATION_NOISE = range(4)
"""The streams of random numbers of a run."""


OnStep = Callable[[int, int, float], None]
"""Is told now and then of the epoch that is trained, the steps of it that are done, and the mean loss of the last few batches."""


class DivergenceError(NervaError):
    """The loss is no longer a finite number."""


class TrainingState(NamedTuple):
    """What changes in training: parameters, one optimizer state a parameter, and the layers' running statistics."""

    params: Any
    optimizer: Any
    statistics: Any


class StepOutput(NamedTuple):
    """What one step reports, each 1 x 1. ``Backend.run_steps`` gives them as the columns of an array, in this order."""

    loss: Any
    """The mean loss of the batch before the step."""
    largest_gradient: Any = ()
    """The largest |Dθ| of all parameters, before the optimizer changes it; nothing unless gradients are recorded."""


class EvaluationOutput(NamedTuple):
    """What the evaluation of a batch reports, each 1 x 1."""

    loss: Any
    """The loss of the batch: a sum, or the mean, as the loss function has it."""
    correct: Any
    """The number of rows whose class is predicted."""


class StepInput(NamedTuple):
    """What one step is given, as NumPy arrays; what several are given, as arrays with a leading axis over the steps."""

    lr: Any
    rows: Any
    noise: Any
    scalars: tuple[Any, ...]

    def after(self, steps: int) -> StepInput:
        """Without the first steps."""
        result: StepInput = map_tree(lambda array: array[steps:], self)
        return result


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
    record_gradients: bool = False,
) -> tuple[TrainingState, StepOutput]:
    """One step on a batch: the new state, and what is reported of the step. NervaError if X or T is not a matrix."""
    for name, given in (("X", X), ("T", T)):
        require_matrix(f"training_step: {name}", given)
    N, _ = ops.shape(X)
    Y, cache = network.feedforward(ops, state.params, X, *noise)
    value, DY = loss.value(ops, Y, T), loss.gradient(ops, Y, T)
    if not loss.mean:
        value, DY = ops.divide(value, N), ops.divide(DY, N)
    penalty = network.penalty(ops, cache)
    if penalty is not None:
        value = value + penalty
    _, gradients = network.backpropagate(ops, state.params, cache, DY)
    thetas, states = optimizer.step(ops, state.optimizer, list(leaves(state.params)), list(leaves(gradients)), *scalars)
    statistics = network.update_state(ops, state.statistics, cache)
    outputs = StepOutput(value, largest_magnitude(ops, leaves(gradients)) if record_gradients else ())
    return TrainingState(with_leaves(state.params, thetas), tuple(states), statistics), outputs


def largest_magnitude(ops: MatrixOps[M], matrices: Iterable[M]) -> M:
    """The largest absolute value of all elements of all matrices (1 x 1)."""
    return functools.reduce(ops.maximum, (ops.rows_max(ops.columns_max(ops.abs(X))) for X in matrices))


def count_correct(ops: Backend[M], Y: M, T: M, threshold: float, positions: int = 1) -> M:
    """The number of rows (1 x 1) in which the first of the largest outputs is that of the class, for one-hot targets.

    With a single output: of the rows where y > threshold if and only if the class, which is then the target, is 1. With several positions,
    the outputs of which stand one after the other: of the rows where this is so for all of them.
    """
    N, K = ops.shape(Y)
    if positions > 1:
        of_positions = [ops.reshape(Z, N * positions, K // positions) for Z in (Y, T)]
        right = ops.rows_sum(ops.reshape(is_correct(ops, *of_positions), N, positions))
        return ops.elements_sum(ops.equal(right, ops.full(positions, N, 1)))
    if K == 1:
        return ops.elements_sum(ops.equal(T, ops.greater(Y, ops.full(threshold, N, K))))
    return ops.elements_sum(is_correct(ops, Y, T))


def is_correct(ops: Backend[M], Y: M, T: M) -> M:
    """The indicator (N x 1) of the rows in which the first of the largest outputs is that of the class, for one-hot targets."""
    N, K = ops.shape(Y)
    order = ops.row_repeat(ops.matrix(np.arange(K, 0, -1)), N)  # the largest where the first column is
    largest = ops.equal(Y, ops.column_repeat(ops.rows_max(Y), K))
    predicted, actual = (ops.rows_max(ops.hadamard(chosen, order)) for chosen in (largest, T))
    return ops.equal(predicted, actual)


def grouped(order: Array, batch: int, parameters: int, draw: Callable[[int], Any]) -> Iterator[tuple[Array, Any]]:
    """The rows and the noise of steps that run in one call, with a leading axis over them: on batches of one size, within the bounds.

    ``order`` holds the rows in the order in which they are taken, and ``draw`` gives the noise of a step on some number of rows.
    """
    batch = min(batch, len(order))
    whole = len(order) - len(order) % batch
    for batches in (order[:whole].reshape(-1, batch), order[whole:].reshape(1, -1)):
        if not batches.size:
            continue
        count, rows = batches.shape
        first = draw(rows)
        size = sum(array.nbytes for array in leaves(first))
        limit = max(1, min(STEPS_AT_ONCE, BYTES_AT_ONCE // max(1, size), WORK_AT_ONCE // max(1, rows * parameters)))
        length = math.ceil(count / math.ceil(count / limit))  # groups of equal size, where possible: they compile once
        draws = chain([first], map(draw, repeat(rows)))
        for start in range(0, count, length):
            group = batches[start : start + length]
            yield group, stacked(list(islice(draws, len(group)))) if size else first


class Trainer:
    """Trains the network of a configuration on its data."""

    def __init__(self, config: Config, data: Dataset | None = None) -> None:
        self.config = config
        self.network = config.model.build()
        self.ops: Backend[Any] = backend(config.backend, config.dtype, config.device)
        self.data = config.data.load() if data is None else data
        self._check()
        self._require_memory()
        outputs = self.network.outputs_for(self.data.inputs)
        check_task(config.loss, self.network, self.data, outputs)
        self._train = self._on_device(self.data.Xtrain, self.data.targets(self.data.Ttrain, outputs))
        self._test = self._on_device(self.data.Xtest, self.data.targets(self.data.Ttest, outputs))
        self.epoch = 0
        self.outputs = NO_OUTPUTS
        """What the steps of the present epoch that are done have reported, one row a step."""
        self.state = self._initial_state()
        self._run_steps = self.ops.run_steps if config.compile else self.ops.run_plainly

    @property
    def examples(self) -> int:
        """The number of training examples."""
        return len(self.data.Xtrain)

    @functools.cached_property
    def parameters(self) -> int:
        """The number of trained numbers."""
        return sum(leaves(map_shapes(math.prod, self.network.shapes(self.data.inputs))))

    @property
    def steps_per_epoch(self) -> int:
        """Every example is used once an epoch; the last batch may be smaller."""
        return math.ceil(self.examples / self.config.training.batch_size)

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
        network = self.network.at_epoch(max(1, self.epoch))
        random = random_stream(self.config.seed, EVALUATION_NOISE, self.epoch, int(test))
        state, values, sizes = (self.state.params, self.state.statistics), [], []
        inputs, parameters = self.data.inputs, self.parameters

        def draw(N: int) -> Any:
            return self.ops.converted(network.draw_for_evaluation(random, N, inputs))

        for group in grouped(np.arange(N), EVALUATION_BATCH, parameters, draw):
            state, outputs = self._run_steps(self._evaluate_rows, state, data, group)
            values.append(outputs)
            sizes += list(map(len, group[0]))
        self.state = self.state._replace(params=state[0], statistics=state[1])
        result = EvaluationOutput(*np.concatenate(values).astype(float).T)
        weights = sizes if self.config.loss.mean else np.ones(len(sizes))
        accuracy = None if self.data.classes is None else float(result.correct.sum()) / N
        return float(result.loss @ weights) / N, accuracy

    def confusion(self) -> Array:
        """For a classification, classes x classes: how many test examples of each class are predicted as each, without noise."""
        classes = self.data.classes or 0
        result = np.zeros((classes, classes), dtype=int)
        for start in range(0, len(self.data.Ttest), EVALUATION_BATCH):
            rows = slice(start, start + EVALUATION_BATCH)
            X = self.ops.matrix(self.data.Xtest[rows])
            Y = self.ops.to_numpy(self.network.evaluate(self.ops, self.state.params, self.state.statistics, X))
            predicted = Y.argmax(axis=1) if Y.shape[1] > 1 else (Y[:, 0] > self.config.loss.threshold).astype(int)
            np.add.at(result, (self.data.Ttest[rows], predicted), 1)
        return result

    def first_input(self) -> StepInput:
        """What the next step is given, if an epoch begins with it."""
        result: StepInput = map_tree(lambda array: array[0], next(self._inputs()))
        return result

    def to_numpy(self) -> TrainingState:
        """The state as NumPy arrays: copies, as the next step may overwrite the state."""
        result: TrainingState = map_tree(lambda X: np.array(self.ops.to_numpy(X)), self.state)
        return result

    def restore(self, epoch: int, state: TrainingState, outputs: Array = NO_OUTPUTS) -> None:
        """Continue after ``epoch`` epochs and the steps that reported ``outputs``, from a state of NumPy arrays."""
        self.epoch, self.state, self.outputs = epoch, self.ops.matrices(state), outputs

    def restart(self, seed: int) -> None:
        """Begin again, as a new trainer of the same configuration with another seed does; what was compiled is kept."""
        self.config = self.config.model_copy(update={"seed": seed})
        self.epoch, self.outputs, self.state = 0, NO_OUTPUTS, self._initial_state()

    def _run_epoch(self, on_step: OnStep) -> Metrics:
        started = time.perf_counter()
        lr, step = 0.0, 0
        for group in self._inputs():
            new = group.after(max(0, len(self.outputs) - step))  # what is done is drawn again, so that the rest is as it would have been
            step, lr = step + len(group.rows), float(group.lr[-1])
            if not len(new.rows):
                continue
            inputs = new.rows, new.noise, new.scalars
            self.state, values = self._run_steps(self._step_on_rows, self.state, self._train, inputs)
            self.outputs = np.concatenate([self.outputs, values]) if len(self.outputs) else values
            on_step(self.epoch, step, float(StepOutput(*values.T).loss.mean()))
        seconds = time.perf_counter() - started
        outputs, self.outputs = StepOutput(*self.outputs.T), NO_OUTPUTS
        self._require_finite(outputs.loss.tolist(), lr)
        self.epoch += 1
        train_loss, train_accuracy = self.evaluate(test=False)
        test_loss, test_accuracy = self.evaluate(test=True)
        self._require_finite([train_loss], lr)
        recorded = float(max(outputs.largest_gradient)) if len(outputs.largest_gradient) else None
        scale = self.network.at_epoch(self.epoch).noise_scale()
        distance = self._hard_distance() if self.config.training.record_distances else None
        return Metrics(self.epoch, lr, train_loss, test_loss, train_accuracy, test_accuracy, seconds, recorded, scale, distance)

    def _hard_distance(self) -> float | None:
        from nerva_core.training.metrics import MOST_ROWS, hard_distance

        X = self.ops.matrix(self.data.Xtest[:MOST_ROWS])
        return hard_distance(self.ops, self.network, self.state.params, self.state.statistics, X)

    def _inputs(self) -> Iterator[StepInput]:
        """What the steps of the epoch are given, in groups that run in one call, drawn when they are asked for."""
        config = self.config
        order = random_stream(config.seed, ORDER, self.epoch).permutation(self.examples)
        noise = random_stream(config.seed, NOISE, self.epoch)
        network = self.network.at_epoch(self.epoch + 1)
        t = self.epoch * self.steps_per_epoch
        batch, inputs, parameters = config.training.batch_size, self.data.inputs, self.parameters
        for rows, draws in grouped(order, batch, parameters, lambda N: self.ops.converted(network.draw(noise, N, inputs))):
            steps = range(t, t + len(rows))
            lr = [config.schedule(i if config.training.schedule_by == "step" else self.epoch) for i in steps]
            scalars = zip(*(config.optimizer.scalars(eta, i + 1) for eta, i in zip(lr, steps, strict=True)), strict=True)
            yield StepInput(np.array(lr, float), rows, draws, tuple(np.array(column, float) for column in scalars))
            t += len(rows)

    def _step_on_rows(
        self, ops: Backend[Any], state: TrainingState, X: Any, T: Any, rows: Any, noise: Any, scalars: Any
    ) -> tuple[TrainingState, StepOutput]:
        config = self.config
        X, T = ops.take_rows(X, rows), ops.take_rows(T, rows)
        record = config.training.record_gradients
        return training_step(ops, self.network, config.loss, config.optimizer, state, X, T, noise, scalars, record)

    def _evaluate_rows(self, ops: Backend[Any], state: Any, X: Any, T: Any, rows: Any, noise: Any) -> tuple[Any, EvaluationOutput]:
        loss = self.config.loss
        X, T = ops.take_rows(X, rows), ops.take_rows(T, rows)
        Y = self.network.evaluate(ops, *state, X, *noise)
        correct = ops.zeros(1, 1) if self.data.classes is None else count_correct(ops, Y, T, loss.threshold, self.data.positions)
        return state, EvaluationOutput(loss.value(ops, Y, T), correct)

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
        check_batches(self.network, self.config.training.batch_size, self.examples)

    def _require_memory(self) -> None:
        """NervaError for a network, or a batch of its values, that cannot fit, before any of it is made."""
        require_memory(4 * 4 * self.parameters, f"a network with {self.parameters:,} parameters")  # themselves, gradients, two moments
        rows = min(self.examples, max(self.config.training.batch_size, EVALUATION_BATCH))
        values = rows * sum(self.network.widths(self.data.inputs))
        require_memory(4 * 2 * values, f"the values of {rows} examples in all layers")
        if self.data.classes is not None:
            count = (self.examples + len(self.data.Xtest)) * self.data.classes
            require_memory(8 * count, f"the targets of {self.data.classes} classes")

    def _require_finite(self, losses: list[float], lr: float) -> None:
        for step, value in enumerate(losses, 1):
            if not math.isfinite(value):
                where = f"step {step} of epoch {self.epoch + 1}" if len(losses) > 1 else f"after epoch {self.epoch}"
                raise DivergenceError(
                    f"training diverged: the loss is {value} at {where} (learning rate {lr:g}); "
                    f"try a smaller learning rate, for example schedule.eta0 = {lr / 10:g}, or check the scale of the data"
                )
