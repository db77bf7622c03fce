from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.equations.activations import ELU, LeakyReLU, ReLU
from nerva_core.equations.step_functions import (
    GRIDS,
    STEP_VALUES,
    Alpha,
    Beta,
    Deciles,
    Even,
    Gamma,
    Given,
    Like,
    Points,
    Same,
    TenIntervals,
)
from tests.conftest import make_backend
from tests.helpers import example


def masses(s: Any) -> np.ndarray[Any, Any]:
    return np.diff(norm.cdf([-np.inf, *s, np.inf]))


@pytest.mark.parametrize("grid", [example(entry) if entry is not Points else Points((-1.0, 2.0)) for entry in GRIDS], ids=repr)
def test_points_increase_and_the_text_of_a_grid_builds_it_again(grid: Any) -> None:
    assert (np.diff(grid.points()) > 0).all()
    assert grid.intervals() == len(grid.points()) + 1
    assert GRIDS.parse(repr(grid)) == grid


def test_the_printed_intervals_have_not_probability_a_tenth() -> None:
    """Errata 002-07 and 002-08; the deciles have."""
    found = masses(TenIntervals().points())
    np.testing.assert_allclose(found[:5], [0.0808, 0.0980, 0.1090, 0.1097, 0.1026], atol=5e-5)
    np.testing.assert_allclose(found, found[::-1])
    np.testing.assert_allclose(masses(Deciles().points()), 0.1, rtol=1e-12)
    sigmas = np.array([0.26, 0.56, 0.92, 1.4]) / norm.ppf([0.6, 0.7, 0.8, 0.9])
    np.testing.assert_allclose(sigmas[::-1], [1.092, 1.093, 1.068, 1.026], atol=5e-4)  # no σ serves all of them


def test_the_grids_of_section_3_2_do_not_drift() -> None:
    """Errata 002-10 to 002-13: 102 intervals, every point the float nearest to its decimal, and 0 among those of α."""
    for grid, first in ((Alpha(), "-1"), (Beta(), "-2.01"), (Gamma(), "0.01")):
        assert grid.intervals() == 102
        assert list(grid.points()) == [float(Fraction(first) + k * Fraction("0.02")) for k in range(101)]
    assert 0.0 in Alpha().points()
    assert list(Beta().points()) == [-x for x in reversed(Gamma().points())]
    drifting = [-1 + k * 0.02 for k in range(101)]
    assert drifting != list(Alpha().points())
    assert Even(-1.0, 1.0, 100).points() == Alpha().points()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Points([])", "at least one point"),
        ("Points([0, 1, 1])", "strictly increasing, got 1.0 after 1.0"),
        ("Points([0, inf])", "finite, got inf"),
        ("Points([nan])", "finite, got nan"),
        ("Even(1, 1, 4)", "low must be less than high"),
        ("Even(0, 1, 0)", "count must be >= 1"),
        ("Tenintervalls", "TenIntervals"),
    ],
)
def test_wrong_grids(text: str, message: str) -> None:
    with pytest.raises(NervaError, match=message):
        GRIDS.parse(text)


def test_initial_values() -> None:
    grid = TenIntervals()
    assert Like(ReLU()).values(grid) == (0.0,) * 5 + (1.0,) * 5
    np.testing.assert_allclose(Like(LeakyReLU(0.1)).values(grid), [0.1] * 5 + [1.0] * 5)
    assert Same(0.5).values(Points((1.0,))) == (0.5, 0.5)
    assert Given((1.0, 2.0)).values(Points((1.0,))) == (1.0, 2.0)
    with pytest.raises(NervaError, match="2 intervals, got 3 values"):
        Given((1.0, 2.0, 3.0)).values(Points((1.0,)))
    assert STEP_VALUES.parse("Like(LeakyReLU(0.1))") == Like(LeakyReLU(0.1))


