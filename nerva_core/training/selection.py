"""Validation: examples held out of the training set, which tell when to stop and which epoch is the best.

Also how much an example of each class counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.data import Dataset
from nerva_core.data.dataset import split

if TYPE_CHECKING:
    from nerva_core.training.config import TrainingConfig

ClassWeights = Literal["none", "balanced"] | Sequence[float]


def prepared(data: Dataset, training: TrainingConfig, rng: np.random.Generator) -> Dataset:
    """The data with a validation set, and with the weights of the classes, as the configuration asks for."""
    if data.streamed and (training.validation or training.class_weights != "none"):
        raise NervaError("training.validation and training.class_weights are for data in memory, not for a stream")
    return with_class_weights(held_out(data, training.validation, rng), training.class_weights)


def held_out(data: Dataset, fraction: float, rng: np.random.Generator) -> Dataset:
    """The data with a random fraction of the training set as validation set; of each class as much, if every class has two examples."""
    if not fraction or data.Xvalidation is not None:
        return data
    single = data.classes is not None and data.positions == 1 and not data.per_position
    stratified = single and np.bincount(data.Ttrain)[np.unique(data.Ttrain)].min() >= 2
    rows = np.arange(len(data.Xtrain))
    try:
        kept, _, chosen, _ = split(rng, rows, data.Ttrain if stratified else rows, fraction, stratified)
    except NervaError:  # a class may have fewer examples than sets
        kept, _, chosen, _ = split(rng, rows, rows, fraction, stratified=False)
    return replace(
        data,
        Xtrain=data.Xtrain[kept],
        Ttrain=data.Ttrain[kept],
        Xvalidation=data.Xtrain[chosen],
        Tvalidation=data.Ttrain[chosen],
        weights=None if data.weights is None else data.weights[kept],
    )


def with_class_weights(data: Dataset, given: ClassWeights) -> Dataset:
    """The data in which every example counts by its class too. "balanced" is N / (K · n_k) for the n_k of N examples of a class."""
    if given == "none":
        return data
    if data.classes is None or data.positions > 1 or data.per_position:
        raise NervaError("training.class_weights are for examples of one class each, which these data have not")
    counts = np.bincount(data.Ttrain, minlength=data.classes)
    balanced = len(data.Ttrain) / (np.count_nonzero(counts) * np.maximum(counts, 1))
    of_classes = balanced if given == "balanced" else np.array(given, float)
    if len(of_classes) != data.classes:
        raise NervaError(f"training.class_weights must have a number for each of {data.classes} classes, got {len(of_classes)}")
    return replace(data, weights=of_classes[data.Ttrain] * (1.0 if data.weights is None else data.weights))


def best(losses: Sequence[float]) -> int:
    """The number of the epoch, 1, 2, ..., with the smallest loss, the first of them; 0 if there is none."""
    return int(np.argmin(losses)) + 1 if losses else 0


def is_enough(losses: Sequence[float], patience: int | None) -> bool:
    """Whether the loss has not become smaller for so many epochs."""
    return patience is not None and len(losses) - best(losses) >= patience


def check_selection(training: TrainingConfig, data: Dataset) -> None:
    """NervaError for what needs a validation set without one."""
    for name, asked in (("patience", training.patience is not None), ("keep = 'best'", training.keeps_best)):
        if asked and data.Xvalidation is None:
            raise NervaError(f"training.{name} goes by a validation set; hold one out with training.validation = 0.1 (or --validation 0.1)")
    if training.top_k is not None and (data.classes is None or training.top_k >= data.classes):
        found = "numbers as targets" if data.classes is None else f"{data.classes} classes"
        raise NervaError(f"training.top_k must be below the number of classes, got {training.top_k} and data with {found}")
