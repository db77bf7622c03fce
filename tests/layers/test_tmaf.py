from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.algebra.trees import leaves, map_shapes
from nerva_core.equations.activations import LeakyReLU
from nerva_core.equations.step_functions import Alpha, Given, Like, Points, TenIntervals
from nerva_core.layers import (
    DiagonalTMAF,
    FullTMAF,
    PDiagonalTMAF,
    SparseTMAF,
    TridiagonalTMAF,
    multilayer_perceptron,
    parse_layers,
)
from tests.helpers import elements_made
from tests.layers.check import check_layer, library, random_parameters, run

GRID = Points((-1.0, -0.25, 0.5))
N, K = 5, 4


def forwards(matrix_of: Any) -> dict[str, Any]:
    """y_i = Σ_j A_ij z_j, entry by entry; ``matrix_of(i, j)`` is the number of the step function of A_ij, or None where A_ij = 0."""

    def forward(name: str) -> Any:
        def function(Z: Any, *values: Any) -> Any:
            xp = library(name)

            def phi(t: Any, z: Any, j: int) -> Any:
                column = j if t.shape[1] > 1 else 0
                result = t[0, column]
                for number, point in enumerate(GRID.points(), 1):
                    result = xp.where(z > point, t[number, column], result)
                return result

            columns = []
            for i in range(K):
                terms = [phi(values[f], Z[:, j], j) * Z[:, j] for j in range(K) if (f := matrix_of(i, j)) is not None]
                columns.append(sum(terms, 0 * Z[:, i]))
            return xp.stack(columns, -1)

        return function

    return {name: forward(name) for name in ("torch", "jax", "tensorflow")}


