"""Configurations of the benchmark: perceptrons, images, text and sequences, one that is all fixed cost, and any configuration file."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from nerva_core.algebra.errors import NervaError, counted, did_you_mean
from nerva_core.algebra.matrix_ops import Size
from nerva_core.algebra.memory import Array
from nerva_core.algebra.trees import Tree, leaves, map_shapes
from nerva_core.data import Dataset
from nerva_core.data.dataset import make_dataset, one_hot
from nerva_core.data.text import sequences
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

    layers: str | list[Any]
    sizes: list[int]
    """The number of inputs, those of the layers that need one if ``layers`` is a string, and the number of classes."""
    batch_size: int
    steps: int
    rate: float = 0.01
    """The learning rate. Where batches are normalized, rounding grows from step to step: a small rate keeps it below what is compared."""
    text: bool = False
    """Whether the inputs are numbers of classes instead, and every position has a target: as in a text of so many characters."""

    def config(self) -> Config:
        """Momentum 0.9, softmax cross-entropy, float32."""
        described = isinstance(self.layers, str)
        model = {"layers": self.layers, "sizes": self.sizes, "weights": "He"} if described else {"layers": self.layers}
        training = {"batch_size": self.batch_size, "epochs": UNLIMITED}
        rest = {"loss": "SoftmaxCrossEntropy"} if self.text else {}
        schedule = f"Constant({self.rate})"
        return make_config({"model": model, "training": training, "optimizer": "Momentum(mu=0.9)", "schedule": schedule, **rest})

    def data(self) -> Dataset:
        """The same numbers in every process."""
        rng, n, (D, *_, K) = np.random.default_rng(0), self.batch_size * self.steps, self.sizes
        if self.text:
            X, T = sequences(rng.integers(K, size=(n + 1) * D + 1), D)
            return Dataset(X[:n], T[:n], X[n:], T[n:], K, positions=D, grid=(D,), per_position=True)
        X, T = rng.normal(size=(n + 1, D)), rng.integers(K, size=n + 1)
        return make_dataset("benchmark", X[:n], T[:n], X[n:], T[n:], regression=False, classes=K)


def _normalized(*widths: int) -> list[str]:
    hidden = [name for width in widths[:-1] for name in (f"Linear({width}, weights=He)", "BatchNormalization", "ReLU")]
    return [*hidden, f"Linear({widths[-1]}, weights=He)"]


MNIST_CNN = [
    *("Images(28, 28)", "Convolution(32, weights=He)", "ReLU", "BatchNormalization"),
    *("Convolution(32, weights=He)", "ReLU", "MaxPool", "BatchNormalization"),
    *("Convolution(64, weights=He)", "ReLU", "BatchNormalization"),
    *("Convolution(64, weights=He)", "ReLU", "MaxPool", "Flatten", "BatchNormalization"),
    *("Linear(512, weights=He)", "ReLU", "BatchNormalization", "Linear(10)"),
]
"""The convolutional network for MNIST of the q-neurons' paper (Nielsen and Sun 2018, section 4)."""


def resnet18(width: int, classes: int) -> list[Any]:
    """ResNet-18 for images of 32 x 32 pixels (He et al. 2016), ``width`` channels wide in its first stage."""
    layers: list[Any] = ["Images(32, 32)", *_convolution(width), "ReLU"]
    for stage in range(4):
        K, stride = width * 2**stage, 2 if stage else 1
        for s in (stride, 1):
            f = [*_convolution(K, stride=s), "ReLU", *_convolution(K)]
            shortcut = {"name": "Add", "f": f, "g": _convolution(K, kernel=1, stride=s, padding=0)}
            layers += [shortcut if s > 1 else {"name": "Residual", "layers": f}, "ReLU"]
    return [*layers, "GlobalAveragePool", f"Linear({classes})"]


def _convolution(K: int, kernel: int = 3, stride: int = 1, padding: int = 1) -> list[str]:
    return [f"Convolution({K}, {kernel}, stride={stride}, padding={padding}, weights=He)", "BatchNormalization"]


def gpt(blocks: int, heads: int, width: int, vocabulary: int, length: int) -> list[str]:
    """A transformer that is trained to continue a text (Radford et al. 2018)."""
    first = [f"Sequences({length})", f"Embedding({width}, {vocabulary})", "PositionEmbedding"]
    return [*first, *[f"TransformerBlock({heads})"] * blocks, "LayerNorm", f"Linear({vocabulary})"]


CONFIGURATIONS = {
    "A": Generated("ReLU;ReLU;Linear", [784, 1024, 512, 10], batch_size=100, steps=50),
    "B": Generated("ReLU;ReLU;Linear", [784, 256, 256, 10], batch_size=100, steps=100),
    "C": Generated("ReLU;ReLU;Linear", [784, 64, 64, 10], batch_size=32, steps=300),
    "D": Generated(_normalized(1024, 1024, 10), [784, 1024, 1024, 10], batch_size=1024, steps=5),
    "E": Generated(MNIST_CNN, [784, 10], batch_size=64, steps=5, rate=0.001),
    "F": Generated(resnet18(16, 10), [3072, 10], batch_size=32, steps=5, rate=0.001),
    "G": Generated(gpt(4, 4, 128, 65, 64), [64, 65], batch_size=12, steps=5, text=True),
    "H": Generated(["Sequences(64)", "LSTM(128)", "Last", "Linear(10)"], [64 * 32, 10], batch_size=32, steps=10),
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
    """One-hot rows; for sequences those of all positions side by side."""
    rows: Array
    """The row numbers of the batches, one batch a row."""

    @property
    def lr(self) -> float:
        """The learning rate, the same in every step."""
        return self.config.schedule(0)

    @property
    def outputs(self) -> int:
        """The number of outputs of the network, for each position if every one has a target."""
        return int(self.targets.shape[1]) // (self.data.positions if self.data.per_position else 1)

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
        raise NervaError(f"a batch has {counted(size, 'example')}, but there are only {len(data.Xtrain)} to train with")
    kept = dataclasses.replace(data, Xtrain=data.Xtrain[: steps * size], Ttrain=data.Ttrain[: steps * size])
    constant = Constant(config.schedule(0))
    training = config.training.model_copy(update={"epochs": UNLIMITED, "schedule_by": "epoch"})
    config = config.model_copy(update={"training": training, "schedule": constant, "backend": "numpy", "device": "cpu"})
    trainer = Trainer(config, kept)
    start = trainer.to_numpy()
    targets = _targets(kept, int(trainer.network.outputs_for(kept.inputs))).astype(config.dtype)
    rows = random_stream(config.seed, ORDER, 0).permutation(steps * size).reshape(steps, size)  # those of the trainer
    return BenchmarkProblem(
        config, kept, trainer.network.flattened(), _flattened(trainer.network, kept.inputs, start.params), targets, rows
    )


def _targets(data: Dataset, outputs: int) -> Array:
    if data.per_position and data.classes is not None:
        hot: Array = one_hot(data.Ttrain.reshape(-1), data.classes).reshape(len(data.Ttrain), -1)
        return hot
    return np.asarray(data.targets(data.Ttrain, outputs))


def _flattened(network: Layer, D: Size, params: Tree) -> tuple[Any, ...]:
    """The parameters of each of the layers of which the network is composed."""
    supply, found = leaves(params), []
    for layer in network.flattened():
        found.append(map_shapes(lambda _: next(supply), layer.shapes(D)))
        D = layer.outputs_for(D)
    return tuple(found)
