"""Hard functions against independently written NumPy, on all backends; ties and thresholds included."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.equations.hard_functions import (
    HARD_FUNCTIONS,
    Bernoulli,
    Binary,
    HardFunction,
    ImageSort,
    KMeans,
    Signum,
    Sort,
    Threshold,
    TopK,
)
from tests.conftest import make_backend
from tests.helpers import examples

Array = np.ndarray[Any, Any]


def apply(ops: Backend, hard: HardFunction, X: Any, *noise: Any) -> Array:
    return ops.to_numpy(hard.value(ops, ops.matrix(X), *map(ops.matrix, noise)))


def test_signum_has_a_closed_margin(ops_of_dtype: Backend) -> None:
    """±ε itself gives 0 (erratum 003-15), its neighbours do not."""
    half = np.asarray(0.5, ops_of_dtype.dtype)
    above = np.nextafter(half, half.dtype.type(1))
    X = [[0.5, -0.5, above, -above, 0.0, 3.0]]
    np.testing.assert_array_equal(apply(ops_of_dtype, Signum(), X), [[0, 0, 1, -1, 0, 1]])
    np.testing.assert_array_equal(apply(ops_of_dtype, Signum(0.0), [[-1e-30, 0.0, 1e-30]]), [[-1, 0, 1]])


def test_threshold_is_open(ops: Backend) -> None:
    np.testing.assert_array_equal(apply(ops, Threshold(0.25), [[0.25, 0.5, -1.0]]), [[0, 1, 0]])


def test_binary_is_about_a_mean(ops: Backend) -> None:
    """Per sample, per feature and global differ (erratum 003-25); an element that is the mean gives 1."""
    X = [[0.0, 1.0, 2.0], [10.0, 11.0, 12.0]]
    np.testing.assert_array_equal(apply(ops, Binary(), X), [[0, 1, 1], [0, 1, 1]])
    np.testing.assert_array_equal(apply(ops, Binary("feature"), X), [[0, 0, 0], [1, 1, 1]])
    np.testing.assert_array_equal(apply(ops, Binary("batch"), X), [[0, 0, 0], [1, 1, 1]])
    np.testing.assert_array_equal(apply(ops, Binary("batch"), [[0.0, 9.0], [1.0, 2.0]]), [[0, 1], [0, 0]])


def test_bernoulli_is_a_function_of_its_draws(ops: Backend) -> None:
    P = [[0.0, 0.25, 0.5, 1.0]]
    np.testing.assert_array_equal(apply(ops, Bernoulli(), P, [[0.0, 0.2, 0.5, 0.999]]), [[0, 1, 0, 1]])
    np.testing.assert_array_equal(apply(ops, Bernoulli(), P), [[0, 0, 0, 1]])


def test_bernoulli_has_the_probability_it_is_given() -> None:
    hard, ops, rng = Bernoulli(), make_backend("numpy", "float64"), np.random.default_rng(0)
    P = np.full((20_000, 1), 0.3)
    mean = apply(ops, hard, P, *hard.draw(rng, *P.shape)).mean()
    assert abs(mean - 0.3) < 5 * np.sqrt(0.3 * 0.7 / len(P))
    assert hard.draw_for_evaluation(rng, 3, 2) == ()
    assert Bernoulli("noise").draw_for_evaluation(rng, 3, 2)[0].shape == (3, 2)


def test_sorting(ops: Backend, rng: np.random.Generator) -> None:
    X = np.round(rng.normal(size=(6, 7)), 1)
    np.testing.assert_array_equal(apply(ops, Sort(), X), np.sort(X))
    np.testing.assert_array_equal(apply(ops, Sort(descending=True), X), np.sort(X)[:, ::-1])
    np.testing.assert_array_equal(apply(ops, TopK(3), X), np.sort(X)[:, :-4:-1])


@pytest.mark.parametrize("k", [None, 2])
@pytest.mark.parametrize("descending", [False, True])
def test_image_sort(ops: Backend, rng: np.random.Generator, descending: bool, k: int | None) -> None:
    """sort-row(x) ⊕ sort-col(x) of two channels of 3 x 4 pixels."""
    X = rng.normal(size=(5, 2, 3, 4))
    sign = -1 if descending else 1
    rows = (sign * np.sort(sign * X, axis=3))[..., :k].reshape(5, -1)
    columns = (sign * np.sort(sign * X, axis=2)).transpose(0, 1, 3, 2)[..., :k].reshape(5, -1)
    expected = {"rows": rows, "columns": columns, "both": np.hstack([rows, columns])}
    for by, H in expected.items():
        hard = ImageSort(3, 4, by, descending, k)
        np.testing.assert_array_equal(apply(ops, hard, X.reshape(5, -1)), H)
        assert hard.outputs_for(24) == H.shape[1]


@pytest.mark.parametrize("hard", examples(HARD_FUNCTIONS), ids=repr)
def test_the_output_has_the_stated_width(hard: Any, rng: np.random.Generator) -> None:
    ops = make_backend("numpy", "float32")
    for D in {hard.example_width() or 6, 2 * (hard.example_width() or 6)}:
        H = apply(ops, hard, rng.normal(size=(4, D)), *hard.draw(rng, 4, D))
        assert H.shape == (4, hard.outputs_for(D))
        assert H.dtype == ops.dtype
        assert tuple(noise.shape for noise in hard.draw(rng, 4, D)) == hard.noise_shapes(4, D)
        if hard.levels():
            assert len(np.unique(H)) <= hard.levels()


@pytest.mark.sampled(2, "jax", "tensorflow")
@pytest.mark.parametrize("hard", examples(HARD_FUNCTIONS), ids=repr)
def test_compiled_is_eager(ops: Backend, hard: Any, rng: np.random.Generator) -> None:
    D = hard.example_width() or 6
    given = [ops.matrix(A) for A in (np.round(rng.normal(size=(4, D)), 1), *hard.draw(rng, 4, D))]
    compiled = ops.compile(lambda *matrices: hard.value(ops, *matrices))
    np.testing.assert_allclose(ops.to_numpy(compiled(*given)), ops.to_numpy(hard.value(ops, *given)), rtol=1e-14)  # a mean is a sum


@pytest.mark.parametrize(
    ("hard", "D", "message"),
    [
        (TopK(5), 4, "k must be at most the number of columns 4, got 5"),
        (ImageSort(3, 4), 13, "a multiple of height x width = 3 x 4, got 13"),
        (KMeans(2, dimension=3), 4, "a multiple of the dimension 3 of a point, got 4"),
    ],
)
def test_what_does_not_fit_is_refused(hard: HardFunction, D: int, message: str) -> None:
    with pytest.raises(NervaError, match=message):
        hard.outputs_for(D)
