"""``nerva train --profile``: where the time of a training step goes, by layer, direction and operation.

A few steps are run plainly, one operation after the other, by matrix operations that time each of them. They are the steps of
``training_step`` on the same equations, so what is seen is what the layer code calls; the compiled step fuses some of it.
"""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

from rich.table import Table

from nerva_core.algebra.matrix_ops import M, MatrixOps
from nerva_core.algebra.trees import map_tree
from nerva_core.figures.terminal import console as terminal
from nerva_core.inspection.trace import label
from nerva_core.interpreters.traced import Operation, TracingOps, unwrap
from nerva_core.layers import Layer, Sequential
from nerva_core.training.batches import StepInput
from nerva_core.training.models import write_atomically
from nerva_core.training.step import TrainingState, training_step
from nerva_core.training.trainer import Trainer

if TYPE_CHECKING:
    from nerva_core.training.runs import Run

E = TypeVar("E")

PROFILE = "profile.json"
STEPS, WARM_UP = 10, 2
"""How many steps are timed, and how many run before them."""

DIRECTIONS = {"feedforward": "forward", "backpropagate": "backward", "penalty": "loss", "update_state": "update"}
"""What the methods of a layer belong to."""

BETWEEN = "between operations"
"""The Python code of layers and profiler: what of a step is spent in no operation."""


@dataclass(frozen=True)
class ProfileRow:
    """The uses of one operation in one part of a step; ``calls`` and ``seconds`` are means per step."""

    part: str
    """``1 Linear``, the loss, the optimizer, or ``step`` for what belongs to no part."""
    direction: str
    """forward, backward, loss or update."""
    operation: str
    calls: float
    seconds: float


@dataclass(frozen=True)
class Profile:
    """The rows of some steps in the order in which they first occur; their seconds add up to ``seconds``."""

    steps: int
    seconds: float
    """The mean time of a profiled step."""
    compiled_seconds: float | None
    """The mean time of a step of the fastest epoch of the training itself; None if no epoch was trained."""
    rows: tuple[ProfileRow, ...]


class TimingOps(TracingOps[M]):
    """Matrix operations that add the time of each to the part and direction that are running.

    A result is waited for if it has a ``block_until_ready``; a device that computes behind the back of Python otherwise is not.
    """

    def __init__(self, inner: MatrixOps[M], clock: Callable[[], float] = time.perf_counter) -> None:
        super().__init__(inner)
        self.clock = clock
        self.running = ("step", "update")
        self.spent: dict[tuple[str, str, str], list[float]] = {}
        """The number of calls and the seconds of (part, direction, operation)."""

    def operation(self, operation: Operation[M]) -> M:
        started = self.clock()
        result = super().operation(operation)
        getattr(result, "block_until_ready", lambda: None)()
        entry = self.spent.setdefault((*self.running, operation.name), [0, 0.0])
        entry[0] += 1
        entry[1] += self.clock() - started
        return result

    def watched(self, entry: E, part: str, **directions: str) -> E:
        """A copy of a layer, loss or optimizer of which the methods named by the keywords run as the part, in that direction."""
        result = copy.copy(entry)
        for method, direction in directions.items():
            object.__setattr__(result, method, self._watched(getattr(entry, method), (part, direction)))
        return result

    def _watched(self, method: Callable[..., Any], running: tuple[str, str]) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            before, self.running = self.running, running
            try:
                return method(*arguments)
            finally:
                self.running = before

        return run

    def watched_network(self, network: Sequential, numbers: Iterator[int]) -> Sequential:
        """The network with each of the layers of which it is composed watched, numbered from left to right."""

        def watched(layer: Layer) -> Layer:
            if layer.flattened() != (layer,):
                return layer.with_inside(watched)
            return self.watched(layer, f"{next(numbers)} {label(layer)}", **DIRECTIONS)

        return Sequential(tuple(watched(layer) for layer in network.layers))


class Profiler:
    """Runs steps of a trainer, from its state and on its next batch, without changing it."""

    def __init__(self, trainer: Trainer, clock: Callable[[], float] = time.perf_counter) -> None:
        self.trainer = trainer
        self.ops: TimingOps[Any] = TimingOps(trainer.ops, clock)
        self.steps, self.seconds = 0, 0.0
        config, watched = trainer.config, self.ops.watched
        self.network = self.ops.watched_network(trainer.network.at_epoch(trainer.epoch + 1), count(1))
        self.loss = watched(config.loss, type(config.loss).__name__, value="loss", gradient="loss")
        self.optimizer = watched(config.optimizer, type(config.optimizer).__name__, step="update")

    def step(self, state: TrainingState, given: StepInput) -> TrainingState:
        """The state after a step, with the time of every operation noted."""
        trainer, data = self.trainer, self.trainer.data
        ops = trainer.ops
        T = data.targets(data.Ttrain, trainer.network.outputs_for(data.inputs))
        X, T = ops.matrix(data.Xtrain[given.rows]), ops.matrix(T[given.rows])
        noise = ops.matrices(given.noise)
        scalars = map_tree(lambda c: ops.scalar(float(c)), given.scalars)
        state, X, T, noise = self.ops.wrap((state, X, T, noise))
        started = self.ops.clock()
        new, _ = training_step(self.ops, self.network, self.loss, self.optimizer, state, X, T, noise, scalars)
        self.seconds += self.ops.clock() - started
        self.steps += 1
        result: TrainingState = unwrap(new)
        return result

    def forget(self) -> None:
        """Begin again, after steps that warm up."""
        self.steps, self.seconds = 0, 0.0
        self.ops.spent.clear()

    def profile(self, compiled_seconds: float | None = None) -> Profile:
        """What was noted, per step."""
        rows = [ProfileRow(*key, calls / self.steps, seconds / self.steps) for key, (calls, seconds) in self.ops.spent.items()]
        total = self.seconds / self.steps
        between = ProfileRow("step", "", BETWEEN, 1.0, total - sum(row.seconds for row in rows))
        return Profile(self.steps, total, compiled_seconds, (*rows, between))


def profile_run(run: Run, steps: int = STEPS) -> Profile:
    """The profile of steps that would follow the run, which stays as it is; written to profile.json in its directory."""
    trainer = run.trainer
    profiler, state, given = Profiler(trainer), trainer.state, trainer.first_input()
    for _ in range(WARM_UP):
        state = profiler.step(state, given)
    profiler.forget()
    for _ in range(steps):
        state = profiler.step(state, given)
    compiled = min((metrics.seconds for metrics in run.history), default=None)
    profile = profiler.profile(None if compiled is None else compiled / trainer.steps_per_epoch)
    write_atomically(run.directory / PROFILE, (json.dumps(asdict(profile), indent=1) + "\n").encode())
    return profile


def print_profile(profile: Profile) -> None:
    """A table of the rows, the longest first."""
    title = f"a step, one operation after the other: {1e6 * profile.seconds:,.0f} µs, the mean of {profile.steps}"
    table = Table("part", "direction", "operation", title=title)
    for column in ("calls", "µs", "share"):
        table.add_column(column, justify="right")
    for row in sorted(profile.rows, key=lambda row: -row.seconds):
        share = f"{100 * row.seconds / profile.seconds:.1f} %"
        table.add_row(row.part, row.direction, row.operation, f"{row.calls:g}", f"{1e6 * row.seconds:,.1f}", share)
    console = terminal()
    console.print(table)
    if profile.compiled_seconds is not None:
        console.print(f"a step of the training itself: {1e6 * profile.compiled_seconds:,.0f} µs, in its fastest epoch")
