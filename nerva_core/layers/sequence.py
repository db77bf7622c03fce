"""The base of layers over the positions of sequences, which are told the length L by the network."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import Size
from nerva_core.layers.base import Layer, Positions, Symbols


@dataclass(frozen=True, kw_only=True)
class SequenceLayer(Layer):
    """A layer whose rows are N·L positions: those of one sequence follow one another."""

    length: Size | None = field(default=None, repr=False)
    """L, which the layers before this one determine."""

    @property
    def L(self) -> Size:
        """The number of positions of a sequence; NervaError if the network has not said it."""
        if self.length is None:
            raise NervaError(f"{self!r} does not know the length of a sequence; begin the network with Sequences(length)")
        return self.length

    def rows_for(self, N: Size) -> Size:
        if isinstance(N, int) and isinstance(self.length, int) and N % self.length:
            raise NervaError(f"{self!r} takes sequences of {self.length} positions, a row each, got {N} rows")
        return N

    def bind(self, positions: Positions | None) -> tuple[Layer, Positions | None]:
        if not positions:
            return self, positions
        count = math.prod(positions)
        return (self if count == self.length else replace(self, length=count)), positions

    def needs_positions(self) -> bool:
        return self.length is None

    def can_go_on(self) -> bool:
        """By default not: what a position sees of the others is said by each layer."""
        return False

    def for_any_data(self, symbols: Symbols) -> Layer:
        return replace(self, length=symbols.size("L"))

    def shape_of_input(self, symbols: Symbols) -> tuple[Size, Size]:
        return symbols.size("N") * self.L, symbols.size("D")
