"""A layer around another hands on whatever it does not state, also what is added to layers later."""

from __future__ import annotations

import dataclasses
import inspect
from dataclasses import dataclass
from typing import Any

import numpy as np

from nerva_core.algebra.matrix_ops import M, MatrixOps
from nerva_core.equations.activations import Tanh
from nerva_core.equations.hard_functions import Signum
from nerva_core.layers import DAB, ActivationLayer, Composite, Layer, Linear, QActivation, Repeat, Sequential
from nerva_core.layers.around import Around
from nerva_core.layers.base import is_size_of
from tests.conftest import make_backend

NOT_HANDED_ON = {
    "has_pattern",
    "flattened",
    "for_any_data",
    "needs_positions",
    "initializers",
    "is_sized",
    "sized",
    "walk",
    "with_padding",
    "can_go_on",
    "without_penalty",
    "at_epoch",
}
"""What is of the layer itself: it is one layer, its initial values are those of ``init``, and the rest goes by ``inside``."""


@dataclass(frozen=True)
class Residual(Around):
    """Y = X + f(X)."""

    layer: Sequential

    def inner(self) -> Sequential:
        return self.layer

    def feedforward(self, ops: MatrixOps[M], params: Any, X: M, *noise: Any) -> tuple[M, Any]:
        Y, cache = super().feedforward(ops, params, X, *noise)
        return X + Y, cache

    def backpropagate(self, ops: MatrixOps[M], params: Any, cache: Any, DY: M) -> tuple[M, Any]:
        DX, gradients = super().backpropagate(ops, params, cache, DY)
        return DY + DX, gradients


def test_every_method_of_a_layer_is_handed_on() -> None:
    methods = {name for name, member in inspect.getmembers(Layer, inspect.isroutine) if not name.startswith("_")}
    assert methods - set(vars(Around)) - NOT_HANDED_ON == set()


def test_the_scale_of_noise_is_seen_through_every_layer_around() -> None:
    noisy = Sequential((QActivation(Tanh(), lambda_=5.0, gamma=0.5),))

    class Wrapped(Composite):
        def composition(self) -> Sequential:
            return noisy

    for layer in (noisy, Wrapped(), Repeat(noisy), DAB(Signum(), noisy), Residual(noisy)):
        assert layer.noise_scale() == noisy.noise_scale()
        assert layer.at_epoch(9).noise_scale() == noisy.at_epoch(9).noise_scale() != noisy.noise_scale()


class Block(Composite):
    """A composition whose layers are in no field."""

    def composition(self) -> Sequential:
        return Sequential((DAB(Signum(), Sequential((Linear(3),))), Linear(3)))


def test_layers_are_found_in_fields_tuples_and_compositions() -> None:
    network = Sequential((Repeat(Sequential((Linear(1), DAB(Signum(), Sequential((Linear(2),)))))), Block()))
    assert [layer.outputs for layer in network.walk() if isinstance(layer, Linear)] == [1, 2, 3, 3]
    assert network.with_inside(lambda layer: layer) is network
    assert str(network.without_penalty()).count("gamma=0.0") == 2
    assert "gamma=10.0" not in str(network.without_penalty())


@dataclass(frozen=True)
class Wider(Composite):
    """A layer whose number of outputs has a name of its own."""

    units: int
    sized_by = "units"

    def composition(self) -> Sequential:
        return Sequential((Linear(self.units),))


def test_a_layer_says_which_field_is_the_number_of_outputs() -> None:
    assert Wider(3).is_sized()
    assert Linear(3).is_sized()
    assert not Block().is_sized()
    assert (Wider(3).sized(5), Linear(3).sized(5).outputs, Block().sized(5)) == (Wider(5), 5, Block())
    assert is_size_of(Wider, "units")
    assert not is_size_of(Wider, "outputs")
    assert "Wider 3" in Sequential((Wider(3),)).summary(2)


def test_a_layer_that_is_not_changed_keeps_its_equations() -> None:
    block = Block()
    assert block.at_epoch(3) is block


def test_a_residual_layer_is_its_equations(rng: np.random.Generator) -> None:
    ops = make_backend("numpy", "float64")
    layer = Residual(Sequential((Linear(3), ActivationLayer(Tanh()))))
    params, X = layer.init(rng, 3), rng.normal(size=(4, 3))
    Y, cache = layer.feedforward(ops, params, X)
    DX, _ = layer.backpropagate(ops, params, cache, np.ones((4, 3)))
    V, h = rng.normal(size=X.shape), 1e-6
    above, below = (layer.feedforward(ops, params, X + s * V)[0].sum() for s in (h, -h))
    np.testing.assert_allclose((DX * V).sum(), (above - below) / (2 * h), rtol=1e-8)
    assert dataclasses.is_dataclass(layer.at_epoch(2))
    assert Y.shape == (4, 3)
