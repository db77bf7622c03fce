"""Configurations of the benchmark: four networks of different size, one that is all fixed cost, and any configuration file."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from nerva_core.algebra.errors import NervaError, did_you_mean
from nerva_core.algebra.matrix_ops import Size
from nerva_core.algebra.memory import Array
from nerva_core.algebra.trees import leaves, map_shapes
from nerva_core.data import Dataset
from nerva_core.data.dataset import make_dataset
from nerva_core.equations.schedules import Constant
from nerva_core.layers import Layer
from nerva_core.training.batches import ORDER, random_stream
from nerva_core.training.config import Config, make_config, parse_config
from nerva_core.training.trainer import Trainer

CHECKED_STEPS = 5
"""So many steps from the same weights must give the same losses before anything is timed."""

UNLIMITED = 10**9
"""Epochs: the benchmark stops by the clock."""


@dataclass(frozen=True)
class Generated:
    """A network on normally distributed inputs and random classes, of which ``steps`` batches make an epoch."""

    layers: str | list[str]
    sizes: list[int]
    batch_size: int
    steps: int

    def config(self) -> Config:
        """Momentum 0.9, softmax cross-entropy, float32."""
        text = isinstance(self.layers, str)
        model = {"layers": self.layers, "sizes": self.sizes, "weights": "He"} if text else {"layers": self.layers}
        training = {"batch_size": self.batch_size, "epochs": UNLIMITED}
        return make_config({"model": model, "training": training, "optimizer": "Momentum(mu=0.9)", "schedule": "Constant(0.01)"})

    def data(self) -> Dataset:
        """The same numbers in every process."""
        rng, n = np.random.default_rng(0), self.batch_size * self.steps
        X, T = rng.normal(size=(n + 1, self.sizes[0])), rng.integers(self.sizes[-1], size=n + 1)
        return make_dataset("benchmark", X[:n], T[:n], X[n:], T[n:], regression=False, classes=self.sizes[-1])


def _normalized(*widths: int) -> list[str]:
    hidden = [name for width in widths[:-1] for name in (f"Linear({width}, weights=He)", "BatchNormalization", "ReLU")]
    return [*hidden, f"Linear({widths[-1]}, weights=He)"]


CONFIGURATIONS = {
    "A": Generated("ReLU;ReLU;Linear", [784, 1024, 512, 10], batch_size=100, steps=50),
    "B": Generated("ReLU;ReLU;Linear", [784, 256, 256, 10], batch_size=100, steps=100),
    "C": Generated("ReLU;ReLU;Linear", [784, 64, 64, 10], batch_size=32, steps=300),
    "D": Generated(_normalized(1024, 1024, 10), [784, 1024, 1024, 10], batch_size=1024, steps=5),
    "tiny": Generated("ReLU;ReLU;Linear", [8, 8, 8, 10], batch_size=32, steps=300),
}


def check_names(names: list[str]) -> None:
    """NervaError for a name that is not one of ``CONFIGURATIONS``."""
    for name in names:
        if name not in CONFIGURATIONS:
            raise NervaError(f"unknown configuration {name!r}; {did_you_mean(name, CONFIGURATIONS)}")


@dataclass(frozen=True)
class BenchmarkProblem:
    """The task of every contender: the layers, their initial values as NumPy arrays, the data, and the batches of the first epoch."""

    config: Config
    data: Dataset
    layers: tuple[Layer, ...]
    params: tuple[Any, ...]
    targets: Array
    rows: Array
    """The row numbers of the batches, one batch a row."""

    @property
    def lr(self) -> float:
        """The learning rate, the same in every step."""
        return self.config.schedule(0)

    @property
    def inputs(self) -> Array:
        """The training examples in the dtype of the configuration."""
        inputs: Array = self.data.Xtrain.astype(self.config.dtype)
        return inputs


def named_problem(name: str) -> BenchmarkProblem:
    """One of ``CONFIGURATIONS``."""
    check_names([name])
    generated = CONFIGURATIONS[name]
    return make_problem(generated.config(), generated.data())


def problem_of_text(text: str, where: str) -> BenchmarkProblem:
    """A configuration that the user gives, on its own data, at the learning rate of its first epoch."""
    config = parse_config(text, where)
    return make_problem(config, config.data.load())


def make_problem(config: Config, data: Dataset) -> BenchmarkProblem:
    """Batches are of one size: examples that do not fill one are left out. NervaError if there are fewer than a batch."""
    size = config.training.batch_size
    steps = len(data.Xtrain) // size
    if steps == 0:
        raise NervaError(f"a batch has {size} examples, but there are only {len(data.Xtrain)} to train with")
    kept = dataclasses.replace(data, Xtrain=data.Xtrain[: steps * size], Ttrain=data.Ttrain[: steps * size])
    constant = Constant(config.schedule(0))
    training = config.training.model_copy(update={"epochs": UNLIMITED, "schedule_by": "epoch"})
    config = config.model_copy(update={"training": training, "schedule": constant, "backend": "numpy", "device": "cpu"})
    trainer = Trainer(config, kept)
    start = trainer.to_numpy()
    targets = np.asarray(kept.targets(kept.Ttrain, trainer.network.outputs_for(kept.inputs)), dtype=config.dtype)
    rows = random_stream(config.seed, ORDER, 0).permutation(steps * size).reshape(steps, size)  # those of the trainer
    return BenchmarkProblem(
        config, kept, trainer.network.flattened(), _flattened(trainer.network, kept.inputs, start.params), targets, rows
    )


def _flattened(network: Layer, D: Size, params: Any) -> tuple[Any, ...]:
    """The parameters of each of the layers of which the network is composed."""
    supply, found = leaves(params), []
    for layer in network.flattened():
        found.append(map_shapes(lambda _: next(supply), layer.shapes(D)))
        D = layer.outputs_for(D)
    return tuple(found)
