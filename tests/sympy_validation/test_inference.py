"""What a layer does at inference is compared with what it was trained for, where noise or a state make a difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest

from nerva_core.layers import BatchNormalization, Dropout, Layer
from sympy_validation.inference import ROWS, otherwise
from sympy_validation.layer_run import LayerRun, NumericSizes


class Mean(NamedTuple):
    m: Any


@dataclass(frozen=True)
class Centred(Layer):
    """X minus the mean of its columns; at inference minus ``sign`` times the running mean."""

    sign: float = 1.0
    new: float = 0.1

    def initial_state(self, D: int) -> Any:
        return Mean(np.zeros((1, D)))

    def update_state(self, ops: Any, state: Any, cache: Any) -> Any:
        return Mean(0.9 * state.m + self.new * cache)

    def feedforward(self, ops: Any, params: Any, X: Any) -> Any:
        m = ops.columns_mean(X)
        return X - ops.row_repeat(m, ops.shape(X)[0]), m

    def backpropagate(self, ops: Any, params: Any, cache: Any, DY: Any) -> Any:
        return DY - ops.row_repeat(ops.columns_mean(DY), ops.shape(DY)[0]), ()

    def evaluate(self, ops: Any, params: Any, state: Any, X: Any, *noise: Any) -> Any:
        return X - self.sign * ops.row_repeat(state.m, ops.shape(X)[0])


@dataclass(frozen=True)
class Masked(Layer):
    """X ⊙ R for a mask of 0 and 2, half of each; at inference ``scale`` X."""

    scale: float = 1.0

    def noise_shapes(self, N: Any, D: Any) -> Any:
        return ((N, D),)

    def draw(self, rng: Any, N: int, D: int) -> Any:
        return (2.0 * (rng.random((N, D)) < 0.5),)

    def feedforward(self, ops: Any, params: Any, X: Any, *noise: Any) -> Any:
        return ops.hadamard(X, noise[0]), noise[0]

    def backpropagate(self, ops: Any, params: Any, cache: Any, DY: Any) -> Any:
        return ops.hadamard(DY, cache), ()

    def evaluate(self, ops: Any, params: Any, state: Any, X: Any, *noise: Any) -> Any:
        return self.scale * X


def words(layer: Layer) -> str:
    rows = 3 if layer.noise_shapes(3, 4) else ROWS
    return otherwise(LayerRun(layer, NumericSizes(rows, 4, 2), lambda rng, shape: rng.uniform(0.1, 0.9, shape), np.random.default_rng(0)))


@pytest.mark.parametrize("layer", [Centred(), Masked(), Dropout(0.3), BatchNormalization()], ids=lambda layer: type(layer).__name__)
def test_right_layers_do_the_same(layer: Layer) -> None:
    assert words(layer) == ""


@pytest.mark.parametrize("layer", [Centred(sign=-1.0), Centred(new=0.9)], ids=str)
def test_statistics_are_those_of_the_input(layer: Layer) -> None:
    assert "with the statistics of the same input" in words(layer)


def test_noise_is_at_its_mean() -> None:
    assert "with its noise at its mean" in words(Masked(scale=0.5))
