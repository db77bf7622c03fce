"""Contenders of the benchmark: our training step, and what any other must be able to do."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.memory import Array
from nerva_core.benchmark.configurations import CHECKED_STEPS, BenchmarkProblem
from nerva_core.data import Dataset
from nerva_core.training.config import Config
from nerva_core.training.evaluation import Scores
from nerva_core.training.results import Metrics
from nerva_core.training.step import StepOutput
from nerva_core.training.trainer import Part, Trainer


class NoCounterpartError(NervaError):
    """A contender cannot express a configuration."""


class Contender(ABC):
    """Trains the network of a problem. Made once; ``losses`` is called first, then ``epoch`` again and again."""

    name: ClassVar[str]
    backend: ClassVar[str]
    requires: ClassVar[tuple[str, ...]] = ()
    """Modules that must be installed, besides the backend's."""
    environment: ClassVar[dict[str, str]] = {}
    """What its process must find in the environment when the framework is imported."""
    note: str = ""
    usual_products: float = 1.0
    """Of matrix products alone: how many times as long the framework's own layers take for them."""

    @abstractmethod
    def __init__(self, problem: BenchmarkProblem, threads: int) -> None:
        """Import the framework; build the model from the initial values of the problem. NoCounterpartError if it has no such layer."""

    @abstractmethod
    def epoch(self, rows: Array) -> Any:
        """Train on batches of these rows, one batch a row of ``rows``, until all of it is done; the mean loss of each batch."""

    def losses(self, rows: Array) -> list[float]:
        """The mean losses of the first batches, each before its step."""
        return [float(loss) for loss in self.epoch(rows)]

    def epochs_for_losses(self, rows: Array) -> float:
        """How much of an epoch ``losses`` trains."""
        return min(CHECKED_STEPS, len(rows)) / len(rows)

    def timed_epoch(self, rows: Array) -> float:
        """Seconds of one epoch."""
        started = time.perf_counter()
        self.epoch(rows)
        return time.perf_counter() - started


class _Training(Trainer):
    """Training alone: what a run does besides, evaluate after every epoch, is not compared. ``reported`` is what the steps report."""

    def __init__(self, config: Config, data: Dataset) -> None:
        super().__init__(config, data)
        self.reported: list[Array] = []

    def _advance(self, inputs: tuple[Any, ...]) -> Array:
        outputs = super()._advance(inputs)
        self.reported.append(outputs)
        return outputs

    def _evaluate(self, which: Part) -> Scores:
        return Scores(0.0, None)


class Ours(Contender):
    """The trainer, as ``nerva train`` runs it with the same configuration. It draws its batches itself."""

    name = "nerva"
    backend = "numpy"

    def __init__(self, problem: BenchmarkProblem, threads: int) -> None:
        self.trainer = _Training(problem.config.model_copy(update={"backend": self.backend}), problem.data)
        self._epochs = self.trainer.run()

    def epoch(self, rows: Array) -> Metrics:
        self.trainer.reported.clear()
        return next(self._epochs)

    def losses(self, rows: Array) -> list[float]:
        """Of a whole epoch, cut off, so that everything is compiled that later epochs need."""
        self.epoch(rows)
        return [StepOutput(*row).loss for row in np.concatenate(self.trainer.reported).tolist()][: len(rows)]

    def epochs_for_losses(self, rows: Array) -> float:
        return 1.0

    def timed_epoch(self, rows: Array) -> float:
        return self.epoch(rows).seconds


class OursInTorch(Ours):
    """PyTorch."""

    backend = "torch"

    def __init__(self, problem: BenchmarkProblem, threads: int) -> None:
        import_torch(threads)
        super().__init__(problem, threads)


class OursInJax(Ours):
    """JAX."""

    backend = "jax"


class OursInTensorFlow(Ours):
    """TensorFlow."""

    backend = "tensorflow"

    def __init__(self, problem: BenchmarkProblem, threads: int) -> None:
        import_tensorflow(threads)
        super().__init__(problem, threads)


def import_torch(threads: int) -> Any:
    """PyTorch, with so many threads."""
    import torch

    torch.set_num_threads(threads)
    return torch


def import_tensorflow(threads: int) -> Any:
    """TensorFlow, with so many threads in an operation."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    return tf