def test_values_like_a_smooth_activation() -> None:
    """α(x) x = f(x) in the middle of an interval; the slope f'(0) where that is 0."""
    t = Like(ELU()).values(Points((-1.0, 1.0, 2.0)))
    np.testing.assert_allclose(t, [np.expm1(-2) / -2, 1.0, 1.0, 1.0])


def test_relu_needs_the_grid_point_0() -> None:
    """Erratum 002-06: without it the values of ReLU do not give ReLU."""
    ops = make_backend("numpy", "float64")
    X = ops.matrix([[-0.25, 0.25]])
    for s, same in (((0.0,), True), ((-1.0, 1.0), False)):
        t = ops.constant([[value] * 2 for value in Like(ReLU()).values(Points(s))])
        Y = ops.hadamard(ops.step_function(X, s, t), X)
        assert np.array_equal(Y, np.maximum(X, 0)) == same


@pytest.mark.parametrize("grid", [TenIntervals(), Alpha(), Beta(), Gamma(), Deciles()], ids=repr)
def test_intervals_are_closed_on_the_right_in_each_dtype(ops_of_dtype: Backend, grid: Any) -> None:
    """On a grid point, as it is in the dtype, the interval on the left counts; on its neighbours, theirs. Compiled and eager."""
    ops, s = ops_of_dtype, grid.points()
    at = np.array(s, dtype=ops.dtype)
    tiny = np.where(at == 0, np.finfo(ops.dtype).tiny, 0).astype(ops.dtype)  # the neighbours of 0 are subnormal, which XLA takes for 0
    X = np.stack([np.nextafter(at, at - 1) - tiny, at, np.nextafter(at, at + 1) + tiny])
    numbers = ops.constant([[j] * len(s) for j in range(len(s) + 1)])
    expected = np.stack([np.arange(len(s))] * 2 + [np.arange(len(s)) + 1])
    for run in (lambda f: f, ops.compile):
        J = run(lambda X: ops.step_function(X, s, numbers))(ops.matrix(X))
        np.testing.assert_array_equal(ops.to_numpy(J), expected)
        counts = run(lambda X: ops.rows_sum(ops.interval_sums(ops.ones(*ops.shape(X)), X, s)))(ops.matrix(X))
        np.testing.assert_array_equal(ops.to_numpy(counts).ravel(), np.bincount(expected.ravel(), minlength=len(s) + 1))


@pytest.mark.parametrize("grid", [TenIntervals(), Alpha(), Points((-1.0, -0.9, 0.9, *range(1, 20)))], ids=lambda grid: type(grid).__name__)
def test_what_is_no_number_lies_above_no_grid_point(ops: Backend, grid: Any) -> None:
    """NaN < x holds for no x; the infinities are in the outermost intervals."""
    s = grid.points()
    X, T = ops.matrix([[np.nan, -np.inf, np.inf]]), ops.constant([[j] * 3 for j in range(len(s) + 1)])
    for run in (lambda f: f, ops.compile):
        assert ops.to_numpy(run(lambda X: ops.step_function(X, s, T))(X)).tolist() == [[0, 0, len(s)]]


def test_compiled_for_one_width_it_serves_another(ops: Backend, rng: np.random.Generator) -> None:
    """Where a framework compiles for unknown sizes, the number of columns may be one of them."""
    s = (-0.5, 0.0, 0.5)

    def moved(X: Any, T: Any) -> Any:
        return ops.shift_columns(ops.hadamard(ops.step_function(X, s, T), X), -1), ops.interval_sums(X, X, s)

    compiled = ops.compile(moved)
    for n in (3, 4, 1):
        X, T = ops.matrix(rng.normal(size=(6, n))), ops.matrix(rng.normal(size=(4, n)))
        for found, expected in zip(compiled(X, T), moved(X, T), strict=True):
            np.testing.assert_allclose(ops.to_numpy(found), ops.to_numpy(expected), atol=1e-14)
            assert ops.to_numpy(found).shape[1] == n
