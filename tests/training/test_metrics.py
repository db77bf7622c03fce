from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.equations.hard_functions import Binary, ImageSort, Signum, Sort
from nerva_core.layers import DAB, Linear, Repeat, Sequential, StraightThrough
from nerva_core.training.metrics import (
    all_or_none_accuracy,
    bits_per_pixel,
    earth_mover_distance,
    hard_distance,
    linear_probe,
    ms_ssim,
)
from tests.conftest import make_backend


def test_all_or_none_gives_no_partial_credit() -> None:
    T = np.array([[0, 1], [1, 0], [1, 1]])
    Y = np.array([[2.0, 1, 0, 3], [0, 1, 1, 0], [0, 5, 2, 1]])  # right, right, right and wrong
    assert all_or_none_accuracy(Y, T, 2) == pytest.approx(2 / 3)


def test_the_earth_mover_distance_is_the_least_over_all_pairings(rng: np.random.Generator) -> None:
    X, H = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    least = min(np.mean([np.linalg.norm(X[i] - H[j]) for i, j in enumerate(pi)]) for pi in itertools.permutations(range(5)))
    assert earth_mover_distance(X, H) == pytest.approx(least, rel=1e-12)
    assert earth_mover_distance(X, X[::-1]) == 0
    assert earth_mover_distance(X, X + 2) <= 2 * math.sqrt(3) + 1e-12


def test_of_different_widths_it_is_that_of_the_elements() -> None:
    assert earth_mover_distance(np.array([[0.0, 1.0]]), np.array([[0.5, 0.5, 0.5, 1.5]])) == pytest.approx(0.5)
    with pytest.raises(NervaError, match="the same number of rows, got 2 and 3"):
        earth_mover_distance(np.zeros((2, 1)), np.zeros((3, 1)))


def test_the_hard_layers_of_a_network_are_found_with_what_goes_in_and_out(rng: np.random.Generator) -> None:
    ops = make_backend("numpy", "float64")
    network = Sequential((Linear(3), Sequential((StraightThrough(Sort()), Linear(2))), DAB(Signum(), Sequential((Linear(2),)))))
    params, state, X = network.init(rng, 4), network.initial_state(4), rng.normal(size=(6, 4))
    (sort, Z, H), (dab, P, S) = ((layer, Z, H) for layer, Z, H in network.evaluations(ops, params, state, X) if layer.hard_layers())
    assert isinstance(sort, StraightThrough)
    assert isinstance(dab, DAB)
    np.testing.assert_array_equal(np.sort(Z), H)
    np.testing.assert_array_equal(S, np.sign(P) * (abs(P) > 0.5))
    assert hard_distance(ops, network, params, state, X) == pytest.approx(earth_mover_distance(Z, H))
    assert hard_distance(ops, Sequential((Linear(3),)), params[:1], state[:1], X) is None


def test_a_hard_layer_that_is_repeated_has_a_distance(rng: np.random.Generator) -> None:
    ops = make_backend("numpy", "float64")
    network = Sequential((Linear(3), Repeat(Sequential((Linear(3), StraightThrough(Sort()))), times=2)))
    params, state, X = network.init(rng, 4), network.initial_state(4), rng.normal(size=(6, 4))
    assert [type(layer).__name__ for layer, _, _ in network.evaluations(ops, params, state, X)] == [
        "Linear",
        "Linear",
        "StraightThrough",
        "Linear",
        "StraightThrough",
    ]
    Y = network.evaluate(ops, params, state, X)
    assert list(network.evaluations(ops, params, state, X))[-1][2] == pytest.approx(Y)
    assert hard_distance(ops, network, params, state, X) is not None


def test_bits() -> None:
    """496 trits are 786 bits, 0.001 per colour value of a 512 x 512 image (errata 003-18 and 003-19)."""
    assert bits_per_pixel(Signum(), 496, 1) == pytest.approx(786.14, abs=0.01)
    assert bits_per_pixel(Signum(), 496, 3 * 512 * 512) == pytest.approx(0.0009996, abs=1e-7)
    assert bits_per_pixel(Binary(), 784, 784) == 1
    with pytest.raises(NervaError, match="Sort has no finite number of values"):
        bits_per_pixel(Sort(), 4, 4)


def test_a_linear_probe_sees_what_is_linearly_separable(rng: np.random.Generator) -> None:
    Z = rng.normal(size=(300, 2))
    assert linear_probe(Z[:200], (Z[:200, 0] > 0).astype(int), Z[200:], (Z[200:, 0] > 0).astype(int)) > 0.95
    assert linear_probe(Z[:200], (Z[:200].prod(1) > 0).astype(int), Z[200:], (Z[200:].prod(1) > 0).astype(int)) < 0.75


@pytest.mark.parametrize("shape", [(176, 180), (181, 177)])
def test_the_structural_similarity_is_that_of_tensorflow(shape: tuple[int, int], rng: np.random.Generator) -> None:
    tf = pytest.importorskip("tensorflow")
    A = np.cumsum(rng.normal(size=shape), axis=0) / 40 % 1
    for B in (np.clip(A + rng.normal(size=shape) / 10, 0, 1), 1 - A, rng.uniform(size=shape)):
        expected = tf.image.ssim_multiscale(*(tf.constant(255 * X[:, :, None]) for X in (A, B)), 255.0).numpy()
        assert ms_ssim(255 * A, 255 * B, 255.0) == pytest.approx(expected, rel=1e-4, abs=1e-6)  # TensorFlow computes it in float32


def test_the_structural_similarity_of_small_images_needs_fewer_scales(rng: np.random.Generator) -> None:
    A = rng.uniform(size=(28, 28))
    assert ms_ssim(A, A, weights=(0.5, 0.5)) == pytest.approx(1)
    assert 0 < ms_ssim(A, np.clip(A + 0.1, 0, 1), weights=(0.5, 0.5)) < 1
    with pytest.raises(NervaError, match=r"at least 176 x 176 for 5 scales, got \(28, 28\) and \(28, 28\)"):
        ms_ssim(A, A)


def test_the_distance_of_rows_and_columns_is_not_that_of_their_elements(rng: np.random.Generator) -> None:
    """Rows ⊕ columns has the elements of the image twice, so that as numbers they are at no distance, however unsorted it was."""
    ops = make_backend("numpy", "float64")
    image = np.arange(12.0).reshape(1, 12) + np.arange(6.0).reshape(6, 1)  # 3 x 4, sorted by rows and by columns
    for by in ("both", "rows", "columns"):
        network = (
            Sequential((StraightThrough(ImageSort(3, 4, by)),))
            if by != "both"
            else Sequential((DAB(ImageSort(3, 4), Sequential((Linear(24),))),))
        )
        assert hard_distance(ops, network, ((),), ((),), image) == 0
        assert hard_distance(ops, network, ((),), ((),), rng.permuted(image, axis=1)) > 1
