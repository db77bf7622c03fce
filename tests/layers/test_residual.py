"""Y = X + f(X), with f's parameters, noise and state."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.equations.activations import Tanh
from nerva_core.layers import ActivationLayer, BatchNormalization, Dropout, Linear, Residual, Sequential
from tests.layers.check import check_layer, random_parameters

F = Sequential((Linear(3), ActivationLayer(Tanh()), Linear(3)))


def torch_residual(X: Any, W: Any, b: Any, V: Any, c: Any) -> Any:
    import torch

    linear = torch.nn.functional.linear
    return X + linear(linear(X, W, b[0]).tanh(), V, c[0])


def test_gradients(ops: Backend, rng: np.random.Generator) -> None:
    check_layer(ops, Residual(F), {"torch": torch_residual}, rng.normal(size=(4, 3)), random_parameters(rng, Residual(F), 3))


def test_noise_and_state_are_those_of_the_layers_inside() -> None:
    layer = Residual(Sequential((Dropout(0.5), BatchNormalization())))
    assert layer.noise_shapes(4, 3) == layer.layers.noise_shapes(4, 3)
    assert len(layer.initial_state(3)) == 2


def test_the_shape_must_be_kept() -> None:
    with pytest.raises(NervaError, match="must have as many columns as X, but the layers make 2 of 3"):
        Residual(Sequential((Linear(2),))).outputs_for(3)
