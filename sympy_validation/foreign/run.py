"""The record of a run of foreign code on symbols: the conditions, the fixed maps that slices and masks stand for, casts."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sympy_validation.all_sizes.scalars import Conditions
from sympy_validation.all_sizes.symbols import Variable, product_of
from sympy_validation.foreign.sizes import Factor, FloorSize, SumSize, letters_of

Values = Callable[[Callable[[Any], int], int, int], Any]
"""The matrix of a fixed map, from the numbers for which sizes stand, and its numbers of rows and columns."""


PLACED: dict[str, Values] = {}
"""The matrices of placements, whose names state what they are, so that they are the same in all runs."""


@dataclass
class SymbolicRun:
    """One run of the code on symbols."""

    conditions: Conditions = field(default_factory=Conditions)
    fixed: ChainMap[str, Values] = field(default_factory=lambda: ChainMap({}, PLACED))
    """The matrices that masks and slices stand for; in the proof they are any matrices."""
    sums: dict[str, SumSize | FloorSize] = field(default_factory=dict)
    """Sizes that are sums or rounded quotients, by their names."""
    operations: list[Any] = field(default_factory=list)
    """The operations of the backward pass, while they are recorded."""
    recording: bool = False
    changes: Mapping[int, Any] = field(default_factory=dict)
    """Changes of operations, by their numbers, for the search of a repair."""
    depth: int = 0
    narrow: bool = False
    """Whether the code casts to a type of less than 64 bits."""

    @property
    def rounded(self) -> list[str]:
        """The names of the sizes of which there are rounded quotients: numbers may fit where these do not."""
        return sorted({name for size in self.sums.values() if isinstance(size, FloorSize) for name in letters_of(size)})

    def fixed_map(self, name: str, rows: Factor, columns: Factor, values: Values) -> Variable:
        """A matrix of numbers for each pair of sizes, such as the lower triangle of ones."""
        variable = Variable(f"{name}_{rows}_{columns}", product_of(rows), product_of(columns), fixed=True)
        self.fixed[variable.name] = values
        return variable


class Current:
    """The run that is going on."""

    run = SymbolicRun()

    @classmethod
    def start(cls) -> SymbolicRun:
        """A new run."""
        cls.run = SymbolicRun()
        return cls.run
