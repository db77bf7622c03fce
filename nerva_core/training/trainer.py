"""Training: mini-batch descent with the hand-written gradients, compiled by the backend, the same on every backend."""

from __future__ import annotations

import math
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.memory import Array
from nerva_core.algebra.numeric_backend import Backend, backend
from nerva_core.algebra.trees import Tree, leaves, map_tree, with_leaves
from nerva_core.data import Dataset
from nerva_core.layers.sequential import Sequential
from nerva_core.training.batches import (
    EVALUATION_NOISE,
    INITIAL,
    PATTERN,
    REGROWTH,
    VALIDATION,
    StepInput,
    epoch_inputs,
    learning_rate,
    random_stream,
    steps_per_epoch,
)
from nerva_core.training.checks import check_run
from nerva_core.training.config import Config
from nerva_core.training.evaluation import EvaluatedState, Evaluator, Scores
from nerva_core.training.launching import workers_in
from nerva_core.training.models import checked_patterns, load_weights
from nerva_core.training.moves import Moves
from nerva_core.training.reading import BatchReader
from nerva_core.training.results import Metrics, TrainingResult
from nerva_core.training.selection import best, check_selection, is_enough, prepared
from nerva_core.training.sharing import Sharing, with_blocks
from nerva_core.training.step import BatchSteps, StepOutput, TrainingState

Part = Literal["training", "test", "validation"]
"""Of the data."""

NO_OUTPUTS: Array = np.zeros((0, 0))

OnStep = Callable[[int, int, float], None]
"""Receives, now and then, the epoch that is trained, the steps of it that are done, and the mean loss of the last few batches."""


class Callback(Protocol):
    """What is called after every epoch."""

    def __call__(self, trainer: Trainer, metrics: Metrics) -> bool | None:
        """The epoch with these metrics is complete; True ends the training."""


class DivergenceError(NervaError):
    """The loss is no longer a finite number."""


