"""Batches: the inputs of the steps of an epoch, in groups that run in one call.

All randomness is drawn here, by NumPy, from the seed: the order of the examples in every epoch and the noise of the layers (the
initial values have a stream of their own). Nothing of it depends on the backend or on how far a run has come, so a resumed run
repeats an uninterrupted one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import chain, islice, repeat
from typing import Any, NamedTuple

import numpy as np

from nerva_core.algebra.memory import Array
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.algebra.trees import Tree, leaves, map_tree, stacked
from nerva_core.data import Dataset
from nerva_core.layers import Sequential
from nerva_core.training.config import Config

STEPS_AT_ONCE, BYTES_AT_ONCE, WORK_AT_ONCE = 1000, 2**26, 2**35
"""Bounds on the steps that are handed to the backend in one call, which nothing can interrupt: on their number, on their noise, and on
rows times parameters, which is a second or so of one core."""

INITIAL, ORDER, NOISE, EVALUATION_NOISE, PATTERN, REGROWTH, VALIDATION = range(7)
"""The streams of random numbers of a run."""


def random_stream(seed: int, *key: int) -> np.random.Generator:
    """The generator of one stream of random numbers of a run."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


class StepInput(NamedTuple):
    """The inputs of one step, as NumPy arrays; those of several, as arrays with a leading axis over the steps."""

    lr: Any
    rows: Any
    noise: Tree
    scalars: tuple[Any, ...]

    def after(self, steps: int) -> StepInput:
        """Without the first steps."""
        return self.part(slice(steps, None))

    def part(self, steps: slice) -> StepInput:
        """Some of the steps."""
        result: StepInput = map_tree(lambda array: array[steps], self)
        return result


def steps_per_epoch(config: Config, data: Dataset) -> int:
    """Every example is used once an epoch; the last batch may be smaller."""
    return math.ceil(len(data.Xtrain) / config.training.batch_size)


def learning_rate(config: Config, epoch: int, step: int) -> float:
    """That of a step, counted from 0 over all epochs, in an epoch, counted from 0 too."""
    return config.schedule(step if config.training.schedule_by == "step" else epoch)


def epoch_inputs(
    config: Config, network: Sequential, data: Dataset, ops: Backend, epoch: int, done: int = 0, first: int | None = None
) -> Iterator[StepInput]:
    """What the steps of an epoch are given, in groups that run in one call, drawn when they are asked for.

    The first ``done`` steps are left out, but drawn, so that the others are as they would have been. ``first`` is the number of the
    first step; by default all epochs before had as many steps.
    """
    order = random_stream(config.seed, ORDER, epoch).permutation(len(data.Xtrain))
    random = random_stream(config.seed, NOISE, epoch)
    noisy, D = network.at_epoch(epoch + 1), data.inputs
    step = start = epoch * steps_per_epoch(config, data) if first is None else first
    batch, parameters = config.training.batch_size, network.parameter_count(D) * (data.positions if data.per_position else 1)
    for rows, noise in grouped(order, batch, parameters, lambda N: ops.converted(noisy.draw(random, N, D)), row_bytes(data)):
        steps = range(step, step := step + len(rows))
        if step > start + done:
            yield _given(config, epoch, steps, rows, noise).after(max(0, start + done - steps.start))


def _given(config: Config, epoch: int, steps: range, rows: Array, noise: Tree) -> StepInput:
    lr = [learning_rate(config, epoch, t) for t in steps]
    scalars = zip(*(config.optimizer.scalars(eta, t + 1) for eta, t in zip(lr, steps, strict=True)), strict=True)
    return StepInput(np.array(lr, float), rows, noise, tuple(np.array(column, float) for column in scalars))


def row_bytes(data: Dataset) -> int:
    """The bytes of an example that is read from a file when its batch is due; 0 if all are in memory."""
    return 8 * (data.inputs + data.outputs) if data.streamed else 0


def grouped(order: Array, batch: int, parameters: int, draw: Callable[[int], Any], bytes_of_row: int = 0) -> Iterator[tuple[Array, Any]]:
    """The rows and the noise of steps that run in one call, with a leading axis over them: on batches of one size, within the bounds.

    ``order`` holds the rows in the order in which they are taken, and ``draw`` gives the noise of a step on some number of rows.
    """
    for batches in _of_one_size(order, min(batch, len(order))):
        N = batches.shape[1]
        first = draw(N)
        noise = chain([first], map(draw, repeat(N)))
        for group in _split(batches, _most_steps(_bytes(first) + N * bytes_of_row, N * parameters)):
            yield group, stacked(list(islice(noise, len(group)))) if _bytes(first) else first


def _of_one_size(order: Array, batch: int) -> list[Array]:
    """The batches as rows of a matrix, and the smaller one that remains as the row of another."""
    whole = len(order) - len(order) % batch
    return [batches for batches in (order[:whole].reshape(-1, batch), order[whole:].reshape(1, -1)) if batches.size]


def _split(batches: Array, most: int) -> Iterator[Array]:
    """In groups of equal size, where possible: they compile once."""
    length = math.ceil(len(batches) / math.ceil(len(batches) / most))
    return (batches[start : start + length] for start in range(0, len(batches), length))


def _most_steps(bytes_of_noise: int, work: int) -> int:
    """How many steps may run in one call, with the bytes and the work of one of them."""
    return max(1, min(STEPS_AT_ONCE, BYTES_AT_ONCE // max(1, bytes_of_noise), WORK_AT_ONCE // max(1, work)))


def _bytes(noise: Tree) -> int:
    return sum(array.nbytes for array in leaves(noise))
