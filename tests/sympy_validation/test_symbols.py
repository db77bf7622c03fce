from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pytest
import sympy as sp

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.registry import Entry
from nerva_core.equations.activations import ELU, LeakyReLU
from nerva_core.equations.schedules import Exponential
from nerva_core.layers.activation import ActivationLayer
from nerva_core.layers.batch_normalization import BatchNormalization
from nerva_core.layers.linear import Linear
from sympy_validation.spaces.entries import EntriesSpace
from sympy_validation.spaces.points import SIZES, PointSpace
from sympy_validation.spaces.symbolic_sizes import SymbolicSizesSpace
from sympy_validation.symbols import symbolic, with_symbols
from sympy_validation.unknown import UnknownActivation


def spaces() -> list[Any]:
    return [EntriesSpace(SIZES[0]), PointSpace(0), SymbolicSizesSpace()]


@pytest.mark.parametrize("k", range(3))
def test_parameters_become_symbols(k: int) -> None:
    space = spaces()[k]
    assert symbolic(Linear, space).outputs == space.size("K")
    assert type(symbolic(LeakyReLU, space).alpha) is not float
    assert type(symbolic(BatchNormalization, space).epsilon) is not float
    assert symbolic(Linear, space).weights == Linear(1).weights
    assert symbolic(Linear, space, outputs=3).outputs == 3


def test_bounds_are_kept() -> None:
    space = EntriesSpace(SIZES[0])
    assert symbolic(ELU, space).alpha.is_nonnegative
    assert symbolic(ELU, space).alpha.is_positive is None
    assert symbolic(LeakyReLU, space).alpha.is_nonnegative is None


def test_an_activation_is_any_function() -> None:
    assert symbolic(ActivationLayer, PointSpace(0)).activation == UnknownActivation("activation")


@dataclass(frozen=True)
class NeedsText(Entry):
    word: str


def test_what_cannot_be_a_symbol_must_be_given() -> None:
    with pytest.raises(NervaError, match="NeedsText needs a value for word"):
        symbolic(NeedsText, PointSpace(0))
    assert symbolic(NeedsText, PointSpace(0), word="x").word == "x"


def test_shipped_code_runs_with_the_functions_of_the_space() -> None:
    space = EntriesSpace({})
    d = space.scalar("d", 0)
    rate = with_symbols(Exponential(eta0=2.0, d=d).__call__, space)
    assert rate(3) == 2.0 * sp.exp(-3 * d)
    assert Exponential(2.0, 0.5)(3) == 2.0 * math.exp(-1.5)
