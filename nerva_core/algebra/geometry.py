"""The geometry of windows: the one index map behind convolution and pooling, in any number of dimensions."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from nerva_core.algebra.errors import NervaError


@dataclass(frozen=True)
class Geometry:
    """Windows of ``kernel`` positions over a grid of ``size`` positions, every ``stride``-th, around which ``padding`` is empty.

    Each field has one number a dimension: (28, 28) for images, (64,) for sequences. Positions, places (of windows) and offsets (in a
    window) are numbered row by row. NervaError if a number makes no sense or no window fits.
    """

    size: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]

    @classmethod
    def of(cls, size: tuple[int, ...], kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> Geometry:
        """The same numbers in every dimension."""
        return cls(size, *((number,) * len(size) for number in (kernel, stride, padding, dilation)))

    def __post_init__(self) -> None:
        for name, least in (("size", 1), ("kernel", 1), ("stride", 1), ("padding", 0), ("dilation", 1)):
            numbers = getattr(self, name)
            if len(numbers) != len(self.size) or any(number < least for number in numbers):
                raise NervaError(f"{name} must be {len(self.size)} numbers of at least {least}, got {numbers}")
        if min(self.out) < 1:
            raise NervaError(
                f"a window of {_times(self.reach)} positions does not fit into {_times(self.size)} with padding {_times(self.padding)}; "
                "make the kernel smaller or the padding larger"
            )

    @property
    def reach(self) -> tuple[int, ...]:
        """The extent of a window, dilation included."""
        return tuple(d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True))

    @property
    def out(self) -> tuple[int, ...]:
        """The number of windows in each dimension."""
        each = zip(self.size, self.reach, self.stride, self.padding, strict=True)
        return tuple((n + 2 * p - k) // s + 1 for n, k, s, p in each)

    @property
    def positions(self) -> int:
        """P, the number of positions."""
        return math.prod(self.size)

    @property
    def places(self) -> int:
        """Q, the number of windows."""
        return math.prod(self.out)

    @property
    def offsets(self) -> int:
        """U, the number of positions that a window sees."""
        return math.prod(self.kernel)

    @cached_property
    def map(self) -> np.ndarray[Any, Any]:
        """G(q, u), a Q x U array: the position that place q sees at offset u; P where there is none."""
        places, offsets = (np.array([*itertools.product(*map(range, sizes))], dtype=int) for sizes in (self.out, self.kernel))
        at = places[:, None] * self.stride + offsets[None] * self.dilation - self.padding
        inside = ((at >= 0) & (at < self.size)).all(axis=-1)
        position = np.zeros(inside.shape, dtype=int)
        for axis, n in enumerate(self.size):
            position = position * n + at[..., axis]
        return np.where(inside, position, self.positions)

    @cached_property
    def sources(self) -> np.ndarray[Any, Any]:
        """The inverse, a P x M array: the numbers q U + u of all places and offsets that see a position; Q U to fill up the rows.

        M is at least 1, also where no window sees any position.
        """
        seen: list[list[int]] = [[] for _ in range(self.positions + 1)]
        for number, position in enumerate(self.map.flat):
            seen[position].append(number)
        most = max(1, *map(len, seen[:-1]))
        return np.array([row + [self.map.size] * (most - len(row)) for row in seen[:-1]])


@dataclass(frozen=True)
class AnyGeometry:
    """Any matrices S_u of any sizes, by a name: what is shown or proved for it holds for every geometry."""

    name: str
    positions: Any
    places: Any
    offsets: Any

    @property
    def map(self) -> np.ndarray[Any, Any]:
        """There is none: NervaError."""
        raise self._unknown()

    @property
    def sources(self) -> np.ndarray[Any, Any]:
        """There are none: NervaError."""
        raise self._unknown()

    def _unknown(self) -> NervaError:
        return NervaError(f"{self.name} stands for any windows, so it is not known what they see")


def _times(numbers: tuple[int, ...]) -> str:
    return " x ".join(map(str, numbers))
