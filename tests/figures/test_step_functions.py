from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from nerva_core.algebra.errors import NervaError
from nerva_core.equations.step_functions import Points
from nerva_core.figures.step_functions import learned_activations, pieces, step_functions
from nerva_core.layers import parse_layers


def test_the_pieces_of_a_discontinuous_function():
    found = pieces(Points((0.0, 1.0)), np.array([0.5, 3.0, 0.0]))
    assert len(found) == 3
    np.testing.assert_array_equal(found[0][1], 0.5 * found[0][0])
    np.testing.assert_array_equal(found[1][0], [0, 1])
    np.testing.assert_array_equal(found[1][1], [0, 3])
    np.testing.assert_array_equal(found[2][1], [0, 0])
    assert found[0][0][1] == 0.0
    assert found[2][0][0] == 1.0


def test_every_step_function_of_a_network_is_found_and_drawn():
    network = parse_layers(
        [
            "Linear(4)",
            "DiagonalTMAF(per_neuron=true)",
            "Linear(3)",
            "TridiagonalTMAF",
            "PDiagonalTMAF(offsets=[2, -1])",
            "FullTMAF",
            "PReLU",
        ]
    )
    params = network.init(np.random.default_rng(0), 2)
    found = step_functions(network, params)
    assert [title for title, _ in found] == [
        "layer 2, DiagonalTMAF",
        "layer 4, TridiagonalTMAF",
        "layer 5, PDiagonalTMAF",
        "layer 6, FullTMAF",
        "layer 7, PReLU",
    ]
    assert [[name for name, _, _ in functions] for _, functions in found] == [
        ["α"],
        ["α", "β", "γ"],
        ["diagonal 2", "diagonal -1"],
        [f"diagonal {o}" for o in range(-2, 3)],
        ["σ"],
    ]
    assert all(len(t) == grid.intervals() for _, functions in found for _, grid, t in functions)
    np.testing.assert_array_equal(found[-1][1][0][2], [0.25, 1.0])
    assert learned_activations(network, params).startswith(b"\x89PNG")


def test_a_network_without_any_is_an_error():
    network = parse_layers(["Linear(4)", "ReLU"])
    with pytest.raises(NervaError, match="no trained activation functions"):
        learned_activations(network, network.init(np.random.default_rng(0), 2))


def test_no_two_functions_look_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Figure] = []
    monkeypatch.setattr("nerva_core.figures.step_functions.png", lambda figure: drawn.append(figure) or b"")
    network = parse_layers(["PReLU", "Linear(3)", "TridiagonalTMAF", "FullTMAF", "Linear(16)", "FullTMAF"])
    learned_activations(network, network.init(np.random.default_rng(0), 2))
    styles = {}
    for axis in drawn[0].axes:
        lines = [line for line in axis.lines if not line.get_label().startswith("_")]
        assert len({line.get_color() for line in axis.lines}) >= len(lines)
        styles |= {line.get_label(): (line.get_color(), line.get_linestyle()) for line in lines}
    assert len(set(styles.values())) == len(styles) == 1 + 3 + 5 + 2  # σ, α β γ, -2..2 and the ends of 31 diagonals
    assert len({line.get_color() for line in drawn[0].axes[-1].lines}) == 31
