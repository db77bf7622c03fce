"""Examples as positions and back: what the layers after them see, on every backend; a network binds them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.layers import Dropout, Flatten, Images, Linear, Repeat, Sequences, Sequential, parse_layers


def test_positions_are_rows_and_back(ops: Backend) -> None:
    X = np.arange(24.0).reshape(2, 12)
    layer = Images(2, 3)
    Y, cache = layer.feedforward(ops, (), ops.matrix(X))
    np.testing.assert_array_equal(ops.to_numpy(Y), X.reshape(2 * 6, 2))
    DX, _ = layer.backpropagate(ops, (), cache, Y)
    np.testing.assert_array_equal(ops.to_numpy(DX), X)
    network = Sequential((Images(2, 3), Flatten()))
    np.testing.assert_array_equal(ops.to_numpy(network.evaluate(ops, ((), ()), ((), ()), ops.matrix(X))), X)


def test_a_network_knows_its_rows_and_columns() -> None:
    network = Sequential((Images(2, 3), Linear(4), Dropout(0.5), Flatten(), Linear(5)))
    assert network.heights(7) == [7, 42, 42, 42, 7, 7]
    assert network.widths(12) == [12, 2, 4, 4, 24, 5]
    assert network.noise_shapes(7, 12)[2] == ((42, 4),)
    assert network.layers[3] == Flatten(6)
    assert repr(network.layers[3]) == "Flatten()"
    assert (network.rows_for(7), network.outputs_for(12)) == (7, 5)
    assert parse_layers(["Images(2, 3)", "Linear(4)", "Dropout(0.5)", "Flatten", "Linear(5)"]).shapes(12) == network.shapes(12)


def test_networks_inside_others_are_bound_too() -> None:
    network = Sequential((Sequences(3), Repeat(Sequential((Linear(2), Linear(2))), 2), Sequential((Sequential((Flatten(),)),))))
    assert network.outputs_for(6) == 6
    assert network.rows_for(5) == 5


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (lambda: Images(2, 3).outputs_for(13), r"Images\(height=2, width=3\) has 6 positions, .* a multiple of it, got 13"),
        (lambda: Sequential((Images(2, 3), Sequences(4))), "the rows are positions already: 2 x 3"),
        (lambda: Images(0, 3), "height must be >= 1"),
        (lambda: parse_layers(["Flatten(positions=3)"]), "Flatten has no parameter 'positions'; it has none"),
    ],
)
def test_what_does_not_fit_is_refused(code: Any, message: str) -> None:
    with pytest.raises(NervaError, match=message):
        code()