OFFSETS = (-2, 0, 1, 3)
LAYERS = {
    "diagonal": (DiagonalTMAF(GRID), lambda i, j: 0 if i == j else None),
    "tri-diagonal": (TridiagonalTMAF(GRID, GRID, GRID), lambda i, j: {0: 0, 1: 1, -1: 2}.get(j - i)),
    "p-diagonal": (PDiagonalTMAF(OFFSETS, (GRID,)), lambda i, j: OFFSETS.index(j - i) if j - i in OFFSETS else None),
    "beyond the matrix": (PDiagonalTMAF((0, K, -9), (GRID,)), lambda i, j: 0 if i == j else None),
    "full": (FullTMAF((GRID,)), lambda i, j: j - i + K - 1),
    "sparse": (
        SparseTMAF(((1, 0, 0, 1), (0, 0, 1, 0), (0, 0, 0, 0), (1, 1, 0, 1)), (GRID,)),
        lambda i, j: {(3, 0): 0, (3, 1): 1, (0, 0): 2, (3, 3): 2, (1, 2): 3, (0, 3): 4}.get((i, j)),
    ),
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("per_neuron", [False, True], ids=["shared", "per neuron"])
def test_gradients(ops: Backend, rng: np.random.Generator, name: str, per_neuron: bool) -> None:
    layer, matrix_of = LAYERS[name]
    layer = dataclasses.replace(layer, per_neuron=per_neuron)
    check_layer(ops, layer, forwards(matrix_of), rng.normal(size=(N, K)), random_parameters(rng, layer, K))


def test_on_grid_points_the_interval_on_the_left_counts(ops: Backend) -> None:
    layer = DiagonalTMAF(Points((-1.0, 2.0)))
    params = type(layer.shapes(1))(np.array([[3.0], [5.0], [7.0]]))
    Y, DZ, (Dalpha,) = run(ops, layer, np.array([[-1.0, 2.0, np.nextafter(2.0, 3)]]), params, np.array([[1.0, 10.0, 100.0]]))
    np.testing.assert_allclose(Y, [[-3.0, 10.0, 14.0]])
    np.testing.assert_array_equal(DZ, [[3.0, 50.0, 700.0]])
    np.testing.assert_allclose(Dalpha, [[-1.0], [20.0], [200.0]])


def test_it_is_continuous_at_a_grid_point_iff_the_jump_vanishes(ops: Backend) -> None:
    """s_j (t_j - t_{j-1}) = 0 (erratum 002-03)."""
    for point, t, jump in ((0.0, (2.0, 5.0), 0.0), (1.0, (2.0, 2.0), 0.0), (1.0, (2.0, 5.0), 3.0)):
        layer = DiagonalTMAF(Points((point,)))
        params = type(layer.shapes(1))(np.array([t]).T)
        Y, _, _ = run(ops, layer, np.array([[point, np.nextafter(point, 9)]]), params, np.zeros((1, 2)))
        np.testing.assert_allclose(Y[0, 1] - Y[0, 0], jump, atol=1e-12)


def test_initial_values_of_every_diagonal(rng: np.random.Generator) -> None:
    t = DiagonalTMAF(initial=Like(LeakyReLU(0.1)), per_neuron=True).init(rng, 3)
    np.testing.assert_allclose(t.alpha, np.tile([[0.1]] * 5 + [[1.0]] * 5, (1, 3)))
    alpha, beta, gamma = TridiagonalTMAF().init(rng, 7)
    assert alpha.shape == beta.shape == gamma.shape == (102, 1)
    np.testing.assert_array_equal(alpha[:, 0], np.array([0.0] * 51 + [1.0] * 51))
    assert not beta.any()
    assert not gamma.any()
    zeros, main = PDiagonalTMAF((2, 0), (GRID,), Given((1.0, 2.0, 3.0, 4.0))).init(rng, 7)
    np.testing.assert_array_equal(main[:, 0], [1, 2, 3, 4])
    assert not zeros.any()


def test_the_numbers_of_trained_parameters() -> None:
    """Erratum 002-24."""

    def count(layer: str, sizes: list[int]) -> int:
        network = multilayer_perceptron(layer, sizes)
        return sum(leaves(map_shapes(math.prod, network.shapes(sizes[0]))))

    wide, narrow, mnist = [1, 400, 400, 400, 1], [1, 300, 300, 300, 1], [784, 10, 10, 10]
    assert count(3 * "ReLU;" + "Linear", wide) == 322_001
    assert count(3 * "PReLU;" + "Linear", wide) == 322_001 + 3
    assert count(3 * "DiagonalTMAF(grid=Alpha);" + "Linear", wide) == 322_001 + 306
    assert count(3 * "ReLU;" + "Linear", narrow) == 181_501
    assert count(3 * "TridiagonalTMAF;" + "Linear", narrow) == 181_501 + 918
    assert count("ReLU;ReLU;Linear", mnist) == 8_070
    assert count("DiagonalTMAF;DiagonalTMAF;Linear", mnist) == 8_070 + 20


@pytest.mark.parametrize("bins", [10, 1000])
def test_the_cost_does_not_grow_with_the_intervals_or_with_the_square_of_the_neurons(bins: int) -> None:
    """No matrix is larger than N x K and the table of values."""
    n, k = 64, 32
    layer = TridiagonalTMAF(*(Points(tuple(np.linspace(-1, 1, bins - 1))),) * 3)

    def go(ops: Any) -> None:
        params = type(layer.shapes(k))(*(ops.zeros(bins, 1) for _ in range(3)))
        Z = ops.full(0.3, n, k)
        Y, cache = layer.feedforward(ops, params, Z)
        layer.backpropagate(ops, params, cache, Y)

    assert max(elements_made(go)) <= max(n * k, bins * k)


def test_text_of_the_notation() -> None:
    network = multilayer_perceptron("DiagonalTMAF(grid=Points([0, 1]));TridiagonalTMAF(per_neuron=true);Linear", [2, 3, 4, 1])
    assert [type(layer).__name__ for layer in network.layers] == ["Linear", "DiagonalTMAF", "Linear", "TridiagonalTMAF", "Linear"]
    assert parse_layers([repr(layer) for layer in network.layers]) == network
    assert parse_layers(["PDiagonalTMAF(offsets=[0, 2], grids=[Alpha, TenIntervals])"]).layers[0].step_functions(5) == [
        (Alpha(), Like()),
        (TenIntervals(), PDiagonalTMAF().step_functions(3)[1][1]),
    ]


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (lambda: DiagonalTMAF(GRID, Given((1.0,))), "4 intervals, got 1 values"),
        (lambda: PDiagonalTMAF((0, 0)), "different integers"),
        (lambda: PDiagonalTMAF(()), "one or more different integers"),
        (lambda: PDiagonalTMAF((0, 1, 2), (GRID, GRID)), "one for each of the 3 diagonals, got 2"),
        (lambda: SparseTMAF(((1, 2),)), "zeros and ones"),
        (lambda: SparseTMAF(((1, 0), (1,))), "the same length"),
        (lambda: parse_layers(["DiagonalTMAF(grid=Alhpa)"]), "Alpha"),
    ],
)
def test_mistakes(layer: Any, message: str) -> None:
    with pytest.raises(NervaError, match=message):
        layer()
