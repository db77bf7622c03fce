"""Generated data sets, the same in every run for the same ``seed``."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from nerva_core.algebra.memory import Array, require_memory
from nerva_core.algebra.registry import Count, NonNegative
from nerva_core.data.dataset import Dataset, make_dataset
from nerva_core.data.sources import SOURCES, DataSource


@dataclass(frozen=True, kw_only=True)
class Synthetic(DataSource):
    """``n`` training examples, and a fifth as many for the test."""

    n: Count = 2000
    seed: int = 0

    @property
    def columns(self) -> int:
        """The number of features and targets, for a bound on the memory."""
        return 3

    @abstractmethod
    def sample(self, rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        """n examples: X and T."""

    def read(self) -> Dataset:
        require_memory(8 * self.n * self.columns, f"{type(self).__name__} with n = {self.n}")
        rng = np.random.default_rng(abs(self.seed))
        train, test = self.sample(rng, self.n), self.sample(rng, max(1, self.n // 5))
        regression = train[1].ndim == 2
        return make_dataset(type(self).__name__, *train, *test, regression=regression, classes=None if regression else self.classes())

    def classes(self) -> int:
        """The number of classes, for a classification."""
        return 2


@SOURCES.add
@dataclass(frozen=True, kw_only=True)
class Checkerboard(Synthetic):
    """Points of the square [-1, 1]², in the colours of a board of ``cells`` x ``cells`` cells."""

    cells: Count = 4

    def sample(self, rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        X = rng.uniform(-1, 1, (n, 2))
        cell = np.minimum(np.floor((X + 1) / 2 * self.cells), self.cells - 1).astype(int)
        return X, cell.sum(axis=1) % 2


@SOURCES.add
@dataclass(frozen=True, kw_only=True)
class Spirals(Synthetic):
    """Points along ``arms`` interleaved spirals of the given number of turns, one class an arm, with Gaussian noise."""

    arms: Count = 3
    turns: NonNegative = 0.75
    noise: NonNegative = 0.02

    def classes(self) -> int:
        return max(2, self.arms)

    def sample(self, rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        T = rng.integers(self.arms, size=n)
        r = np.sqrt(rng.uniform(0, 1, n))
        angle = 2 * np.pi * (self.turns * r + T / self.arms)
        X = np.stack([r * np.cos(angle), r * np.sin(angle)], axis=1)
        return X + rng.normal(0, self.noise, (n, 2)), T


@SOURCES.add
@dataclass(frozen=True, kw_only=True)
class SineOfSum(Synthetic):
    """A regression: f(x) = sin(π x_1 + ... + π x_d) for x uniform in [-2, 2]^d (TMAF, section 3.1)."""

    n: Count = 20000
    d: Count = 1

    @property
    def columns(self) -> int:
        return self.d + 1

    def sample(self, rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        X = rng.uniform(-2, 2, (n, self.d))
        return X, np.sin(np.pi * X.sum(axis=1, keepdims=True))


@SOURCES.add
@dataclass(frozen=True, kw_only=True)
class SortingSequences(Synthetic):
    """Sequences of ``length`` numbers, uniform in [0, 1]; the classes are the indices that sort them, one a position (DAB, section 5.1).

    The outputs of a network are, for each position, a number for each index: length² columns, for the loss SequenceCrossEntropy.
    Its accuracy is all-or-none: an example is right if all of its positions are. With ``standardised`` the inputs are (x - 1/2)
    √12, which has mean 0 and variance 1.
    """

    n: Count = 20000
    length: Count = 5
    standardised: bool = False

    def sample(self, rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        X = rng.uniform(0, 1, (n, self.length))
        T = np.argsort(X, axis=1)
        return (X - 0.5) * np.sqrt(12) if self.standardised else X, T

    def read(self) -> Dataset:
        rng = np.random.default_rng(abs(self.seed))
        train, test = self.sample(rng, self.n), self.sample(rng, max(1, self.n // 5))
        return Dataset(*train, *test, classes=self.length, positions=self.length)


@SOURCES.add
@dataclass(frozen=True, kw_only=True)
class ThreeFrequencies(Synthetic):
    """A regression: f(x) = sin(100πx) + cos(50πx) + sin(πx) for x uniform in [-1, 1] (TMAF, equation 9)."""

    n: Count = 20000

    def sample(self, rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        X = rng.uniform(-1, 1, (n, 1))
        return X, three_frequencies(X)


def three_frequencies(x: Array) -> Array:
    """sin(100πx) + cos(50πx) + sin(πx)."""
    result: Array = np.sin(100 * np.pi * x) + np.cos(50 * np.pi * x) + np.sin(np.pi * x)
    return result
