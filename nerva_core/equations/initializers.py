"""Initial values of parameters (Nerva specification, section 7). D is the number of inputs of the layer, K of its outputs.

Values are drawn by NumPy in float64 and then rounded, so a seed gives the same network on every backend.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.memory import Array
from nerva_core.algebra.registry import Entry, NonNegative, Table


class UniformDistribution(NamedTuple):
    """U(a, b)."""

    a: float
    b: float

    def draw(self, rng: np.random.Generator, shape: tuple[int, int]) -> Array:
        return rng.uniform(self.a, self.b, shape)


class NormalDistribution(NamedTuple):
    """N(μ, σ), with σ the standard deviation (erratum 004-67)."""

    mu: float
    sigma: float

    def draw(self, rng: np.random.Generator, shape: tuple[int, int]) -> Array:
        return rng.normal(self.mu, self.sigma, shape)


Distribution = UniformDistribution | NormalDistribution


@dataclass(frozen=True)
class Initializer(Entry):
    """The distribution from which the elements of a parameter are drawn."""

    @abstractmethod
    def distribution(self, D: int, K: int) -> Distribution:
        """The distribution for a layer with D inputs and K outputs."""

    def identity(self) -> float:
        """The multiple of the identity matrix that is added to the draws."""
        return 0.0

    def draw(self, rng: np.random.Generator, D: int, K: int, shape: tuple[int, int]) -> Array:
        """A matrix of independent draws, plus ``identity()`` on its diagonal."""
        return self.distribution(D, K).draw(rng, shape) + self.identity() * np.eye(*shape)


INITIALIZERS: Table[Initializer] = Table(
    "initializer",
    Initializer,
    elsewhere={
        "KaimingNormal": "it is He",
        "HeNormal": "it is He",
        "KaimingUniform": "the nearest is He, which is normal",
        "HeUniform": "the nearest is He, which is normal",
        "GlorotUniform": "it is NormalizedXavier",
        "XavierUniform": "it is NormalizedXavier",
        "GlorotNormal": "the nearest is NormalizedXavier, which is uniform",
        "XavierNormal": "the nearest is NormalizedXavier, which is uniform",
        "Zeros": "it is Zero",
        "Ones": "it is Constant(1)",
        "RandomNormal": "it is Normal(mu, sigma)",
        "RandomUniform": "it is Uniform(a, b)",
        "Orthogonal": "the nearest is NormalizedXavier",
    },
)


@INITIALIZERS.add
@dataclass(frozen=True)
class Zero(Initializer):
    """0."""

    def distribution(self, D: int, K: int) -> Distribution:
        return UniformDistribution(0.0, 0.0)


@INITIALIZERS.add
@dataclass(frozen=True)
class Constant(Initializer):
    """c."""

    c: float

    def distribution(self, D: int, K: int) -> Distribution:
        return UniformDistribution(self.c, self.c)


@INITIALIZERS.add
@dataclass(frozen=True)
class Uniform(Initializer):
    """U(a, b)."""

    a: float = -0.1
    b: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.a <= self.b:
            raise NervaError(f"Uniform: a must be at most b, got a={self.a}, b={self.b}")

    def distribution(self, D: int, K: int) -> Distribution:
        return UniformDistribution(self.a, self.b)


@INITIALIZERS.add
@dataclass(frozen=True)
class Normal(Initializer):
    """N(μ, σ), σ the standard deviation."""

    mu: float = 0.0
    sigma: NonNegative = 0.1

    def distribution(self, D: int, K: int) -> Distribution:
        return NormalDistribution(self.mu, self.sigma)


@INITIALIZERS.add
@dataclass(frozen=True)
class Xavier(Initializer):
    """U(-1/√D, 1/√D), as printed; it is the heuristic to which Glorot and Bengio compare theirs (erratum 004-66)."""

    def distribution(self, D: int, K: int) -> Distribution:
        return UniformDistribution(-1 / math.sqrt(D), 1 / math.sqrt(D))


@INITIALIZERS.add
@dataclass(frozen=True)
class NormalizedXavier(Initializer):
    """U(-√6/√(D+K), √6/√(D+K)), the proposal of Glorot and Bengio (2010)."""

    aliases = ("XavierNormalized", "Glorot")

    def distribution(self, D: int, K: int) -> Distribution:
        bound = math.sqrt(6 / (D + K))
        return UniformDistribution(-bound, bound)


@INITIALIZERS.add
@dataclass(frozen=True)
class He(Initializer):
    """N(0, √(2/D)) (He et al. 2015)."""

    def distribution(self, D: int, K: int) -> Distribution:
        return NormalDistribution(0.0, math.sqrt(2 / D))


@INITIALIZERS.add
@dataclass(frozen=True)
class NearIdentity(Initializer):
    """scale · I + N(0, noise), I with ones on its diagonal and zeros elsewhere, noise the standard deviation.

    A square linear layer starts as nearly ``scale`` times its input, as a bridge for a function near the identity should (section 4 of
    DAB prints no initial values). If D ≠ K, I has min(D, K) ones.
    """

    scale: float = 1.0
    noise: NonNegative = 0.01

    def distribution(self, D: int, K: int) -> Distribution:
        return NormalDistribution(0.0, self.noise)

    def identity(self) -> float:
        return self.scale
