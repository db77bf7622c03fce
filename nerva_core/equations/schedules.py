"""Learning rates as functions of the step or epoch i = 0, 1, 2, ... (Nerva specification, section 9). They have no state."""

from __future__ import annotations

import contextlib
import functools
import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Le

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.memory import Array
from nerva_core.algebra.registry import Count, Entry, NonNegative, Positive, Table

Decay = Annotated[float, Gt(0), Le(1)]


@dataclass(frozen=True)
class Schedule(Entry):
    """η : ℕ → ℝ, with the initial rate η_0."""

    eta0: Positive = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.eta0, float) and not math.isfinite(self.eta0):
            raise NervaError(f"{type(self).__name__}: eta0 must be finite, got {self.eta0}")

    @abstractmethod
    def __call__(self, i: int) -> float:
        """η_i."""


SCHEDULES: Table[Schedule] = Table(
    "schedule",
    Schedule,
    elsewhere={
        "ReduceLROnPlateau": "schedules do not look at the loss; the nearest is Cosine or MultiStep",
        "OneCycleLR": "the nearest is Cosine with warm-up",
        "CosineAnnealingLR": "Cosine(eta0, n), with n epochs or steps",
        "CosineDecay": "Cosine(eta0, n), with n epochs or steps",
        "StepLR": "the nearest is StepBased(eta0, d, r), or MultiStep with the epochs as milestones",
        "MultiStepLR": "MultiStep(eta0, milestones, gamma)",
        "PiecewiseConstantDecay": "the nearest is MultiStep",
        "ExponentialLR": "Geometric(eta0, r), with its gamma as r",
        "ExponentialDecay": "Geometric(eta0, r)",
        "InverseTimeDecay": "InverseTime(eta0, d)",
        "LinearLR": "its rate rises: it is the warm-up w of LinearDecay and Cosine",
    },
)


@SCHEDULES.add
@dataclass(frozen=True)
class Constant(Schedule):
    """η_i = η_0."""

    def __call__(self, i: int) -> float:
        return self.eta0


def as_schedule(description: Any) -> Schedule:
    """A schedule as ``SCHEDULES.parse`` reads it; a number is a learning rate that stays as it is."""
    if isinstance(description, str) and "_" not in description:
        with contextlib.suppress(ValueError):
            description = float(description)
    is_number = isinstance(description, (int, float)) and not isinstance(description, bool)
    return SCHEDULES.build("Constant", description) if is_number else SCHEDULES.parse(description)


@functools.lru_cache(maxsize=64)
def _products(d: float, count: int) -> Array:
    """∏_{j<i} (1 + d j) for i = 0, ..., count - 1, multiplied from left to right; ∞ where it overflows."""
    with np.errstate(over="ignore"):
        products: Array = np.multiply.accumulate(np.concatenate([[1.0], 1 + d * np.arange(count - 1)]))
    return products


@SCHEDULES.add
@dataclass(frozen=True)
class TimeBased(Schedule):
    """η_{i+1} = η_i / (1 + d i) as printed, that is η_i = η_0 / ∏_{j<i} (1 + d j): it compounds (erratum 004-70)."""

    d: NonNegative = 0.01

    def __call__(self, i: int) -> float:
        d: Any = self.d
        if isinstance(d, (int, float)):
            return self.eta0 / float(_products(d, 1 << int(i).bit_length())[i])
        exact: float = self.eta0 / math.prod(1 + d * j for j in range(i))  # the proofs have symbols
        return exact


@SCHEDULES.add
@dataclass(frozen=True)
class InverseTime(Schedule):
    """η_i = η_0 / (1 + d i), the usual time-based rule."""

    d: NonNegative = 0.01

    def __call__(self, i: int) -> float:
        return self.eta0 / (1 + self.d * i)


@SCHEDULES.add
@dataclass(frozen=True)
class StepBased(Schedule):
    """η_i = η_0 d^⌊(1+i)/r⌋, with change rate d and drop rate r: the rate first drops at i = r - 1 (erratum 004-72)."""

    d: Decay = 0.5
    r: Count = 10

    def __call__(self, i: int) -> float:
        return self.eta0 * self.d ** ((1 + i) // self.r)


@SCHEDULES.add
@dataclass(frozen=True)
class Exponential(Schedule):
    """η_i = η_0 e^(-d i)."""

    d: NonNegative = 0.01

    def __call__(self, i: int) -> float:
        return self.eta0 * math.exp(-self.d * i)


@SCHEDULES.add
@dataclass(frozen=True)
class Geometric(Schedule):
    """η_i = η_0 rⁱ: the rate is multiplied by r every time (q-neurons, section 3, where r = 1 - 10⁻⁶ after each batch)."""

    r: Decay = 0.99

    def __call__(self, i: int) -> float:
        return self.eta0 * self.r**i


@SCHEDULES.add
@dataclass(frozen=True)
class MultiStep(Schedule):
    """η_i = η_0 Γ^|{j : i >= m_j}|: the rate is multiplied by Γ at every milestone m_j (the printed exponent is wrong: erratum 004-71)."""

    milestones: tuple[int, ...] = ()
    gamma: Decay = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "milestones", tuple(self.milestones))
        if any(not isinstance(m, int) or m < 1 for m in self.milestones) or list(self.milestones) != sorted(set(self.milestones)):
            raise NervaError(f"MultiStep: milestones must be positive integers in increasing order, got {list(self.milestones)}")

    def __call__(self, i: int) -> float:
        passed = sum(i >= milestone for milestone in self.milestones)
        return self.eta0 * self.gamma**passed


@dataclass(frozen=True)
class WarmUp(Schedule):
    """A rate that rises to η_0 in w steps and then falls until i = n."""

    n: Count = 100
    w: Annotated[int, Ge(0)] = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.w < self.n:
            raise NervaError(f"{type(self).__name__}: the warm-up w must be shorter than n, got w={self.w}, n={self.n}")

    def rise(self, i: int) -> float:
        """η_0 (i + 1) / w, for i < w."""
        return self.eta0 * (i + 1) / self.w


@SCHEDULES.add
@dataclass(frozen=True)
class Cosine(WarmUp):
    """η_0 (i + 1) / w for i < w (warm-up), then η_0 (1 + cos(π (i - w) / (n - w))) / 2, which reaches 0 at i = n and stays there."""

    def __call__(self, i: int) -> float:
        if i < self.w:
            return self.rise(i)
        return self.eta0 * (1 + math.cos(math.pi * (min(i, self.n) - self.w) / (self.n - self.w))) / 2


@SCHEDULES.add
@dataclass(frozen=True)
class LinearDecay(WarmUp):
    """η_0 (i + 1) / w for i < w (warm-up), then η_0 (n - i) / (n - w), which reaches 0 at i = n and stays there."""

    aliases = ("PolynomialLR",)

    def __call__(self, i: int) -> float:
        return self.rise(i) if i < self.w else self.eta0 * (self.n - min(i, self.n)) / (self.n - self.w)
