"""A subject of the comparison: a function of the library on named matrices, with the inputs that it is run on."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nerva_core.algebra.memory import Array

Inputs = dict[str, Array]


@dataclass(frozen=True)
class Subject:
    """A function of the library, with inputs to run it on."""

    kind: str
    name: str
    function: Callable[[Any, Any, Mapping[str, Any]], dict[str, Any]]
    """Takes matrix operations, ``entry`` and the inputs as matrices; gives the outputs by name."""
    cases: Callable[[np.random.Generator, str], dict[str, Inputs]]
    """Takes a generator and a dtype; gives the inputs by case."""
    entry: Any = None
    elementwise: bool = False
    """Whether an element of an output depends on the elements of the inputs at its place only."""
    is_sum: bool = False
    """Whether it is one sum or product of matrices, with a classical bound."""

    def inputs(self, seed: int, dtype: str) -> dict[str, Inputs]:
        """The inputs by case; those of one subject do not depend on the others."""
        rng = np.random.default_rng([seed, zlib.crc32(f"{self.kind} {self.name}".encode())])
        return self.cases(rng, dtype)
