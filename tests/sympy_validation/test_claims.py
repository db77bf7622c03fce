"""Claims are stated about the code itself, with symbols for everything continuous."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pytest
import sympy as sp

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.registry import Entry
from nerva_core.equations.activations import ELU, LeakyReLU
from nerva_core.equations.losses import SquaredError
from nerva_core.equations.schedules import Exponential
from nerva_core.layers import LAYERS
from nerva_core.layers.activation import ActivationLayer
from nerva_core.layers.batch_normalization import BatchNormalization
from nerva_core.layers.dropout import LinearDropout
from nerva_core.layers.linear import Linear
from sympy_validation.claims import LayerGradient, LossGradient, gradient_name, symbolic, with_symbols
from sympy_validation.spaces.entries import EntriesSpace
from sympy_validation.spaces.points import SIZES, PointSpace
from sympy_validation.spaces.spaces import UnknownFunction
from sympy_validation.spaces.symbolic_sizes import SymbolicSizesSpace
from sympy_validation.theorems.layers import sequence


def spaces() -> list[Any]:
    return [EntriesSpace(SIZES[0]), PointSpace(0), SymbolicSizesSpace()]


@pytest.mark.parametrize("k", range(3))
def test_parameters_become_symbols(k: int) -> None:
    space = spaces()[k]
    assert symbolic(Linear, space).outputs == space.size("K")
    assert not isinstance(symbolic(LeakyReLU, space).alpha, float)
    assert not isinstance(symbolic(BatchNormalization, space).epsilon, float)
    assert symbolic(Linear, space).weights == Linear(1).weights
    assert symbolic(Linear, space, outputs=3).outputs == 3


def test_bounds_are_kept() -> None:
    space = EntriesSpace(SIZES[0])
    assert symbolic(ELU, space).alpha.is_nonnegative
    assert symbolic(ELU, space).alpha.is_positive is None
    assert symbolic(LeakyReLU, space).alpha.is_nonnegative is None


def test_an_activation_is_any_function() -> None:
    assert symbolic(ActivationLayer, PointSpace(0)).activation == UnknownFunction("activation")


@dataclass(frozen=True)
class NeedsText(Entry):
    word: str


def test_what_cannot_be_a_symbol_must_be_given() -> None:
    with pytest.raises(NervaError, match="NeedsText needs a value for word"):
        symbolic(NeedsText, PointSpace(0))
    assert symbolic(NeedsText, PointSpace(0), word="x").word == "x"


@pytest.mark.parametrize(("name", "gradient"), [("W", "DW"), ("2.gamma", "2.Dgamma"), ("1.0.b", "1.0.Db")])
def test_gradient_name(name: str, gradient: str) -> None:
    assert gradient_name(name) == gradient


def test_the_quantities_of_a_layer_are_its_gradients() -> None:
    assert LayerGradient(lambda space: symbolic(BatchNormalization, space)).quantities() == ("DX", "Dgamma", "Dbeta")
    assert LayerGradient(sequence(Linear, ActivationLayer)).quantities() == ("DX", "0.DW", "0.Db")


def test_layers_of_a_sequence_have_masks_of_their_own() -> None:
    space = EntriesSpace(SIZES[0])
    problem = LayerGradient(sequence(LinearDropout, LinearDropout)).problem(space)
    (entry,) = {str(s) for x in problem.tested(space.ops)["0.Db"].elements[0] for s in x.free_symbols if str(s).startswith("1.R[0,0]")}
    assert entry == "1.R[0,0]"


@pytest.mark.parametrize("entry", list(LAYERS), ids=lambda entry: entry.__name__)
def test_no_gradient_is_0_for_every_dy(entry: Any) -> None:
    """A claim whose expected gradient vanishes would prove nothing."""
    if entry.__name__ == "Sequential":
        return
    space = PointSpace(4)
    problem = LayerGradient(lambda space: symbolic(entry, space)).problem(space)
    for quantity, expected in problem.expected.items():
        if entry.__name__ != "SReLU" or quantity == "DX":
            assert any(x.value != 0 for row in expected().elements for x in row), quantity


def test_the_number_of_gradients_must_be_that_of_the_parameters() -> None:
    layer = LayerGradient(lambda space: symbolic(Linear, space), lambda ops, layer, params, cache, DY: (DY, ()))
    space = PointSpace(0)
    with pytest.raises(NervaError, match="0 gradients of parameters, shapes"):
        layer.problem(space).tested(space.ops)


def test_the_gradient_of_a_loss_is_that_of_its_value() -> None:
    space = EntriesSpace({"N": 3, "K": 2})
    problem = LossGradient(lambda space: SquaredError()).problem(space)
    y, t = sp.Symbol("Y[0,1]", real=True), space.constant("T", 3, 2)[0, 1]
    assert sp.expand(problem.expected["DY"]()[0, 1] - 2 * (y - t)) == 0


def test_shipped_code_runs_with_the_functions_of_the_space() -> None:
    space = EntriesSpace({})
    d = space.scalar("d", 0)
    rate = with_symbols(Exponential(eta0=2.0, d=d).__call__, space)
    assert rate(3) == 2.0 * sp.exp(-3 * d)
    assert Exponential(2.0, 0.5)(3) == 2.0 * math.exp(-1.5)
