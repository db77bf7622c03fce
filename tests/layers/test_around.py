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
from tests.conftest import make_backend

NOT_HANDED_ON = {"flattened", "initializers", "columns", "trailing"}
"""What is of the layer itself: it is one layer, and its initial values are those of ``init``."""


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
    methods = {name for name, member in vars(Layer).items() if inspect.isfunction(member) and not name.startswith("_")}
    assert methods - set(vars(Around)) - NOT_HANDED_ON == set()


def test_the_scale_of_noise_is_seen_through_every_layer_around() -> None:
    noisy = Sequential((QActivation(Tanh(), lambda_=5.0, gamma=0.5),))

    class Wrapped(Composite):
        def composition(self) -> Sequential:
            return noisy

    for layer in (noisy, Wrapped(), Repeat(noisy), DAB(Signum(), noisy), Residual(noisy)):
        assert layer.noise_scale() == noisy.noise_scale()
        assert layer.at_epoch(9).noise_scale() == noisy.at_epoch(9).noise_scale() != noisy.noise_scale()


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
