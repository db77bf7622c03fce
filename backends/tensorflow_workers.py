"""Workers that are processes of TensorFlow, by its collectives: each has a strategy for several workers, of one device each."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from typing import Any

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.workers import WorkerLostError, Workers, fold, is_power_of_two

Tensor = Any


class TensorFlowWorkers(Workers):
    """All processes of the cluster that ``TF_CONFIG`` names."""

    def __init__(self, tf: Any) -> None:
        """NervaError if nothing tells of the others, or TensorFlow has computed before; WorkerLostError if they cannot be found."""
        if "TF_CONFIG" not in os.environ:
            raise NervaError("workers of TensorFlow find each other by TF_CONFIG in the environment, which nerva train --workers sets")
        logging.getLogger("tensorflow").setLevel(logging.CRITICAL)  # what it logs of others is said in one message
        self.tf = tf
        try:
            resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
            self.strategy = tf.distribute.MultiWorkerMirroredStrategy(resolver)
        except RuntimeError:
            raise NervaError(
                "TensorFlow finds other workers only if it has computed nothing before; start a process for each run"
            ) from None
        except tf.errors.OpError as error:
            raise self.lost(error) from None
        self.rank, self.count = resolver.task_id, self.strategy.extended._num_workers
        self._gather = tf.function(lambda X: self.strategy.run(self._all, (X,)), autograph=False, reduce_retracing=True)

    def run(self, f: Callable[..., Any], *arguments: Any) -> Any:
        """f(arguments), where workers may add up; part of a program that all workers compile in the same order."""
        return self.strategy.run(f, arguments)

    def called(self, program: Callable[..., Any], *arguments: Any) -> tuple[Any, Any]:
        """The state and the outputs, a NumPy array, of a program. WorkerLostError if another worker does not answer."""
        try:
            state, outputs = program(*arguments)
            return state, outputs.numpy()
        except self.tf.errors.OpError as error:
            raise self.lost(error) from None

    def exchange(self, X: Tensor, other: int) -> Tensor:
        return self.gather(X)[other]

    def gather(self, X: Tensor) -> list[Tensor]:
        try:
            rows = self._gather(X) if self.tf.executing_eagerly() else self._all(X)
        except self.tf.errors.OpError as error:
            raise self.lost(error) from None
        parts: list[Tensor] = self.tf.split(rows, self.count)
        return parts

    def sum(self, parts: Sequence[Tensor]) -> Tensor:
        """As others do, in the same order, but what workers have is gathered at once."""
        if not is_power_of_two(self.count) or not is_power_of_two(len(parts)):
            return super().sum(parts)
        return fold(self.gather(fold(parts, lambda a, b: a + b)), lambda a, b: a + b)

    def _all(self, X: Tensor) -> Tensor:
        with self.tf.device(self.strategy.extended.worker_devices[0]):
            placed = self.tf.identity(X)  # what is gathered must say where it is
        return self.tf.distribute.get_replica_context().all_gather(placed, axis=0)

    def stop(self) -> None:
        pass  # TensorFlow does, when the process ends

    def lost(self, error: Exception) -> WorkerLostError:
        """What an error of a collective means."""
        reason = (str(getattr(error, "message", error)).splitlines() or [type(error).__name__])[0][:200]
        return WorkerLostError(f"another worker has ended, or has not answered in time ({reason})")
