from __future__ import annotations

from typing import Any

import pytest

from backends.numpy import NumpyBackend
from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import backend
from nerva_core.benchmark.scaling import chosen_subjects, columns_for, exponent, growth, subjects
from nerva_core.layers import LAYERS, Images, Sequences, Softmax
from nerva_core.layers.positions import AnyPositions


def test_the_exponent_of_a_power() -> None:
    assert exponent([1, 2, 4, 8], [3.0, 12.0, 48.0, 192.0]) == pytest.approx(2.0)
    assert exponent([10, 100], [5.0, 5.0]) == pytest.approx(0.0, abs=1e-12)


def test_every_layer_is_measured() -> None:
    measured = {type(layer) for layer in subjects()}
    assert measured - {AnyPositions} == set(LAYERS) - {Images, Sequences}  # of any number of positions


def test_every_layer_can_be_measured_and_its_memory_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NumpyBackend, "run_steps", NumpyBackend.run_plainly)  # the plans of all layers are tested elsewhere
    monkeypatch.setattr("nerva_core.benchmark.scaling.STEPS", 1)
    for layer in subjects():
        found = growth(backend("numpy"), layer, rows=(2, 4), columns=None if columns_for(layer) == 256 else 4, repeats=0)
        assert found.bytes_per_row is not None
        assert found.bytes_per_row > 0, layer


def test_layers_are_chosen_by_name() -> None:
    assert {type(layer).__name__ for layer in chosen_subjects("Softmax, Linear")} == {"Softmax", "Linear"}
    assert chosen_subjects(None) == subjects()
    with pytest.raises(NervaError, match="did you mean 'Softmax'"):
        chosen_subjects("Sotfmax")


def test_what_a_layer_computes_is_what_is_timed(ops: Any) -> None:
    """On every backend, as steps of training run."""
    found = growth(ops, Softmax(), rows=(2, 4), columns=3, repeats=0)
    assert found.backend == ops.name


def test_the_growth_of_a_layer() -> None:
    found = growth(backend("numpy"), Softmax(), rows=(8, 16), columns=4, repeats=1)
    assert (found.layer, found.rows, len(found.seconds), len(found.moving_seconds)) == ("Softmax()", (8, 16), 2, 2)
    assert found.exponent == exponent(found.rows, found.seconds)
    assert found.moving_exponent == exponent(found.rows, found.moving_seconds)
