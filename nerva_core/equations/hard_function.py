"""Hard functions and their table: what a network computes although it has no useful derivative."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.algebra.memory import Array
from nerva_core.algebra.registry import Entry, Table


@dataclass(frozen=True)
class HardFunction(Entry):
    """H = f(X), a matrix with the rows of X. Randomness is an input: noise matrices follow X."""

    @abstractmethod
    def value(self, ops: MatrixOps[M], X: M, *noise: M) -> M:
        """f(X); without the noise that the function declares, its most probable value."""

    def outputs_for(self, D: Size) -> Size:
        """The number of columns of f(X) when X has D; NervaError if it takes no such X."""
        return D

    def laid_out(self, ops: MatrixOps[M], X: M) -> M:
        """X with its elements in the places of the output, to compare the two."""
        return X

    def example_width(self) -> int | None:
        """A number of columns that f takes, if it does not take every one."""
        return None

    def abridged(self) -> HardFunction:
        """What is shown of it, if its equations are long."""
        return self

    def levels(self) -> int | None:
        """The number of values that an element of f(X) can have, None if there are more than can be listed."""
        return None

    def noise_shapes(self, N: Size, D: Size) -> tuple[tuple[Size, Size], ...]:
        """The shapes of the noise matrices for an input of N rows and D columns."""
        return ()

    def draw(self, rng: np.random.Generator, N: int, D: int) -> tuple[Array, ...]:
        """The noise matrices of one step."""
        return ()

    def draw_for_evaluation(self, rng: np.random.Generator, N: int, D: int) -> tuple[Array, ...]:
        """The noise matrices of one evaluation; none, unless the function keeps its noise at inference."""
        return ()


HARD_FUNCTIONS: Table[HardFunction] = Table("hard function", HardFunction)
