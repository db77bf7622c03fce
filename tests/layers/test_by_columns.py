"""A composition for the number of columns is that composition."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from nerva_core.algebra.matrix_ops import Size
from nerva_core.equations.activations import Tanh
from nerva_core.layers import ActivationLayer, Dropout, Linear, Sequential
from nerva_core.layers.by_columns import CompositionByColumns
from tests.conftest import make_backend
from tests.helpers import assert_trees_equal
from tests.layers.check import random_parameters, run


@dataclass(frozen=True)
class Widened(CompositionByColumns):
    def composition(self, D: Size) -> Sequential:
        return Sequential((Linear(2 * D), ActivationLayer(Tanh()), Dropout(0.5), Linear(D)))


def test_it_is_the_composition() -> None:
    ops, rng, layer = make_backend("numpy", "float64"), np.random.default_rng(1), Widened()
    inner: Any = layer.composition(3)
    assert layer.shapes(3) == inner.shapes(3)
    assert layer.noise_shapes(4, 3) == inner.noise_shapes(4, 3)
    assert_trees_equal(layer.init(np.random.default_rng(2), 3), inner.init(np.random.default_rng(2), 3))
    X, params, noise = rng.normal(size=(4, 3)), random_parameters(rng, layer, 3), layer.draw(rng, 4, 3)
    DY = rng.normal(size=(4, 3))
    assert_trees_equal(run(ops, layer, X, params, DY, noise), run(ops, inner, X, params, DY, noise))
    state = layer.initial_state(3)
    np.testing.assert_array_equal(layer.evaluate(ops, params, state, X), inner.evaluate(ops, params, state, X))
    assert layer.update_state(ops, state, None) is state
