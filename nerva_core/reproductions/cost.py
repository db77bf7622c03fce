"""The cost of an experiment: the processor time of a training step of each of its networks, measured."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from nerva_core.reproductions.experiment import Bench, Parts
from nerva_core.training.batches import epoch_inputs
from nerva_core.training.trainer import Trainer

LEAST_SECONDS = 0.3
"""How long the steps that are measured take together, at least."""
FEW, LONG = 16, 0.4
"""A step that takes so many seconds on so few examples is not measured on its whole batch, but taken to be proportional to it."""


@dataclass(frozen=True)
class Cost:
    """A kind of network, and what its runs take."""

    kind: str
    parameters: int
    step: float
    """The processor seconds of a training step, without compilation and evaluation."""
    steps: int
    """Of one run."""
    runs: int
    examples: int
    """In the batch that was measured."""

    @property
    def seconds(self) -> float:
        """The processor time of all steps of all runs."""
        return self.step * self.steps * self.runs


def measured(bench: Bench, parts: Parts) -> Iterator[Cost]:
    """The cost of each kind, measured on the first steps of its first run."""
    for (_, kind), config in bench.configurations_of(parts).items():
        data, batch = bench.load(config.data), config.training.batch_size
        trainer = Trainer(config, data)
        steps = config.training.epochs * trainer.steps_per_epoch
        few = config.model_copy(update={"training": config.training.model_copy(update={"batch_size": min(FEW, batch)})})
        examples, step = min(FEW, batch), seconds_of_a_step(Trainer(few, data))
        if step < LONG and batch > FEW:
            examples, step = batch, seconds_of_a_step(trainer)
        yield Cost(kind, trainer.parameters, step * batch / examples, steps, len(bench.seeds()), examples)


def seconds_of_a_step(trainer: Trainer) -> float:
    """The processor seconds of a step, after a first call has compiled it."""
    inputs = next(epoch_inputs(trainer.config, trainer.network, trainer.data, trainer.ops, 0)).part(slice(0, 1))
    trainer.advance(inputs)
    started, calls = time.process_time(), 0
    while not calls or time.process_time() - started < LEAST_SECONDS:
        trainer.advance(inputs)
        calls += 1
    return (time.process_time() - started) / calls / len(inputs.rows)


def costs_to_json(costs: Mapping[str, Sequence[Cost]], budget: str) -> str:
    """The costs by experiment, and where they were measured."""
    machine = f"{platform.machine()}, Python {platform.python_version()}"
    content = {name: [asdict(cost) | {"seconds": cost.seconds} for cost in found] for name, found in costs.items()}
    return json.dumps({"budget": budget, "machine": machine, "costs": content}, indent=1, ensure_ascii=False) + "\n"