class Trainer:
    """Trains the network of a configuration, or another one of the same parameters, on its data."""

    def __init__(
        self, config: Config, data: Dataset | None = None, callbacks: Sequence[Callback] = (), network: Sequential | None = None
    ) -> None:
        self.ops: Backend = backend(config.backend, config.dtype, config.device, join=workers_in()[1] > 1)
        loaded = config.data.load() if data is None else data
        self.data = prepared(loaded, config.training, random_stream(config.seed, VALIDATION))
        self.config = config = with_blocks(config.completed(self.data), self.ops.workers.count)
        self.network = config.model.build() if network is None else network
        check_run(config, self.network, self.data)
        check_selection(config.training, self.data)
        self._train = self._source(self.data.Xtrain, self.data.Ttrain)
        self._test = self._source(self.data.Xtest, self.data.Ttest)
        self._validation = self._source(self.data.Xvalidation, self.data.Tvalidation)
        self._weights = () if self.data.weights is None else (self.ops.matrix(self.data.weights[:, None]),)
        training = config.training
        self._sharing = Sharing(self.ops, self._run_steps, training.blocks or 1, training.micro_batches > 1)
        self._steps = BatchSteps(self.network, config.loss, config.optimizer, config.training, self.data)
        self._moves = Moves(self.ops, self._steps, self._matrices(), self._moments, self.steps_per_epoch)
        self._evaluator = Evaluator(self.ops, self._sharing, self.network, config.loss, self.data, training.top_k)
        self.epoch = 0
        self.outputs = NO_OUTPUTS
        """What the steps of the present epoch that are done have reported, one row a step."""
        self.callbacks = tuple(callbacks)
        self.stopped = False
        """Whether a callback has ended the training."""
        self.first_step: int | None = None
        """The number of the first step of the next epoch, where epochs differ in length; None if they do not."""
        self.losses: list[float] = []
        """On the validation set, after each epoch."""
        self.best: EvaluatedState | None = None
        """If the best epoch is kept, what it has learned, as NumPy arrays."""
        self.state = self._initial_state()

    @property
    def is_done(self) -> bool:
        """Whether the last epoch is trained, a callback asked to end, or the loss on the validation set is no smaller for long enough."""
        training = self.config.training
        return self.epoch >= training.epochs or self.stopped or is_enough(self.losses, training.patience)

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
        while not self.is_done:
            with np.errstate(all="ignore"):  # NumPy would warn of what is reported as divergence
                metrics = self._run_epoch(on_step)
            answers = [callback(self, metrics) for callback in self.callbacks]
            self.stopped = any(answers)
            yield metrics

    def evaluate(self, test: bool = True) -> tuple[float, float | None]:
        """(mean loss, accuracy) on the test or training set."""
        loss, accuracy, _ = self._evaluate("test" if test else "training")
        return loss, accuracy

    def _evaluate(self, which: Part) -> Scores:
        data, T = {
            "test": (self._test, self.data.Ttest),
            "training": (self._train, self.data.Ttrain),
            "validation": (self._validation, self.data.Tvalidation),
        }[which]
        N = 0 if T is None else len(T)
        random = random_stream(self.config.seed, EVALUATION_NOISE, self.epoch, ("training", "test", "validation").index(which))
        noisy = self.network.at_epoch(max(1, self.epoch))
        given = self._evaluated_state()
        state, scores = self._evaluator.evaluate(given, data, N, noisy, random)
        if given.params is self.state.params:  # they are consumed
            self.state = self.state._replace(params=state.params, statistics=state.statistics)
        return scores

    def confusion(self) -> Array:
        """For a classification, classes x classes: how many test examples of each class are predicted as each, without noise."""
        return self._evaluator.confusion(self._evaluated_state())

    def finish(self) -> TrainingResult:
        """Take the parameters that are kept, of the best epoch or the last, and evaluate them on the test set."""
        kept = self.epoch if self.best is None else best(self.losses)
        self.take(self.evaluated() if self.best is None else self.best)
        scores = self._evaluate("test") if len(self.data.Xtest) else (None, None, None)
        return TrainingResult(self.epoch, kept, self.epoch < self.config.training.epochs, *scores)

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

    def evaluated(self) -> EvaluatedState:
        """What the network is evaluated with, as NumPy arrays: the parameters, or their averages, and the statistics."""
        result: EvaluatedState = map_tree(lambda X: np.array(self.ops.to_numpy(X)), self._evaluated_state())
        return result

    def take(self, given: EvaluatedState) -> None:
        """Go on from these parameters and statistics, NumPy arrays; an optimizer that averages parameters begins anew."""
        given = self.ops.matrices(given)
        states = self._first_states(given.params) if self._is_averaged() else self.state.optimizer
        self.state = TrainingState(given.params, states, given.statistics)

    def restore(
        self,
        epoch: int,
        state: TrainingState,
        outputs: Array = NO_OUTPUTS,
        losses: Sequence[float] = (),
        best: EvaluatedState | None = None,
    ) -> None:
        """Continue after ``epoch`` epochs and the steps that reported ``outputs``, from a state of NumPy arrays.

        ``losses`` are those on the validation set, and ``best`` is what the epoch with the smallest had learned.
        """
        checked_patterns(self.network, self.data.inputs, state.statistics)
        self.epoch, self.state, self.outputs = epoch, self.ops.matrices(state), outputs
        self.losses, self.best = list(losses), best

    def restart(self, seed: int) -> None:
        """Begin again, as a new trainer of the same configuration with another seed does; what was compiled is kept."""
        self.config = self.config.model_copy(update={"seed": seed})
        self.epoch, self.outputs, self.state = 0, NO_OUTPUTS, self._initial_state()
        self.losses, self.best, self.stopped = [], None, False

    def advance(self, group: StepInput) -> Array:
        """Run these steps; what they report, one row a step."""
        (inputs,) = self._sharing.read(iter([(group.rows, group.noise, group.scalars)]), self._train)
        return self._advance(inputs)

    def _advance(self, inputs: tuple[Any, ...]) -> Array:
        data = self._matrices() or ()
        step = self._steps.on_batch if self.data.streamed else self._steps.on_weighted_rows if self._weights else self._steps.on_rows
        self.state, values = self._sharing.run(step, self.state, data, inputs, self._noise_of_one)
        return values

    def _run_epoch(self, on_step: OnStep) -> Metrics:
        started = time.perf_counter()
        parts = self._between_moves(self._inputs(done=len(self.outputs)))
        groups = ((part.rows, part.noise, part.scalars) for part in parts)
        for inputs in self._sharing.read(groups, self._train):
            values = self._advance(inputs)
            self.outputs = np.concatenate([self.outputs, values]) if len(self.outputs) else values
            on_step(self.epoch, len(self.outputs), float(StepOutput(*values.T).loss.mean()))
        seconds = time.perf_counter() - started
        outputs, self.outputs = StepOutput(*self.outputs.T), NO_OUTPUTS
        lr = float(learning_rate(self.config, self.epoch, (self.epoch + 1) * self.steps_per_epoch - 1))
        for number, value in enumerate(outputs.loss.tolist(), 1):
            self._require_finite(value, f"at step {number} of epoch {self.epoch + 1}", lr)
        self.epoch += 1
        train_loss, train_accuracy, _ = self._evaluate("training")
        self._require_finite(train_loss, f"after epoch {self.epoch}", lr)
        tested = len(self.data.Xtest) and self.data.Xvalidation is None
        test_loss, test_accuracy, top = self._evaluate("test") if tested else (None, None, None)
        validation = self._validate()
        recorded = float(max(outputs.largest_gradient)) if len(outputs.largest_gradient) else None
        scale = self.network.at_epoch(self.epoch).noise_scale()
        distance = self._evaluator.hard_distance(self._evaluated_state()) if self.config.training.record_distances else None
        both = train_loss, test_loss, train_accuracy, test_accuracy
        top_accuracy = top if tested else validation[2]
        return Metrics(self.epoch, lr, *both, seconds, recorded, scale, distance, validation[0], validation[1], top_accuracy)

    def _validate(self) -> Scores | tuple[None, None, None]:
        """The scores on the validation set, if there is one; the best epoch is kept if it is to be."""
        if self.data.Xvalidation is None:
            return None, None, None
        scores = self._evaluate("validation")
        self.losses.append(scores.loss)
        if self.config.training.keeps_best and best(self.losses) == len(self.losses):
            self.best = self.evaluated()
        return scores

    def _between_moves(self, groups: Iterator[StepInput]) -> Iterator[StepInput]:
        """The inputs in parts, before which weights move. The steps of a part must be done before the next is asked for."""
        for group in groups:
            first = self.epoch * self.steps_per_epoch + len(self.outputs)
            for step, part in self._moves.parts(group, first):
                if self._moves.is_due(step):
                    rng = random_stream(self.config.seed, REGROWTH, step)
                    self.state = self.ops.matrices(self._moves.state(self.to_numpy(), self.epoch, step, part, rng))
                yield part

    def _inputs(self, done: int = 0) -> Iterator[StepInput]:
        return epoch_inputs(self.config, self.network, self.data, self.ops, self.epoch, done, self.first_step)

    def _noise_of_one(self) -> Any:
        """The noise of a batch of one row."""
        return self.network.draw(np.random.default_rng(0), 1, self.data.inputs)

    def _run_steps(self, *arguments: Any) -> tuple[Any, Array]:
        return self.ops.run_steps(*arguments) if self.config.compile else self.ops.run_plainly(*arguments)

    def _evaluated_state(self) -> EvaluatedState:
        state = EvaluatedState(self.state.params, self.state.statistics)
        if not self._is_averaged():
            return state
        averages = with_leaves(state.params, self._averages())
        copies: EvaluatedState = self.ops.matrices(map_tree(lambda X: np.array(self.ops.to_numpy(X)), state._replace(params=averages)))
        return copies

    def _averages(self) -> list[Any]:
        """What the optimizer evaluates the network with, for each parameter; of a state without the optimizer's, the parameters."""
        optimizer = self.config.optimizer
        if not self.state.optimizer:
            return list(leaves(self.state.params))
        return [optimizer.evaluated(state, theta) for state, theta in zip(self.state.optimizer, leaves(self.state.params), strict=True)]

    def _is_averaged(self) -> bool:
        """Whether that is something else than the parameters."""
        return any(average is not theta for average, theta in zip(self._averages(), leaves(self.state.params), strict=True))

    def _first_states(self, params: Tree) -> Any:
        return self.ops.matrices(tuple(map(self._moments, leaves(params))))

    def _matrices(self) -> tuple[Any, ...] | None:
        """X, T and the weights of the examples, if there are some; None where X and T are read from files."""
        return None if self.data.streamed else (*self._train, *self._weights)

    def _source(self, X: Any, T: Array | None) -> Any:
        """The matrices of a set on the device, or what reads them; None of a set that is not there."""
        if X is None or T is None or not len(X):
            return None
        outputs = self.network.outputs_for(self.data.inputs)
        if self.data.streamed:
            return BatchReader(self.data, X, T, outputs, self.ops.dtype)
        return self.ops.matrix(X), self.ops.matrix(self.data.targets(T, outputs))

    def _initial_state(self) -> TrainingState:
        D, seed = self.data.inputs, self.config.seed
        params, statistics = self.network.init(random_stream(seed, INITIAL), D), self.network.first_state(random_stream(seed, PATTERN), D)
        if self.config.model.load_weights is not None:
            params, statistics = load_weights(Path(self.config.model.load_weights), self.network, D, params, statistics)
        params = self.ops.matrices(params)
        return TrainingState(params, self._first_states(params), self.ops.matrices(statistics))

    def _moments(self, theta: Any) -> Any:
        """The first state of the optimizer for a parameter, as NumPy arrays: on the device of the parameters, whatever made it."""
        return map_tree(self.ops.to_numpy, self.config.optimizer.init(self.ops, theta))

    def _require_finite(self, loss: float, where: str, lr: float) -> None:
        if not math.isfinite(loss):
            raise DivergenceError(
                f"training diverged: the loss is {loss} {where} (learning rate {lr:g}); "
                f"try a smaller learning rate, for example schedule.eta0 = {lr / 10:g}, or check the scale of the data"
            )
