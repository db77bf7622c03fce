"""The results of training: of an epoch its metrics, and of the whole what is kept and how good it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Metrics:
    """One epoch. Losses are means over the examples and accuracies fractions of them, in evaluation mode after the epoch."""

    epoch: int
    lr: float
    train_loss: float
    test_loss: float | None
    """None while a validation set is there to choose by, and without a test set."""
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
    validation_loss: float | None = None
    """On the validation set; not listed without one."""
    validation_accuracy: float | None = None

    @property
    def held_out(self) -> tuple[str, float | None, float | None]:
        """(the name, loss, accuracy) of the set that is watched while training goes on: the validation set if there is one."""
        if self.validation_loss is not None:
            return "validation", self.validation_loss, self.validation_accuracy
        return "test", self.test_loss, self.test_accuracy


@dataclass(frozen=True)
class TrainingResult:
    """What a training has come to, with the parameters that are kept."""

    epochs: int
    """That were trained."""
    kept_epoch: int
    """The epoch whose parameters these are."""
    stopped_early: bool
    test_loss: float | None
    """None without a test set."""
    test_accuracy: float | None
