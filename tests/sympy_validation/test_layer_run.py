"""One run of a layer on NumPy: what is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from nerva_core.layers import Layer, Linear
from sympy_validation.layer_run import ContradictionError, LayerRun, NumericSizes, OtherLayerError


def run(layer: Layer) -> LayerRun:
    return LayerRun(layer, NumericSizes(3, 4, 2), lambda rng, shape: rng.normal(size=shape), np.random.default_rng(0))


@dataclass(frozen=True)
class Triple(Layer):
    back: float = 3.0
    far: float = 0.0

    def feedforward(self, ops: Any, params: Any, X: Any) -> Any:
        return 3 * X + self.far, ()

    def backpropagate(self, ops: Any, params: Any, cache: Any, DY: Any) -> Any:
        return self.back * DY, ()


def test_a_right_layer() -> None:
    assert run(Linear(2)).check()
    right = run(Triple())
    assert right.check()
    assert {code.co_name for code, _, _ in right.ways.steps} == {"feedforward", "backpropagate"}


def test_a_slope_that_differs_is_a_contradiction_about_its_quantity() -> None:
    with pytest.raises(ContradictionError, match="⟨DX, V⟩ should be") as raised:
        run(Triple(back=3.001)).check()
    assert raised.value.quantity == "DX"


def test_what_is_not_finite_shows_nothing() -> None:
    assert not run(Triple(far=np.inf)).check()


class NoNumber(Linear):
    def init(self, rng: np.random.Generator, D: int) -> Any:
        W, b = super().init(rng, D)
        return type(self.shapes(D))(W, np.full_like(b, np.nan))


def test_initial_values_are_numbers() -> None:
    with pytest.raises(ContradictionError, match="init gives what is not a finite number"):
        run(NoNumber(2)).check()


@dataclass(frozen=True)
class OtherInTraining(Triple):
    def at_epoch(self, T: int) -> Layer:
        return Linear(2)


def test_the_layer_that_trains_is_the_one_that_is_looked_at() -> None:
    with pytest.raises(OtherLayerError, match="at_epoch gives another layer"):
        run(OtherInTraining())


class OneRow(Triple):
    def shape_of_input(self, symbols: Any) -> Any:
        return 1, symbols.size("D")


def test_a_layer_is_looked_at_for_any_number_of_rows() -> None:
    with pytest.raises(OtherLayerError, match="gives 1 row, whatever N is"):
        run(OneRow())
