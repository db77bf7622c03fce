from __future__ import annotations

from typing import Any

import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.layers import LAYERS
from nerva_core.layers.activation import ActivationLayer
from nerva_core.layers.batch_normalization import BatchNormalization
from nerva_core.layers.dropout import LinearDropout
from nerva_core.layers.linear import Linear
from sympy_validation.layer_gradient import LayerGradient, gradient_name
from sympy_validation.spaces.entries import EntriesSpace
from sympy_validation.spaces.points import SIZES, PointSpace
from sympy_validation.symbols import symbolic
from sympy_validation.theorems.layers import MAKES, layer_of, sequence


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


VANISHING = {("Embedding", "DX"), ("Tied", "DX")} | {("SReLU", f"D{name}") for name in ("al", "tl", "ar", "tr")}
"""An embedding reads numbers of rows, of which it is a step function; the elements of a point may all lie between the t of an SReLU."""


@pytest.mark.sampled(2)
@pytest.mark.parametrize("entry", list(LAYERS), ids=lambda entry: entry.__name__)
def test_no_gradient_is_0_for_every_dy(entry: Any) -> None:
    """A claim whose expected gradient vanishes would prove nothing."""
    if entry.__name__ == "Sequential":
        return
    space = PointSpace(4)
    problem = LayerGradient(MAKES.get(entry) or layer_of(entry)).problem(space)
    for quantity, expected in problem.expected.items():
        if (entry.__name__, quantity) not in VANISHING:
            assert any(x.value != 0 for row in expected().elements for x in row), quantity


def test_the_number_of_gradients_must_be_that_of_the_parameters() -> None:
    layer = LayerGradient(lambda space: symbolic(Linear, space), lambda ops, layer, params, cache, DY: (DY, ()))
    space = PointSpace(0)
    with pytest.raises(NervaError, match="0 gradients of parameters, shapes"):
        layer.problem(space).tested(space.ops)
