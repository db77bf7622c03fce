"""A step of a run, with every matrix that occurs in it."""

from __future__ import annotations

import itertools
import operator

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.trees import map_tree
from nerva_core.inspection.trace import Trace, trace_step
from nerva_core.training.batches import StepInput, epoch_inputs
from nerva_core.training.config import Config
from nerva_core.training.trainer import Trainer


def trace_run(config: Config, step: int = 1) -> Trace:
    """A step of the run that a configuration describes, 1, 2, ..., after those before it."""
    trainer = Trainer(config)
    given = trainer.first_input() if step == 1 else _input_of(trainer, step)
    data = trainer.data
    T = data.targets(data.Ttrain, trainer.network.outputs_for(data.inputs))
    return trace_step(
        trainer.network.at_epoch((step - 1) // trainer.steps_per_epoch + 1),
        data.Xtrain[given.rows],
        T[given.rows],
        trainer.to_numpy().params,
        config.loss,
        config.optimizer,
        given.lr,
        given.noise,
        trainer.ops,
        trainer.to_numpy().statistics,
        None if step == 1 else trainer.to_numpy().optimizer,
        step,
    )


def _input_of(trainer: Trainer, step: int) -> StepInput:
    """What a step is given, after the trainer has done the steps before it. NervaError if the run has no such step."""
    training, left = trainer.config.training, step - 1
    if not 1 <= step <= training.epochs * trainer.steps_per_epoch:
        raise NervaError(f"the run has the steps 1 to {training.epochs * trainer.steps_per_epoch}, got {step}")
    for epoch in itertools.count():
        for group in epoch_inputs(trainer.config, trainer.network, trainer.data, trainer.ops, epoch):
            done = min(left, len(group.rows))
            if done:
                trainer.advance(map_tree(operator.itemgetter(slice(done)), group))
            if done < len(group.rows):
                given: StepInput = map_tree(operator.itemgetter(done), group)
                return given
            left -= done
    raise AssertionError("epochs have no end")
